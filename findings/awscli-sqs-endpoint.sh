#!/usr/bin/env bash
# The AWS CLI, version 1 (PyPI awscli 1.46.3): in most regions `aws sqs` heeds
# neither AWS_ENDPOINT_URL nor AWS_ENDPOINT_URL_SQS, which all other services
# heed. It calls REGION.queue.amazonaws.com: a script that is pointed to an
# emulator by the environment sends its SQS calls to the real AWS. (Its
# customization overridesslcommonname sets a host of its own unless
# --endpoint-url is given.) The option helps, and so does a region that the
# customization does not list, such as il-central-1.
#
# Output seen:
#   sns, us-west-2: here
#   sqs, us-west-2: CONNECT us-west-2.queue.amazonaws.com:443
#   sqs, us-west-2, --endpoint-url: here
#   sqs, il-central-1: here
#
# Nothing leaves the machine: the script is its own proxy, which refuses.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check awscli==1.46.3

cat >"$work/server.py" <<'PY'
import http.server, sys
class Recorder(http.server.BaseHTTPRequestHandler):
    def answer(self):
        with open(sys.argv[1], "a") as f:
            f.write(f"{self.command} {self.path}\n")
        self.send_response(400 if self.command == "POST" else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_CONNECT = do_POST = answer
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
print(server.server_address[1], flush=True)
server.serve_forever()
PY
python3 "$work/server.py" "$work/calls" >"$work/port" &
server=$!
for _ in $(seq 50); do test -s "$work/port" && break; sleep 0.1; done
here=http://127.0.0.1:$(cat "$work/port")

# where LABEL COMMAND…: what the recorder got of it
where() {
  local label=$1; shift
  : >"$work/calls"
  env -i PATH="$PATH" HOME="$work" AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=1 \
    AWS_ENDPOINT_URL="$here" AWS_ENDPOINT_URL_SQS="$here" HTTPS_PROXY="$here" NO_PROXY=127.0.0.1 \
    timeout 60 "$work/venv/bin/aws" "$@" >/dev/null 2>&1 || true
  case $(head -1 "$work/calls") in
  'POST /') echo "$label: here" ;;
  *) echo "$label: $(head -1 "$work/calls")" ;;
  esac
}
seen=$(
  where 'sns, us-west-2' sns list-topics --region us-west-2
  where 'sqs, us-west-2' sqs list-queues --region us-west-2
  where 'sqs, us-west-2, --endpoint-url' sqs list-queues --region us-west-2 --endpoint-url "$here"
  where 'sqs, il-central-1' sqs list-queues --region il-central-1
)
echo "$seen"
want='sns, us-west-2: here
sqs, us-west-2: CONNECT us-west-2.queue.amazonaws.com:443
sqs, us-west-2, --endpoint-url: here
sqs, il-central-1: here'
test "$seen" = "$want" || { echo "CHANGED: expected" >&2; echo "$want" >&2; exit 1; }
