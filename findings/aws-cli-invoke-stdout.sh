#!/usr/bin/env bash
# AWS CLI 1.46.3 (PyPI awscli), aws lambda invoke ... /dev/stdout.
#
# Many examples print a function's answer by giving /dev/stdout as the output file. On a terminal and
# in a pipe that works. Where standard output is a file, the command opens that file a second time and
# truncates it: with > the answer and the status that follows overwrite each other, and with >> all that
# was in the file before is gone, too. The exit code is 0. (Version 2.9.19 of Debian 12 does the same with >.)
# Through a pipe the answer stays whole: aws lambda invoke ... /dev/stdout | cat > file.
#
# Expected, and what a pipe gives:  {"answer":"of the function"}{ "StatusCode": 200 }
# Seen on 29 November 2026 with >:  { "StatusCode": 200 } and the last bytes of the answer, if it is longer
# Seen with >>:                     the line that was in the file before is not there any more
set -euo pipefail

dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check awscli==1.46.3

cat > function.py <<'PY'
import http.server
import os

class Function(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b'{"answer":"of the function, which is longer than the status"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Function)
open("port.new", "w").write(str(server.server_port))
os.rename("port.new", "port")
server.timeout = 60
for _ in range(3):
    server.handle_request()
PY
python3 function.py &
server=$!
for _ in $(seq 100); do [ -e port ] && break; sleep 0.1; done

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE="$dir/none" AWS_SHARED_CREDENTIALS_FILE="$dir/none"
invoke() { venv/bin/aws --endpoint-url "http://127.0.0.1:$(cat port)" lambda invoke --function-name f /dev/stdout; }

whole='{"answer":"of the function, which is longer than the status"}'
invoke | cat > piped
invoke > direct
echo "an earlier line" > appended
invoke >> appended
for f in piped direct appended; do echo "== $f"; cat "$f"; echo; done

grep -qF "$whole" piped || { echo "CHANGED: the answer is not whole even through a pipe"; exit 1; }
if grep -qF "$whole" direct; then echo "CHANGED: with > the answer is whole"; exit 1; fi
if grep -q "an earlier line" appended; then echo "CHANGED: with >> the earlier line is kept"; exit 1; fi
echo "as described"
