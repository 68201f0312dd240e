#!/usr/bin/env bash
# aws-cdk-lib 2.276.0: PolicyDocument.fromJson takes a policy that IAM would
# refuse or read otherwise, and says nothing of what it leaves out.
#
# Its documentation says that it takes a JSON representation of a policy. Of the
# document it keeps the statements alone: Version 2008-10-17 becomes 2012-10-17,
# in which ${aws:username} is a variable and no longer text, and Id goes. In a
# statement, an element that it does not know goes too: with "Conditions" in
# place of "Condition", IAM refuses the document (MalformedPolicyDocument), and
# the CDK deploys the statement without its condition.
#
# Seen:
#   version: 2012-10-17, id: undefined
#   condition: undefined
#
# Way out: check the file by another tool first, such as
# `aws accessanalyzer validate-policy`, and write Version 2012-10-17.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --loglevel=error aws-cdk-lib@2.276.0 constructs@10.8.1 >/dev/null

cat >try.js <<'JS'
const { App, Stack, aws_iam: iam } = require('aws-cdk-lib');
const stack = new Stack(new App(), 'Stack');
const read = (json) => stack.resolve(iam.PolicyDocument.fromJson(json));
const get = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::home/${aws:username}/*' };
const old = read({ Version: '2008-10-17', Id: 'mine', Statement: [get] });
console.log(`version: ${old.Version}, id: ${old.Id}`);
const typo = read({ Version: '2012-10-17', Statement: [{ ...get, Conditions: { StringEquals: { 'aws:SourceVpc': 'vpc-1' } } }] });
console.log(`condition: ${JSON.stringify(typo.Statement[0].Condition)}`);
JS

want='version: 2012-10-17, id: undefined
condition: undefined'
got=$(node try.js 2>/dev/null)
echo "$got"
if [ "$got" != "$want" ]; then
  echo "CHANGED: expected" >&2
  echo "$want" >&2
  exit 1
fi
