#!/usr/bin/env bash
# ministack 1.5.33, event source mapping of a queue with ReportBatchItemFailures.
#
# AWS (Lambda Developer Guide, "Handling errors for an SQS event source in Lambda") says which answers
# are a complete success: an empty list, a null list, an empty or a null answer. And which are a
# complete failure: an exception, an itemIdentifier that is empty or null, or one under a wrong name.
# ministack has a null list the wrong way round: the whole batch comes again and again, or goes to the
# dead-letter queue. A function in Go is the one that meets it: a slice that nothing was added to is
# null in JSON, so that events.SQSEventResponse{}, "nothing failed", fails everything here, and only
# here. What fails everything on AWS is, on the other hand, taken for success, and the messages are gone.
#
# Expected: kept 0 for empty list, null list, null answer; kept 3 for the rest but "one failed"
# Seen on 30 November 2026, of three messages:
#   one failed: kept 1
#   empty list: kept 0
#   null list: kept 3
#   null answer: kept 0
#   empty identifier: kept 0
#   null identifier: kept 0
#   misspelt key: kept 0
set -euo pipefail

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check ministack==1.5.33 boto3==1.43.106
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
env GATEWAY_PORT="$port" BIND_HOST=127.0.0.1 TMPDIR="$work" STATE_DIR="$work/state" timeout 300 venv/bin/ministack >log 2>&1 &
server=$!
cat > ask.py <<'PY'
import io, sys, time, zipfile

import boto3

at = dict(endpoint_url=f"http://127.0.0.1:{sys.argv[1]}", region_name="us-west-2", aws_access_key_id="a", aws_secret_access_key="b")
functions, sqs = boto3.client("lambda", **at), boto3.client("sqs", **at)
ANSWERS = {
    "one failed": "{'batchItemFailures': [{'itemIdentifier': event['Records'][1]['messageId']}]}",
    "empty list": "{'batchItemFailures': []}",
    "null list": "{'batchItemFailures': None}",
    "null answer": "None",
    "empty identifier": "{'batchItemFailures': [{'itemIdentifier': ''}]}",
    "null identifier": "{'batchItemFailures': [{'itemIdentifier': None}]}",
    "misspelt key": "{'batchItemFailures': [{'itemIdentifer': event['Records'][1]['messageId']}]}",
}
for _ in range(100):
    try:
        sqs.list_queues()
        break
    except Exception:
        time.sleep(0.2)
queues = {}
for i, (name, answer) in enumerate(ANSWERS.items()):
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as z:
        z.writestr("main.py", f"def handler(event, context):\n    return {answer}\n")
    functions.create_function(FunctionName=f"f{i}", Runtime="python3.12", Role="arn:aws:iam::000000000000:role/r", Handler="main.handler",
                              Code={"ZipFile": code.getvalue()}, Timeout=10)
    queues[name] = url = sqs.create_queue(QueueName=f"q{i}", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(3)])
    functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=f"f{i}", BatchSize=10,
                                          FunctionResponseTypes=["ReportBatchItemFailures"])


def count(url, which):
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"][which])


# A message that nobody received is visible; one that was kept after a run is in flight for the next ten minutes.
before = None
for _ in range(20):
    waiting = sum(count(url, "ApproximateNumberOfMessages") for url in queues.values())
    kept = {name: count(url, "ApproximateNumberOfMessagesNotVisible") for name, url in queues.items()}
    # Each mapping has run, and none still does.
    if waiting == 0 and kept == before:
        break
    before = kept
    time.sleep(5)
for name, n in kept.items():
    print(f"{name}: kept {n}")
PY
seen=$(venv/bin/python ask.py "$port")
echo "$seen"
want="one failed: kept 1
empty list: kept 0
null list: kept 3
null answer: kept 0
empty identifier: kept 0
null identifier: kept 0
misspelt key: kept 0"
test "$seen" = "$want" || { echo "CHANGED: expected" >&2; echo "$want" >&2; exit 1; }
