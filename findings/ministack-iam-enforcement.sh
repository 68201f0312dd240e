#!/usr/bin/env bash
# ministack 1.5.33 with AUTH=true judges two calls by another resource than AWS
# documents, so that a least-privilege role which works on AWS is refused;
# lets one delivery through that AWS refuses; and lacks one operation of IAM:
#
# * logs:GetLogEvents: AWS's service reference gives it the resource type
#   log-stream; ministack asks for the log group's ARN.
# * iam:SimulatePrincipalPolicy: AWS's has user, group and role; ministack asks
#   for all resources.
# * EventBridge to SQS: AWS asks the queue's policy; ministack delivers to a
#   queue that has none.
# * iam:SetDefaultPolicyVersion: without it, and with CreatePolicyVersion only, no
#   earlier version of a managed policy can be made the default again.
#
# Output seen:
#   GetLogEvents, allowed on the stream: refused on arn:aws:logs:us-west-2:111122223333:log-group:/builds
#   SimulatePrincipalPolicy, allowed on the role: AccessDenied
#   SimulatePrincipalPolicy, allowed on *: answered
#   EventBridge to a queue without a policy: delivered
#   SetDefaultPolicyVersion: Unknown IAM action: SetDefaultPolicyVersion
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ministack==1.5.33 awscli==1.46.3
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
account=111122223333
export AWS_ACCESS_KEY_ID=$account AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-west-2 AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=1
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
unset AWS_SESSION_TOKEN AWS_PROFILE
(cd "$work" && exec env GATEWAY_PORT="$port" BIND_HOST=127.0.0.1 AUTH=true TMPDIR="$work" STATE_DIR="$work/state" MINISTACK_ACCOUNT_ID=$account \
  MINISTACK_REGION=us-west-2 timeout 300 "$work/venv/bin/ministack") >"$work/log" 2>&1 &
server=$!
aws() { "$work/venv/bin/aws" --endpoint-url "http://127.0.0.1:$port" --output text "$@"; }
for _ in $(seq 100); do aws sts get-caller-identity >/dev/null 2>&1 && break; sleep 0.2; done

role=arn:aws:iam::$account:role/reader
stream=arn:aws:logs:us-west-2:$account:log-group:/builds:log-stream:one
aws iam create-role --role-name reader --assume-role-policy-document \
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}' >/dev/null
allow() { # RESOURCE of the simulator
  aws iam put-role-policy --role-name reader --policy-name own --policy-document \
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:GetLogEvents","Resource":"'$stream'"},
      {"Effect":"Allow","Action":"iam:SimulatePrincipalPolicy","Resource":"'"$1"'"}]}'
}
allow $role
aws logs create-log-group --log-group-name /builds
aws logs create-log-stream --log-group-name /builds --log-stream-name one
read -r key secret token <<<"$(aws sts assume-role --role-arn $role --role-session-name finding --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]')"
as_reader() { AWS_ACCESS_KEY_ID=$key AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$token aws "$@" 2>&1 || true; }
refused() { sed -n 's/.*on resource: "\{0,1\}\([^" ]*\).*/refused on \1/p' | head -1; }

queue=$(aws sqs create-queue --queue-name events --query QueueUrl)
aws events put-rule --name r --event-pattern '{"source":["finding"]}' >/dev/null
aws events put-targets --rule r --targets "Id=q,Arn=arn:aws:sqs:us-west-2:$account:events" >/dev/null
aws events put-events --entries '[{"Source":"finding","DetailType":"x","Detail":"{}"}]' >/dev/null
bodies=$(aws sqs receive-message --queue-url "$queue" --wait-time-seconds 3 --query 'Messages[].Body')

policy=$(aws iam create-policy --policy-name p --query Policy.Arn --policy-document \
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}')
default=$({ aws iam set-default-policy-version --policy-arn "$policy" --version-id v1 2>&1 || true; } | sed -n 's/.*\(Unknown IAM action.*\)/\1/p')

simulate() {
  case $(as_reader iam simulate-principal-policy --policy-source-arn $role --action-names s3:GetObject) in
  *AccessDenied*) echo AccessDenied ;;
  *implicitDeny*) echo answered ;;
  *) echo something else ;;
  esac
}
on_role=$(simulate)
allow '*'

seen="GetLogEvents, allowed on the stream: $(as_reader logs get-log-events --log-group-name /builds --log-stream-name one | refused)
SimulatePrincipalPolicy, allowed on the role: $on_role
SimulatePrincipalPolicy, allowed on *: $(simulate)
EventBridge to a queue without a policy: $(case $bodies in *'"source"'*) echo delivered ;; *) echo "not delivered" ;; esac)
SetDefaultPolicyVersion: $default"
echo "$seen"
want="GetLogEvents, allowed on the stream: refused on arn:aws:logs:us-west-2:$account:log-group:/builds
SimulatePrincipalPolicy, allowed on the role: AccessDenied
SimulatePrincipalPolicy, allowed on *: answered
EventBridge to a queue without a policy: delivered
SetDefaultPolicyVersion: Unknown IAM action: SetDefaultPolicyVersion"
test "$seen" = "$want" || { echo "CHANGED: expected" >&2; echo "$want" >&2; exit 1; }
