#!/usr/bin/env bash
# The exit status of gdal_translate (Debian 12, gdal-bin 3.6.2) and of s3 (Debian
# 12, libs3-2 2.0-4) after S3 has refused what they write.
#
# gdal_translate writes to /vsis3/BUCKET/KEY at the end, when it closes the file, and nobody looks at
# what closing said: "ERROR 1: DoSinglePartPUT of … failed", without S3's message, and exit status 0.
# s3, the command of libs3, prints the whole refusal, and has no other exit status than 0 for what S3
# answered, whether it puts, gets or lists. So a build that publishes with one of them is green, and
# what it did not publish is missed later, by somebody else. Both fail as they should where the local
# file is missing.
#
# Expected:                                   another exit status than 0
# Seen on 1 December 2026:
#   gdal_translate, PUT answered with 403     0
#   s3 put, 403                               0
#   s3 get, 403                               0
#   gdal_translate, s3 put without the file   1, 255
# It needs Debian 12, and installs nothing: the packages are unpacked in a temporary folder, but for
# gdal-bin, which must be there. Nothing leaves this machine but what fetches the package.
set -euo pipefail

work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
chmod 755 .
gdal_translate --version | grep -q '^GDAL 3\.6\.2,' || { echo "NOT CHECKED: apt-get install gdal-bin, 3.6.2"; exit 1; }
apt-get download -qq libs3-2=2.0-4 2>/dev/null
dpkg -x libs3-2_2.0-4_*.deb root

cat >server.py <<'PY'
import http.server
class S3(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        if self.headers.get("Expect"):
            self.close_connection = True
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", "0" if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    do_GET = do_HEAD = do_PUT = do_POST = answer
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), S3)
print(server.server_address[1], flush=True)
server.serve_forever()
PY
python3 server.py >port &
server=$!
for _ in $(seq 100); do test -s port && break; sleep 0.1; done

printf 'ncols 2\nnrows 2\nxllcorner 0\nyllcorner 0\ncellsize 1\n1 2\n3 4\n' >small.asc
export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=example AWS_REGION=eu-west-1
export AWS_S3_ENDPOINT=127.0.0.1:$(cat port) AWS_HTTPS=NO AWS_VIRTUAL_HOSTING=FALSE
export S3_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID S3_SECRET_ACCESS_KEY=example S3_HOSTNAME=$AWS_S3_ENDPOINT
s3=$(find root -type f -name s3 -path '*/bin/*')
export LD_LIBRARY_PATH=$(dirname "$(find "$PWD/root" -name 'libs3.so*' | head -1)")
try() {
	local name=$1 status=0
	shift
	"$@" >out 2>&1 || status=$?
	echo "$name: exit $status, $(grep -ciE 'error|denied' out >/dev/null && echo an error is printed || echo nothing is printed)"
}
{
	try "gdal_translate refused" gdal_translate -q -of PNG small.asc /vsis3/shop-data/small.png
	try "s3 put refused" "$s3" -u put shop-site/f.txt filename=small.asc
	try "s3 get refused" "$s3" -u get shop-site/f.txt filename=got
	try "gdal_translate of no file" gdal_translate -q none.asc /vsis3/shop-data/small.png
	try "s3 put of no file" "$s3" -u put shop-site/f.txt filename=none
} | tee seen

diff seen - <<'OUT'
gdal_translate refused: exit 0, an error is printed
s3 put refused: exit 0, an error is printed
s3 get refused: exit 0, an error is printed
gdal_translate of no file: exit 1, an error is printed
s3 put of no file: exit 255, an error is printed
OUT
