#!/usr/bin/env bash
# node:test (Node.js 20.20.2): a test with `todo` that fails does not fail the run:
# it exits with 0, the TAP point has "# TODO", and the sums count it under todo and
# not under fail. The JUnit reporter of the same run writes <failure> for it,
# beside <skipped type="todo">, and an attribute failure="…" that JUnit does not
# know. Whoever counts <failure> in the file (as report groups and CI servers do)
# shows a failed test in a run that passed.
#
# Output seen:
#   exit 0, sums: fail 0, todo 1; in the JUnit file: 1 <skipped type="todo">, 1 <failure
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
case $(node --version) in
v20.*) ;;
*) npm install --silent --no-audit --no-fund --prefix "$work/node" node@20.19.5 && PATH=$work/node/node_modules/.bin:$PATH ;;
esac
cat >shop.test.js <<'JS'
const { test } = require('node:test');
test('ships abroad', { todo: true }, () => { throw new Error('not yet'); });
JS
status=0
node --test --test-reporter=junit --test-reporter-destination=junit.xml \
  --test-reporter=tap --test-reporter-destination=tap.out shop.test.js || status=$?
sum() { sed -n "s/^# $1 //p" tap.out; }
seen="exit $status, sums: fail $(sum fail), todo $(sum todo); in the JUnit file: \
$(grep -c '<skipped type="todo"' junit.xml || true) <skipped type=\"todo\">, $(grep -c '<failure' junit.xml || true) <failure"
echo "$seen"
want='exit 0, sums: fail 0, todo 1; in the JUnit file: 1 <skipped type="todo">, 1 <failure'
test "$seen" = "$want" || { echo "CHANGED: expected $want" >&2; exit 1; }
