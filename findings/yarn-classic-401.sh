#!/usr/bin/env bash
# Yarn classic (npm yarn 1.22.22), when the registry answers 401 Unauthorized (an expired token)
# and the body has no text under "error": an install says that the package does not exist, and a
# publish says "success Published." and exits with 0, though nothing was published. A 403 fails both.
# (Its request manager takes 400, 401 and 404 alike for "not there", and publish does not look.)
# So a build with an expired CodeArtifact token fails with a misspelt name's message, or is green.
#
# Output seen:
#   install, 401: exit 1, error Couldn't find package "shoplib" on the "npm" registry.
#   install, 403: exit 1, error Error: http://HOST/shoplib: no
#   publish, 401: exit 0, success Published.
#   publish, 403: exit 1, error Couldn't publish package: "http://HOST/shoplib: no"
#
# Nothing leaves the machine after the installation: the registry is the script's own.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work/tool" yarn@1.22.22 >/dev/null

cat >"$work/registry.js" <<'JS'
// Two registries: one answers every request with 401, the other with 403.
for (const status of [401, 403]) {
  const s = require("http").createServer((q, r) => {
    q.resume();
    q.on("end", () => { r.writeHead(status, {"content-type": "application/json"}); r.end('{"message":"no"}'); });
  });
  s.listen(0, "127.0.0.1", () => console.log(status, s.address().port));
}
JS
node "$work/registry.js" >"$work/ports" &
server=$!
for _ in $(seq 50); do test "$(wc -l <"$work/ports")" = 2 && break; sleep 0.1; done

# try STATUS COMMAND…: exit status and the line that says what is wrong
try() {
  local status=$1 host; shift
  host=127.0.0.1:$(sed -n "s/^$status //p" "$work/ports")
  rm -rf "$work/shop" && mkdir -p "$work/shop" "$work/home"
  printf 'registry=http://%s/\n//%s/:_authToken=token\nalways-auth=true\n' "$host" "$host" >"$work/shop/.npmrc"
  if [ "$1" = install ]; then
    echo '{"name":"shop","version":"1.0.0","license":"MIT","dependencies":{"shoplib":"1.0.0"}}' >"$work/shop/package.json"
  else
    echo '{"name":"shoplib","version":"1.0.0","license":"MIT"}' >"$work/shop/package.json"
  fi
  local code=0
  (cd "$work/shop" && env -i PATH="$PATH" HOME="$work/home" timeout 60 "$work/tool/node_modules/.bin/yarn" "$@" --non-interactive) \
    >"$work/out" 2>&1 || code=$?
  echo "$1, $status: exit $code, $(grep -m1 -E '^(error|success)' "$work/out" | sed "s/$host/HOST/" || true)"
}
seen=$(
  try 401 install
  try 403 install
  try 401 publish --new-version 1.0.0
  try 403 publish --new-version 1.0.0
)
echo "$seen"
want='install, 401: exit 1, error Couldn'"'"'t find package "shoplib" on the "npm" registry.
install, 403: exit 1, error Error: http://HOST/shoplib: no
publish, 401: exit 0, success Published.
publish, 403: exit 1, error Couldn'"'"'t publish package: "http://HOST/shoplib: no"'
test "$seen" = "$want" || { echo "CHANGED: expected" >&2; echo "$want" >&2; exit 1; }
