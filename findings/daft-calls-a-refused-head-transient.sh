#!/usr/bin/env bash
# What Daft (PyPI daft 0.7.26) says of an object of S3 that it may not read.
#
# It asks for the object's size by a HEAD. S3 refuses that with 403 and, as for every HEAD, without a
# body, so the AWS SDK for Rust knows no code. What it does know is the status; Daft drops it and
# raises MiscTransientError, "Misc Transient error trying to read path". A listing that S3 refuses,
# whose answer has a body, is a DaftCoreException with the whole message. So a permission that is
# missing for good is called transient, by name and in words: whoever starts again what is transient
# starts this one for ever, and the log has neither 403 nor "denied" nor "forbidden".
#
# Expected:                     what names the refusal, or at least the status 403
# Seen on 1 December 2026:
#   HEAD answered with 403      MiscTransientError, no 403, nothing of denied or forbidden
#   GET (a listing), 403        DaftCoreException, AccessDenied
# Nothing leaves this machine but what installs the package.
set -euo pipefail

work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check daft==0.7.26

cat >server.py <<'PY'
import http.server
class S3(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", "0" if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    do_GET = do_HEAD = answer
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), S3)
print(server.server_address[1], flush=True)
server.serve_forever()
PY
python3 server.py >port &
server=$!
for _ in $(seq 100); do test -s port && break; sleep 0.1; done

cat >read.py <<'PY'
import sys
import daft
from daft.io import IOConfig, S3Config
conf = IOConfig(s3=S3Config(endpoint_url="http://127.0.0.1:" + sys.argv[1], region_name="eu-west-1",
                            key_id="AKIAIOSFODNN7EXAMPLE", access_key="example", num_tries=1))
for path in "s3://shop-data/orders/a.parquet", "s3://shop-data/orders/*.parquet":
    try:
        daft.read_parquet(path, io_config=conf).count_rows()
        print("nothing", path)
    except Exception as e:
        text = str(e).lower()
        print(type(e).__name__, "says" if any(w in text for w in ("403", "denied", "forbidden")) else "does not say", "that it was refused")
PY
DO_NOT_TRACK=true DAFT_ANALYTICS_ENABLED=0 venv/bin/python read.py "$(cat port)" 2>/dev/null | tee seen

diff seen - <<'OUT'
MiscTransientError does not say that it was refused
DaftCoreException says that it was refused
OUT
