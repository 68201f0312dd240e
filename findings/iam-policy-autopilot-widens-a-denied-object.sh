#!/usr/bin/env bash
# iam-policy-autopilot 0.3.0, the tool of AWS Labs that proposes a policy for a refusal that is pasted into it.
#
# AWS's message names the one object that was refused. What is proposed, and written with --yes, is each object
# of its bucket: whatever follows the first slash becomes a star, in each partition, and only for S3. A
# parameter, a secret, a log stream, an alias of a function are proposed as they were refused. The plan prints
# the widened resource under "Resource", without a word that it is not the refused one. The statement that it
# offers for a refusal by a bucket's own policy is widened in the same way and has no principal, without which
# S3 takes no statement.
#
# Expected: the resource of the message
# Seen on 30 November 2026:
#   s3:GetObject of shop/config/prod.json -> arn:aws:s3:::shop/*
#   s3:GetObject of aws-cn                -> arn:aws-cn:s3:::shop/*
#   ssm:GetParameter of /shop/db          -> arn:aws:ssm:eu-west-1:111122223333:parameter/shop/db
#   by the bucket's policy                -> arn:aws:s3:::shop/*, no Principal
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check iam-policy-autopilot==0.3.0 2> pip.log || { cat pip.log >&2; exit 2; }
export HOME="$dir" DISABLE_IAM_POLICY_AUTOPILOT_TELEMETRY=true

# plan ACTION RESOURCE WHY prints what is proposed for a refusal. Nothing is applied without --yes.
plan() {
	printf 'User: arn:aws:sts::111122223333:assumed-role/shop/session is not authorized to perform: %s on resource: %s %s\n' "$@" |
		venv/bin/iam-policy-autopilot fix-access-denied 2>&1 || true
}
none() { echo "because no identity-based policy allows the $1 action"; }
resource() { sed -n 's/^ *Resource: *//p'; }

object=$(plan s3:GetObject arn:aws:s3:::shop/config/prod.json "$(none s3:GetObject)" | resource)
china=$(plan s3:GetObject arn:aws-cn:s3:::shop/config/prod.json "$(none s3:GetObject)" | resource)
parameter=$(plan ssm:GetParameter arn:aws:ssm:eu-west-1:111122223333:parameter/shop/db "$(none ssm:GetParameter)" | resource)
plan s3:GetObject arn:aws:s3:::shop/config/prod.json "because no resource-based policy allows the s3:GetObject action" > bucket
echo "s3:GetObject of shop/config/prod.json -> $object"
echo "s3:GetObject of aws-cn                -> $china"
echo "ssm:GetParameter of /shop/db          -> $parameter"
principal=$(grep -c '"Principal"' bucket || true)
echo "by the bucket's policy                -> $(resource < bucket | head -1), $principal times Principal"

test "$object" = 'arn:aws:s3:::shop/*'
test "$china" = 'arn:aws-cn:s3:::shop/*'
test "$parameter" = arn:aws:ssm:eu-west-1:111122223333:parameter/shop/db
grep -qF '"Resource": "arn:aws:s3:::shop/*"' bucket && test "$principal" = 0
