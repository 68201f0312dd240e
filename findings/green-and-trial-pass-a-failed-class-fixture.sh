#!/usr/bin/env bash
# green 4.0.2 and Twisted's trial 26.10.0 (PyPI), a unittest.TestCase whose setUpClass raises.
#
# unittest counts the failed fixture as an error, names it ("ERROR: setUpClass (test_ledger.LedgerTest)")
# and exits with 1; nose2, pytest and stestr fail, too. green runs none of the class's tests and, as soon
# as another class ran before, says nothing: OK, exit code 0. trial never calls setUpClass: the tests run
# without their fixture and pass.
# So a build step that runs either can be green with a fixture that is broken, and there is no line from
# which a reader of the log could know.
#
# Expected:                     exit code 1 and the fixture's name from all three
# Seen on 29 November 2026:     unittest: 1, FAILED (errors=1)
#                               green:    0, OK (passes=1)
#                               trial:    0, PASSED (successes=2)
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check green==4.0.2 twisted==26.10.0

cat > test_ledger.py <<'PY'
import unittest


class CartTest(unittest.TestCase):
    def test_sum(self):
        pass


class LedgerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("ledger is closed")

    def test_opens(self):
        pass
PY

export PYTHONPATH=.
check() { # NAME, EXIT CODE, TEXT, COMMAND...
  local name=$1 want=$2 text=$3 code=0
  shift 3
  "$@" > "$name.log" 2>&1 || code=$?
  echo "$name exits with $code: $(tail -n 1 "$name.log")"
  if [ "$code" != "$want" ] || ! grep -qF "$text" "$name.log"; then
    cat "$name.log"
    echo "CHANGED: wanted $want and $text"
    exit 1
  fi
}
check unittest 1 "ERROR: setUpClass (test_ledger.LedgerTest)" venv/bin/python -m unittest
check green 0 "OK (passes=1)" venv/bin/green
check trial 0 "PASSED (successes=2)" venv/bin/trial test_ledger
