#!/usr/bin/env bash
# PyPI trailscraper 0.10.0, `trailscraper generate`, makes a policy of CloudTrail events "that allows
# the events passed in". It looks at no errorCode, so a call that IAM refused becomes a permission
# like one that was made: whoever narrows a role with it gives what somebody tried in vain. It also
# cuts every digit off the end of an event's name, though actions such as kafka:CreateClusterV2 end
# in one, and takes s3 PutBucketReplication for s3:DeleteReplicationConfiguration. Neither
# kafka:CreateClusterV nor that is an action of the Service Authorization Reference, and the calls
# need kafka:CreateClusterV2 and s3:PutReplicationConfiguration.
#
# Expected: ecr:PutImage kafka:CreateClusterV2 lambda:GetFunction s3:PutReplicationConfiguration
# Seen:     ecr:DeleteRepository ecr:PutImage kafka:CreateClusterV lambda:GetFunction s3:DeleteReplicationConfiguration
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check trailscraper==0.10.0
event() { # service, name, more
  printf '{"eventVersion": "1.11", "eventTime": "2026-11-22T10:00:00Z", "eventSource": "%s.amazonaws.com", "eventName": "%s",
    "awsRegion": "eu-west-1", "userIdentity": {"type": "AssumedRole"}%s}' "$1" "$2" "${3-}"
}
cat >events.json <<JSON
{"Records": [
$(event ecr PutImage ', "resources": [{"ARN": "arn:aws:ecr:eu-west-1:111122223333:repository/shop", "accountId": "111122223333"}]'),
$(event ecr DeleteRepository ', "errorCode": "AccessDeniedException", "errorMessage": "User: arn:aws:sts::111122223333:assumed-role/r/s is
 not authorized to perform: ecr:DeleteRepository"' | tr -d '\n'),
$(event lambda GetFunction20150331v2),
$(event kafka CreateClusterV2),
$(event s3 PutBucketReplication)
]}
JSON
got=$(v/bin/trailscraper generate <events.json | python3 -c '
import json, sys
print(*sorted(a for s in json.load(sys.stdin)["Statement"] for a in s["Action"]))')
echo "$got"
want='ecr:DeleteRepository ecr:PutImage kafka:CreateClusterV lambda:GetFunction s3:DeleteReplicationConfiguration'
[ "$got" = "$want" ] || { echo "it changed: see the header for what was seen" >&2; exit 1; }
