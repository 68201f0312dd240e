#!/usr/bin/env bash
# npm (npm 10.8.2 and 11.6.2): the registry's own error message is printed with
# every UUID in it replaced by ***, as if it were a secret (its redaction takes
# a UUID for an npm token of the old kind). AWS CodeArtifact names the denied
# session in that message, and a CodeBuild session's name ends in the build's
# UUID: whoever reads the log sees AWSCodeBuild-***, and cannot tell this
# build's denial from another build's. In the debug log it is masked, too.
#
# Output seen:
#   npm 10.8.2: assumed-role/shop/AWSCodeBuild-***
#   npm 11.6.2: assumed-role/shop/AWSCodeBuild-***
#   npm 11.6.2, debug log: assumed-role/shop/AWSCodeBuild-***
#
# The registry that answers is on this machine; only the tools are downloaded.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
for tool in npm@10.8.2 npm@11.6.2; do
  npm install --silent --no-audit --no-fund --prefix "$work/$tool" "$tool"
done

cat >"$work/server.js" <<'JS'
const message = 'User: arn:aws:sts::111122223333:assumed-role/shop/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571be0 ' +
  'is not authorized to perform: codeartifact:ReadFromRepository';
const server = require('http').createServer((request, response) => {
  response.writeHead(403, {'content-type': 'application/json'});
  response.end(JSON.stringify({message, error: message}));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
JS
node "$work/server.js" >"$work/port" &
server=$!
for _ in $(seq 50); do test -s "$work/port" && break; sleep 0.1; done
registry=http://127.0.0.1:$(cat "$work/port")/
mkdir "$work/shop"
echo '{"name":"shop","version":"1.0.0","dependencies":{"acme":"1.0.0"}}' >"$work/shop/package.json"

# session LABEL FILE: how the file names the session
session() { echo "$1: $(grep -o 'assumed-role/[^ ]*' "$2" | head -1)"; }

# run TOOL@VERSION COMMAND…: what it prints, in a file of its name
run() {
  local tool=$1; shift
  (cd "$work/shop" && env -i PATH="$PATH" HOME="$work/home-$tool" npm_config_registry="$registry" CI=true \
    timeout 90 "$work/$tool/node_modules/.bin/${tool%@*}" "$@" >"$work/out-$tool" 2>&1) || true
}
run npm@10.8.2 install
run npm@11.6.2 install
cat "$work/home-npm@11.6.2"/.npm/_logs/*.log >"$work/debug.log"
seen=$(
  session 'npm 10.8.2' "$work/out-npm@10.8.2"
  session 'npm 11.6.2' "$work/out-npm@11.6.2"
  session 'npm 11.6.2, debug log' "$work/debug.log"
)
echo "$seen"
want='npm 10.8.2: assumed-role/shop/AWSCodeBuild-***
npm 11.6.2: assumed-role/shop/AWSCodeBuild-***
npm 11.6.2, debug log: assumed-role/shop/AWSCodeBuild-***'
test "$seen" = "$want" || { echo "CHANGED: expected" >&2; echo "$want" >&2; exit 1; }
