#!/usr/bin/env bash
# aws-cdk 2.1148.1 with aws-cdk-lib 2.276.0: an "app" that begins with cd
# synthesizes well, and the command then says that there is no manifest.
#
# The command hands its app CDK_OUTDIR as a relative path, and the library
# takes it from the app's own working directory. So with
#   "app": "cd app && node main.js"
# the assembly lands in app/cdk.out, and the command, which looked into
# cdk.out, fails with a message that names no cause:
#   ENOENT: no such file or directory, open 'cdk.out/manifest.json'
# That CDK_OUTDIR is relative is said nowhere; for a Go app whose module is not
# at the root, or any workspace, cd is the obvious thing to write.
#
# Seen:
#   cd app && node main.js: ENOENT, and the manifest is app/cdk.out/manifest.json
#   node app/main.js: synthesized
#
# Way out: start the app from the directory of cdk.json
# (go build -C app -o ../out . && ./out), or have it make CDK_OUTDIR absolute
# from a path that it is told otherwise.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --loglevel=error aws-cdk@2.1148.1 aws-cdk-lib@2.276.0 constructs@10.8.1 >/dev/null
mkdir app
cat >app/main.js <<'EOF'
const { App, Stack } = require('aws-cdk-lib');
const app = new App();
new Stack(app, 'Stack');
app.synth();
EOF

export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export CDK_DISABLE_CLI_TELEMETRY=true CDK_DISABLE_VERSION_CHECK=1
synth() { npx cdk synth --quiet --no-notices --app "$1" 2>&1; }

if out=$(synth 'cd app && node main.js'); then
  echo "CHANGED: cd app && node main.js: synthesized" >&2
  exit 1
fi
grep -F "ENOENT: no such file or directory, open 'cdk.out/manifest.json'" <<<"$out" || {
  echo "CHANGED: another error:" >&2
  echo "$out" >&2
  exit 1
}
test -f app/cdk.out/manifest.json || { echo "CHANGED: the assembly is not in app/cdk.out" >&2; exit 1; }
echo "cd app && node main.js: ENOENT, and the manifest is app/cdk.out/manifest.json"

rm -rf cdk.out
synth 'node app/main.js' >/dev/null
test -f cdk.out/manifest.json || { echo "CHANGED: without cd it does not work either" >&2; exit 1; }
echo "node app/main.js: synthesized"
