#!/usr/bin/env bash
# aws-cdk 2.1148.1: "versionReporting": false in cdk.json does not switch the
# command's telemetry off; the option of the same meaning does.
#
# The README's list of keys gives --no-version-reporting as the same thing as
# the key, and cdk --help says of that option "Disable CLI telemetry and do not
# include the AWS::CDK::Metadata resource". The key does the second only: an
# app that had opted out by it, before there was telemetry, is asked again.
#
# Seen (cdk cli-telemetry --status):
#   nothing set: enabled
#   "versionReporting": false in cdk.json: enabled
#   --no-version-reporting: disabled
#   "cli-telemetry": false in the context: disabled
#
# Way out: set both keys in cdk.json.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --loglevel=error aws-cdk@2.1148.1 >/dev/null

export HOME=$dir AWS_EC2_METADATA_DISABLED=true CDK_DISABLE_VERSION_CHECK=1
export TELEMETRY_ENDPOINT=https://127.0.0.1:9/ # nothing leaves this machine
unset CDK_DISABLE_CLI_TELEMETRY
status() { # WHAT CDK.JSON [OPTION]
  echo "$2" >cdk.json
  echo "$1: $(npx cdk ${3:+"$3"} cli-telemetry --status 2>&1 | sed -nE 's/^CLI Telemetry is (enabled|disabled)\..*/\1/p')"
}
got=$(
  status 'nothing set' '{}'
  status '"versionReporting": false in cdk.json' '{"versionReporting": false}'
  status '--no-version-reporting' '{}' --no-version-reporting
  status '"cli-telemetry": false in the context' '{"context": {"cli-telemetry": false}}'
)
want='nothing set: enabled
"versionReporting": false in cdk.json: enabled
--no-version-reporting: disabled
"cli-telemetry": false in the context: disabled'
echo "$got"
if [ "$got" != "$want" ]; then
  echo "CHANGED: expected" >&2
  echo "$want" >&2
  exit 1
fi
