#!/usr/bin/env bash
# What Snakemake (PyPI snakemake 9.13.4, snakemake-storage-plugin-s3 0.3.6) says of a rule whose command
# succeeded and whose output S3 then refused to take.
#
# The rule's shell command ends with exit status 0; storing its output is answered with 403. Snakemake
# prints that once, in the middle, and then, below "Error in rule a:", repeats the command with the
# words "(command exited with non-zero exit code)", which is not so, and removes what the command has
# made. The last lines name no storage and no refusal. Whoever reads the end of the log, or gives it to
# a tool that does, looks for a fault in the command.
#
# Expected:                        words for what failed: the upload
# Seen on 1 December 2026:
#   the command's own exit status  0
#   what Snakemake says of it      (command exited with non-zero exit code)
#   the lines behind it            nothing of S3 but the output's name, nothing of a refusal
# Nothing leaves this machine but what installs the packages.
set -euo pipefail

work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check snakemake==9.13.4 snakemake-storage-plugin-s3==0.3.6

cat >server.py <<'PY'
import http.server
class S3(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0].strip("/")
        status, body = 200, b""
        if self.command == "GET":
            body = b"<ListBucketResult><Name>shop-data</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"
        elif "/" in path:  # an object: it is not there, and nobody may put it
            status, body = (404, b"") if self.command == "HEAD" else (403, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), S3)
print(server.server_address[1], flush=True)
server.serve_forever()
PY
python3 server.py >port &
server=$!
for _ in $(seq 100); do test -s port && break; sleep 0.1; done

cat >Snakefile <<SMK
storage:
    provider="s3",
    endpoint_url="http://127.0.0.1:$(cat port)",

rule a:
    output: storage.s3("s3://shop-data/out/a.txt")
    shell: "echo 1 > {output}; status=\$?; echo \$status > $work/status; exit \$status"
SMK
export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=example AWS_DEFAULT_REGION=eu-west-1 SNAKEMAKE_STORAGE_S3_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE SNAKEMAKE_STORAGE_S3_SECRET_KEY=example
end=0
venv/bin/snakemake --cores 1 --retries 0 a >out 2>&1 || end=$?
{
	echo "the command ended with $(cat status), Snakemake with $end"
	grep -c 'AccessDenied' out | sed 's/^/lines that name the refusal: /'
	grep -o '(command exited with non-zero exit code)' out
	sed -n '/^Error in rule a:/,$p' out | grep -qiE 'denied|forbidden|403|upload' && echo 'the end says why' || echo 'the end does not say why'
} | tee seen

diff seen - <<'OUT' || { cat out; exit 1; }
the command ended with 0, Snakemake with 1
lines that name the refusal: 1
(command exited with non-zero exit code)
the end does not say why
OUT
