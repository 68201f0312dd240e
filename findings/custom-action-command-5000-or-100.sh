#!/usr/bin/env bash
# AWS::Chatbot::CustomAction, Definition.CommandText: CloudFormation's resource schema allows 5000
# characters, the service's own API model 100 (PyPI botocore 1.43.62, chatbot 2017-10-11,
# CustomActionDefinition$CommandText; the API reference says 100, too). PyPI cfn-lint 1.51.0, which
# carries the schema, passes a template with a command of 200 characters without a word, so nothing
# before the deployment tells that the two disagree. Which of them the service enforces was not
# tried; 100 is safe under both.
#
# Expected: cfn-lint refuses the template, as the API's model does.
# Seen:     botocore: CommandText 1 to 100 characters
#           cfn-lint: 200 characters pass
#           cfn-lint: 5001 characters: it is longer than 5000
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check cfn-lint==1.51.0 botocore==1.43.62
venv/bin/python - <<'PY' >got
import json, subprocess
import botocore.session

text = botocore.session.get_session().get_service_model("chatbot").shape_for("CustomActionDefinition").members["CommandText"]
print("botocore: CommandText %(min)d to %(max)d characters" % text.metadata)
for n in (200, 5001):
    template = {"Resources": {"Action": {"Type": "AWS::Chatbot::CustomAction",
                "Properties": {"ActionName": "a", "Definition": {"CommandText": "x" * n}}}}}
    with open("template.json", "w") as f:
        json.dump(template, f)
    out = subprocess.run(["venv/bin/cfn-lint", "--format", "json", "--non-zero-exit-code", "none", "template.json"],
                         capture_output=True, text=True, check=True).stdout
    found = [m["Message"] for m in json.loads(out)]
    print("cfn-lint: %d characters%s" % (n, " pass" if not found else ": " + "it" + found[0][found[0].rindex(" is longer"):]))
PY
cat got
want='botocore: CommandText 1 to 100 characters
cfn-lint: 200 characters pass
cfn-lint: 5001 characters: it is longer than 5000'
[ "$(cat got)" = "$want" ] || { echo "it changed: see the header for what was seen" >&2; exit 1; }
