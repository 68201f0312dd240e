#!/usr/bin/env bash
# moto 5.2.5 (server mode), beside github.com/aws/aws-sdk-go-v2/service/codecommit v1.44.7 and boto3 1.44.8.
#
# CodeCommit speaks JSON 1.1, where a time is a number: seconds since 1970. moto answers GetRepository
# with times as text, in ISO 8601. botocore reads either, so that moto's own users never see it. The SDK
# for Go reads numbers alone and gives the whole answer up: whoever tests a program in Go against moto
# gets an error of deserialization for a repository that is there, and the right error, typed, for one
# that is not. Of the other calls about branches, commits and pull requests moto has none: each is
# answered by status 500 and a page of HTML, and not by an error of the service's.
#
# Expected: both SDKs read the repository that was made
# Seen on 30 November 2026:
#   boto3: shop
#   go, a repository that is there: ... deserialization failed, unexpected string value for float: 2026-…Z
#   go, one that is not: RepositoryDoesNotExistException
#   GetBranch: 500 text/html
set -euo pipefail

dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[server]==5.2.5' boto3==1.44.8 botocore==1.44.8 2> pip.log ||
	{ cat pip.log >&2; exit 2; }

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/moto_server -H 127.0.0.1 -p "$port" > server.log 2>&1 &
server=$!
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1 ENDPOINT="http://127.0.0.1:$port"
for _ in $(seq 60); do
	curl -s -o /dev/null "$ENDPOINT/moto-api/" && break
	sleep 0.5
done

cat > there.py <<'PY'
import os, boto3
c = boto3.client("codecommit", endpoint_url=os.environ["ENDPOINT"])
c.create_repository(repositoryName="shop")
print(c.get_repository(repositoryName="shop")["repositoryMetadata"]["repositoryName"])
PY
python=$(venv/bin/python there.py)
echo "boto3: $python"

mkdir app && cd app
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
)

func main() {
	c := codecommit.New(codecommit.Options{Region: "eu-west-1", BaseEndpoint: aws.String(os.Getenv("ENDPOINT")),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		})})
	_, err := c.GetRepository(context.Background(), &codecommit.GetRepositoryInput{RepositoryName: &os.Args[1]})
	fmt.Println(err)
}
GO
go mod init example.com/finding > ../go.log 2>&1
go get "github.com/aws/aws-sdk-go-v2/service/codecommit@v1.44.7" >> ../go.log 2>&1 || { cat ../go.log >&2; exit 2; }
go mod tidy >> ../go.log 2>&1 || { cat ../go.log >&2; exit 2; }
there=$(go run . shop)
gone=$(go run . none)
echo "go, a repository that is there: $there"
echo "go, one that is not: $gone"
branch=$(curl -s -o /dev/null -w '%{http_code} %{content_type}' -X POST "$ENDPOINT/" -H 'X-Amz-Target: CodeCommit_20150413.GetBranch' \
	-H 'Content-Type: application/x-amz-json-1.1' -d '{"repositoryName":"shop","branchName":"main"}' \
	-H 'Authorization: AWS4-HMAC-SHA256 Credential=test/20261130/eu-west-1/codecommit/aws4_request, SignedHeaders=host, Signature=x')
echo "GetBranch: $branch"

[ "$python" = shop ] || { echo "CHANGED: boto3 does not read it"; exit 1; }
[[ $there == *"unexpected string value for float"* ]] || { echo "CHANGED: the SDK for Go says otherwise"; exit 1; }
[[ $gone == *RepositoryDoesNotExistException* ]] || { echo "CHANGED: a repository that is not there is answered otherwise"; exit 1; }
[[ $branch == 500* ]] || { echo "CHANGED: GetBranch is answered otherwise"; exit 1; }
echo "as described"
