#!/usr/bin/env bash
# Mocha 12.0.3 (npm), --reporter xunit, the form that CI servers read.
#
# The numbers of the report do not count what stands in it. Each failed test is an element <failure>, which
# JUnit's schema counts under failures; Mocha writes failures="0" always, and the failures under errors. A hook
# that fails gets a <testcase>, but tests leaves it out, and so it is taken off what was skipped: with two
# failed hooks and nothing skipped, skipped is -2. The schemas of JUnit's form have no negative numbers there,
# and a summary of the attributes shows no failure. Read the elements. The reporter json of the same run counts
# two failures of one test, too, and nothing skipped.
#
# Expected: <testsuite tests="3" failures="2" errors="0" skipped="0">
# Seen on 30 November 2026:
#   head: tests="1" failures="0" errors="2" skipped="-2"
#   elements: 3 testcase, 2 failure, 0 error, 0 skipped
#   json: tests 1, passes 1, pending 0, failures 2
#   a failed test: tests="2" failures="0" errors="1" skipped="0"
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --loglevel=error mocha@12.0.3 >/dev/null
cat > hooks.js <<'JS'
describe('shop', () => {
  before('open', () => { throw new Error('no till') })
  it('sells', () => {})
})
describe('night', () => {
  after('close', () => { throw new Error('stuck') })
  it('sleeps', () => {})
})
JS
cat > test.js <<'JS'
it('sells', () => { throw new Error('no') })
it('sleeps', () => {})
JS
run() { npx mocha --reporter "$1" "$2" 2>/dev/null || true; }
numbers() { grep -oE '(tests|failures|errors|skipped)="[-0-9]+"' <<<"$1" | tr '\n' ' ' | sed 's/ $//'; }
count() { grep -o "<$1[ />]" <<<"$2" | wc -l | tr -d ' '; }
hooks=$(run xunit hooks.js)
seen="head: $(numbers "$hooks")
elements: $(count testcase "$hooks") testcase, $(count failure "$hooks") failure, $(count error "$hooks") error, $(count skipped "$hooks") skipped
json: $(run json hooks.js | node -e '
  const s = JSON.parse(require("fs").readFileSync(0, "utf8")).stats
  console.log(`tests ${s.tests}, passes ${s.passes}, pending ${s.pending}, failures ${s.failures}`)')
a failed test: $(numbers "$(run xunit test.js)")"
echo "$seen"
want='head: tests="1" failures="0" errors="2" skipped="-2"
elements: 3 testcase, 2 failure, 0 error, 0 skipped
json: tests 1, passes 1, pending 0, failures 2
a failed test: tests="2" failures="0" errors="1" skipped="0"'
test "$seen" = "$want" || { echo "CHANGED: expected" >&2; echo "$want" >&2; exit 1; }
