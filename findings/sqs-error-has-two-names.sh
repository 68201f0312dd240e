#!/usr/bin/env bash
# What one answer of Amazon SQS is called, in the AWS CLI (PyPI awscli 1.46.3), boto3 1.44.8 and the
# SDK for JavaScript (npm @aws-sdk/client-sqs 3.1162.0).
#
# SQS has spoken JSON since 2023, and names its errors there as its model does: QueueDoesNotExist.
# Beside it, in the header x-amzn-query-error, it sends what the query protocol called them. The AWS
# CLI and boto3 print that one as the code, though the exception's class has the other name; the SDK
# for JavaScript prints the class's name and hides the old code in a field. So a script that looks for
# QueueDoesNotExist in what the AWS CLI prints, or compares boto3's Error.Code with the class that it
# may catch, never finds it, and a rule for logs needs both names. (CloudWatch's model now asks for
# the same.)
#
# Expected:                        one name, the model's
# Seen on 30 November 2026:
#   aws sqs get-queue-url          (AWS.SimpleQueueService.NonExistentQueue)
#   boto3, class and Error.Code    QueueDoesNotExist, AWS.SimpleQueueService.NonExistentQueue
#   JavaScript, name and printed   QueueDoesNotExist, QueueDoesNotExist: …
# Nothing leaves this machine but what installs the packages.
set -euo pipefail

work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
for p in awscli==1.46.3 boto3==1.44.8; do
	python3 -m venv "venv-${p%%=*}"
	"venv-${p%%=*}/bin/pip" install --quiet --disable-pip-version-check "$p"
done
npm install --silent --no-fund --no-audit @aws-sdk/client-sqs@3.1162.0 >/dev/null

cat >server.py <<'PY'
import http.server
class SQS(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}'
        self.send_response(400)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SQS)
print(server.server_address[1], flush=True)
server.serve_forever()
PY
python3 server.py >port &
server=$!
for _ in $(seq 100); do test -s port && break; sleep 0.1; done
URL=http://127.0.0.1:$(cat port)
export URL AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=example AWS_DEFAULT_REGION=eu-west-1 AWS_REGION=eu-west-1

{
	venv-awscli/bin/aws sqs get-queue-url --queue-name shop --endpoint-url "$URL" 2>&1 | sed -n 's/.*error occurred (\([^)]*\)).*/aws: \1/p' || true
	venv-boto3/bin/python - <<'PY'
import boto3, os
try:
    boto3.client("sqs", endpoint_url=os.environ["URL"]).get_queue_url(QueueName="shop")
except Exception as e:
    print("boto3:", type(e).__name__, e.response["Error"]["Code"])
PY
	node --no-warnings -e '
const {SQSClient, GetQueueUrlCommand} = require("@aws-sdk/client-sqs");
new SQSClient({endpoint: process.env.URL}).send(new GetQueueUrlCommand({QueueName: "shop"}))
  .catch(e => console.log("javascript:", e.name, String(e).split(" ")[0]));'
} | tee seen

diff seen - <<'OUT'
aws: AWS.SimpleQueueService.NonExistentQueue
boto3: QueueDoesNotExist AWS.SimpleQueueService.NonExistentQueue
javascript: QueueDoesNotExist QueueDoesNotExist:
OUT
