#!/usr/bin/env bash
# moto 5.2.5 (server mode), CodeBuild.
#
# To look at a build ends it well. StopBuild answers STOPPED; the first BatchGetBuilds after it says
# SUCCEEDED, and so does each one that follows. (The call that reads a build sets its status, whatever
# it was, and adds the phases of a whole run to those that it has, at each read.) So a test against moto
# of what happens to a stopped build passes or fails by whether anybody has read the build before, and
# whoever looks for the first phase of a kind, or counts phases, gets more of them each time. buildComplete
# stays false throughout: a waiter that asks for it, as AWS's documents have it ("Whether the build is
# complete"), never ends.
#
# Expected: STOPPED, the same phases, buildComplete true, at each read
# Seen on 30 November 2026:
#   stop: STOPPED, 11 phases
#   read: SUCCEEDED, 20 phases, complete False
#   read: SUCCEEDED, 29 phases, complete False
set -euo pipefail

dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check 'moto[server]==5.2.5' boto3==1.43.106
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
timeout 300 venv/bin/moto_server -H 127.0.0.1 -p "$port" >log 2>&1 &
server=$!
cat > ask.py <<'PY'
import sys, time

import boto3

codebuild = boto3.client("codebuild", endpoint_url=f"http://127.0.0.1:{sys.argv[1]}", region_name="us-west-2",
                         aws_access_key_id="a", aws_secret_access_key="b")
for _ in range(100):
    try:
        codebuild.list_projects()
        break
    except Exception:
        time.sleep(0.2)
codebuild.create_project(name="shop", serviceRole="arn:aws:iam::123456789012:role/shop", artifacts={"type": "NO_ARTIFACTS"},
                         source={"type": "S3", "location": "sources/shop.zip"},
                         environment={"type": "LINUX_CONTAINER", "image": "shop", "computeType": "BUILD_GENERAL1_SMALL"})
build = codebuild.start_build(projectName="shop")["build"]["id"]
stopped = codebuild.stop_build(id=build)["build"]
print(f"stop: {stopped['buildStatus']}, {len(stopped['phases'])} phases")
for _ in range(2):
    read = codebuild.batch_get_builds(ids=[build])["builds"][0]
    print(f"read: {read['buildStatus']}, {len(read['phases'])} phases, complete {read['buildComplete']}")
PY
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
seen=$(venv/bin/python ask.py "$port")
echo "$seen"
want="stop: STOPPED, 11 phases
read: SUCCEEDED, 20 phases, complete False
read: SUCCEEDED, 29 phases, complete False"
test "$seen" = "$want" || { echo "CHANGED: expected" >&2; echo "$want" >&2; exit 1; }
