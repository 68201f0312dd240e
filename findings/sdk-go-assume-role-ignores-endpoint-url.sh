#!/usr/bin/env bash
# AWS SDK for Go v2, config v1.33.18: AWS_ENDPOINT_URL and a profile with role_arn.
#
# AWS_ENDPOINT_URL (and endpoint_url of a profile) is the endpoint of all services. Calls made with a
# client heed it. But the AssumeRole with which the default credentials take on a profile's role does
# not: signed with the source profile's keys, it goes to AWS itself, though everything was to go to an
# emulator. AWS_ENDPOINT_URL_STS, for that one service, is heeded there, too.
#
# Expected:                          AssumeRole at the endpoint, whichever variable names it
# Seen on 29 November 2026:
#   AWS_ENDPOINT_URL, plain keys     GetCallerIdentity at the endpoint
#   AWS_ENDPOINT_URL, role           nothing at the endpoint; AssumeRole to sts.eu-west-1.amazonaws.com
#   endpoint_url, role               the same
#   AWS_ENDPOINT_URL_STS, role       AssumeRole at the endpoint
# Nothing leaves this machine: what is not for 127.0.0.1 goes to a proxy that is not there.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const profiles = `[profile keys]
region = eu-west-1
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = example
[profile role]
region = eu-west-1
role_arn = arn:aws:iam::111122223333:role/x
source_profile = keys
[profile url]
region = eu-west-1
role_arn = arn:aws:iam::111122223333:role/x
source_profile = keys
endpoint_url = URL
`

func main() {
	asked := ""
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	url := "http://" + l.Addr().String()
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		asked += " " + r.Form.Get("Action")
		w.WriteHeader(403)
	}))
	for k, v := range map[string]string{"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED": "true", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""} {
		os.Setenv(k, v)
	}
	if err := os.WriteFile("config", []byte(strings.ReplaceAll(profiles, "URL", url)), 0o600); err != nil {
		panic(err)
	}
	changed := false
	for _, row := range []struct{ profile, variable, at, elsewhere string }{
		{"keys", "AWS_ENDPOINT_URL", " GetCallerIdentity", ""},
		{"role", "AWS_ENDPOINT_URL", "", "https://sts.eu-west-1.amazonaws.com/"},
		{"url", "", "", "https://sts.eu-west-1.amazonaws.com/"},
		{"role", "AWS_ENDPOINT_URL_STS", " AssumeRole", ""},
	} {
		os.Setenv("AWS_PROFILE", row.profile)
		os.Unsetenv("AWS_ENDPOINT_URL")
		if row.variable != "" {
			os.Setenv(row.variable, url)
		}
		asked = ""
		cfg, err := config.LoadDefaultConfig(context.Background(), config.WithRetryMaxAttempts(1))
		if err != nil {
			panic(err)
		}
		_, err = sts.NewFromConfig(cfg).GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})
		fmt.Printf("%-22s %-5s at the endpoint:%s\n    %v\n", row.variable, row.profile, asked, err)
		if asked != row.at || err == nil || !strings.Contains(err.Error(), row.elsewhere) {
			changed = true
		}
	}
	if changed {
		fmt.Println("this has changed")
		os.Exit(1)
	}
}
GO
go mod init example.com/finding >/dev/null 2>&1
go get github.com/aws/aws-sdk-go-v2/config@v1.33.18 github.com/aws/aws-sdk-go-v2/service/sts@v1.52.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
env -u AWS_PROFILE -u AWS_REGION -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN go run .
