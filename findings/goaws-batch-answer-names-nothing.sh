#!/usr/bin/env bash
# goaws 0.5.4 (Go module github.com/Admiral-Piett/goaws, an emulator of SQS), SendMessageBatch in the
# JSON protocol, which each AWS SDK of today speaks.
#
# The entries are answered under the XML protocol's name, SendMessageBatchResultEntry. SQS's model has
# them under Successful and Failed, both required, and no SDK says that both are missing: boto3 gives
# an answer with neither, the SDK for Go (v1.53.0) one with two empty lists. So who counts what succeeded sends
# everything twice, and who looks only at what failed never learns that nothing was told.
# DeleteMessageBatch of the same version answers by the right names.
# The batch drops DelaySeconds of each entry, too; SendMessage heeds it.
#
# Expected: successful 0 1, failed none; the delayed one is not received at once
# Seen on 30 November 2026:
#   boto3, send batch: Successful missing, Failed missing
#   received at once: now, in a minute
#   boto3, delete batch: Successful 0 1
#   sent alone with a delay, received at once: nothing
set -euo pipefail

dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
GOBIN="$dir/bin" go install github.com/Admiral-Piett/goaws/app/cmd@v0.5.4 2>go.log || { cat go.log >&2; exit 2; }
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check boto3==1.43.106
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > goaws.yaml <<YAML
Local:
  Host: 127.0.0.1
  Port: $port
  Region: us-west-2
  AccountId: "111122223333"
YAML
timeout 300 bin/cmd -config goaws.yaml Local > goaws.log 2>&1 &
server=$!
cat > ask.py <<'PY'
import sys, time

import boto3

at = f"http://127.0.0.1:{sys.argv[1]}"
sqs = boto3.client("sqs", endpoint_url=at, region_name="us-west-2", aws_access_key_id="a", aws_secret_access_key="b")
for _ in range(50):
    try:
        sqs.create_queue(QueueName="builds")
        break
    except Exception:
        time.sleep(0.2)
queue = at + "/111122223333/builds"  # the URL that is answered has a host name that nobody resolves


def named(answer, key):
    return " ".join([key, *(e["Id"] for e in answer[key])]) if key in answer else key + " missing"


def received():
    return sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages", [])


sent = sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "0", "MessageBody": "now"},
                                                       {"Id": "1", "MessageBody": "in a minute", "DelaySeconds": 60}])
print("boto3, send batch:", named(sent, "Successful") + ",", named(sent, "Failed"))
got = received()
print("received at once:", ", ".join(m["Body"] for m in got))
gone = sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)])
print("boto3, delete batch:", named(gone, "Successful"))
sqs.send_message(QueueUrl=queue, MessageBody="alone", DelaySeconds=60)
print("sent alone with a delay, received at once:", ", ".join(m["Body"] for m in received()) or "nothing")
PY
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
seen=$(venv/bin/python ask.py "$port")
echo "$seen"
want="boto3, send batch: Successful missing, Failed missing
received at once: now, in a minute
boto3, delete batch: Successful 0 1
sent alone with a delay, received at once: nothing"
test "$seen" = "$want" || { echo "CHANGED: expected" >&2; echo "$want" >&2; exit 1; }
