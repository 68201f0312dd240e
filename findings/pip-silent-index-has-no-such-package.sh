#!/usr/bin/env bash
# pip 26.3, when nobody answers the connection to the index (a VPC without a way out, a firewall
# that drops): it says that no version of the package exists, and ends with 1, as for a misspelt
# name. The only words about the network are warnings of tries that it repeats; with --retries 0
# (PIP_RETRIES=0) there are none at all. npm 10 says ETIMEDOUT.
#
# Output seen:
#   retries 0: exit 1, 0 warnings, ERROR: No matching distribution found for shoplib
#   retries 1: exit 1, 1 warnings, ERROR: No matching distribution found for shoplib
#
# Nothing leaves the machine after the installation: the index is a socket of the script's own that
# never accepts, with its queue full.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m pip install --quiet --root-user-action=ignore --disable-pip-version-check --target "$work/pip" pip==26.3

cat >"$work/silent.py" <<'PY'
import socket, time
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(0)
address = listener.getsockname()
waiting = []
for _ in range(8):  # the queue holds one or two; the others are not answered
    c = socket.socket()
    c.setblocking(False)
    c.connect_ex(address)
    waiting.append(c)
print(address[1], flush=True)
time.sleep(60)
PY
python3 "$work/silent.py" >"$work/port" &
server=$!
for _ in $(seq 50); do test -s "$work/port" && break; sleep 0.1; done

for retries in 0 1; do
  status=0
  PYTHONPATH=$work/pip NO_PROXY=127.0.0.1 python3 -m pip --isolated --disable-pip-version-check install --target "$work/out" \
    --index-url "http://127.0.0.1:$(cat "$work/port")/simple" --timeout 1 --retries "$retries" shoplib >"$work/log" 2>&1 || status=$?
  echo "retries $retries: exit $status, $(grep -c ConnectTimeoutError "$work/log" || true) warnings, $(tail -1 "$work/log")"
done
