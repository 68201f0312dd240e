#!/usr/bin/env bash
# github.com/aws/aws-lambda-go v1.55.1, events.CodeBuildEvent.
#
# By encoding/json's convention, null leaves a field as it is, and a build number is a whole number.
# Here one null or empty time makes the whole event fail to decode, and so does the narrow no-break
# space (U+202F) before PM that newer locale data prints; a build number passes through a float32,
# so that 16777217 becomes 16777216, without an error. Whoever decodes events with this type loses
# failures: decode into a struct of your own, with times as text.
#
# Seen on 29 November 2026:
#   null:   parsing time "" as "Jan 2, 2006 3:04:05 PM": cannot parse "" as "Jan"
#   empty:  parsing time "" as "Jan 2, 2006 3:04:05 PM": cannot parse "" as "Jan"
#   narrow: parsing time "Sep 1, 2017 4:12:29\xe2\x80\xafPM" as ...: cannot parse "\xe2\x80\xafPM" as " "
#   number: 16777216
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
)

func main() {
	for _, c := range []struct{ name, info string }{
		{"plain", `"build-start-time": "Sep 1, 2017 4:12:29 PM", "build-number": 42.0`},
		{"null", `"build-start-time": null`},
		{"empty", `"build-start-time": ""`},
		{"narrow", "\"build-start-time\": \"Sep 1, 2017 4:12:29\u202fPM\""},
		{"number", `"build-start-time": "Sep 1, 2017 4:12:29 PM", "build-number": 16777217.0`},
	} {
		var e events.CodeBuildEvent
		err := json.Unmarshal([]byte(`{"detail": {"additional-information": {`+c.info+`}}}`), &e)
		if err != nil {
			fmt.Println(c.name+":", err)
			continue
		}
		fmt.Println(c.name+":", int64(e.Detail.AdditionalInformation.BuildNumber))
	}
}
GO
go mod init example.com/finding > go.log 2>&1
go get github.com/aws/aws-lambda-go@v1.55.1 >> go.log 2>&1 || { cat go.log >&2; exit 2; }
out=$(go run .)
echo "$out"

expect() {
	grep -qE "$1" <<< "$out" && return
	echo "changed: no line matches '$1'; read the header again, and AWS.md#event-decoding" >&2
	exit 1
}
expect '^plain: 42$'
expect '^null: parsing time ""'
expect '^empty: parsing time ""'
expect '^narrow: parsing time '
expect '^number: 16777216$'
