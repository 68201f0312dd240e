#!/usr/bin/env bash
# aws-cdk-lib 2.276.0: with the recommended feature flag
# @aws-cdk/core:annotationsInValidationReport, assertions.Annotations.fromStack
# throws as soon as the stack has an error annotation.
#
# FEATURE_FLAGS.md says of the flag only that annotations are included in the
# validation report, and may be shown twice. But a stack's test that reads its
# errors (findError, hasNoError: the usual test of cdk-nag) never
# gets to see one: the synthesis inside of fromStack fails first. `cdk flags
# --set --recommended` and `cdk init` both set the flag.
#
# Seen:
#   flag unset: 1 error found
#   flag true: threw ValidationFailed
#
# Way out: set the flag to false in the context of such tests' App.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-audit --no-fund --loglevel=error aws-cdk-lib@2.276.0 constructs@10.8.1 >/dev/null

cat >try.js <<'EOF'
const { App, Stack, Annotations } = require('aws-cdk-lib');
const { Annotations: Assertions, Match } = require('aws-cdk-lib/assertions');
for (const [what, context] of [['unset', {}], ['true', { '@aws-cdk/core:annotationsInValidationReport': true }]]) {
  const stack = new Stack(new App({ context, outdir: what }), 'Stack');
  Annotations.of(stack).addError('No good.');
  try {
    const found = Assertions.fromStack(stack).findError('*', Match.anyValue());
    console.log(`flag ${what}: ${found.length} error found`);
  } catch (e) {
    console.log(`flag ${what}: threw ${e.name}`);
  }
}
EOF

want='flag unset: 1 error found
flag true: threw ValidationFailed'
got=$(node try.js 2>/dev/null)
echo "$got"
grep -q '"@aws-cdk/core:annotationsInValidationReport": true' node_modules/aws-cdk-lib/recommended-feature-flags.json || {
  echo "CHANGED: the flag is no longer recommended" >&2
  exit 1
}
if [ "$got" != "$want" ]; then
  echo "CHANGED: expected" >&2
  echo "$want" >&2
  exit 1
fi
