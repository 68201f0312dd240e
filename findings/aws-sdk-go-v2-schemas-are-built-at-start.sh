#!/usr/bin/env bash
# github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs v1.92.2, beside v1.87.0.
#
# The releases of the second half of 2026 read and write by a schema of the service's whole API. The
# change is announced as one of smaller and faster code. But the schema is no data that the linker lays
# down, and none that the first call makes: package variables build it, map by map, before main, whether
# a client is made or not. So a program that only links the service pays for it at every start, and for
# several services by a garbage collection, too: a Lambda function with twelve of them takes 13 instead
# of 5 ms until it asks for work. What can be done is to link fewer services; making clients late is
# of no use.
#
# Expected: about the same allocations before main from both
# Seen on 29 November 2026, on amd64, of all packages of the service:
#   v1.87.0   92128 bytes in  686 allocations
#   v1.92.2  755912 bytes in 4365 allocations
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > main.go <<'GO'
package main

import (
	"os"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

func main() {
	if len(os.Args) > 1 { // never: the client is linked, and not made
		_, _ = cloudwatchlogs.New(cloudwatchlogs.Options{}).GetLogEvents(nil, nil)
	}
}
GO
go mod init example.com/finding > go.log 2>&1
at() { # at VERSION: the allocations of the service's packages before main
	go get "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs@$1" >> go.log 2>&1 || { cat go.log >&2; exit 2; }
	go build -o "$1" . >> go.log 2>&1 || { cat go.log >&2; exit 2; }
	GODEBUG=inittrace=1 "./$1" 2>&1 | awk '/service\/cloudwatchlogs/ { b += $8; n += $10 } END { print n + 0, b + 0 }'
}
read -r old oldbytes < <(at v1.87.0)
read -r new newbytes < <(at v1.92.2)
echo "v1.87.0 $oldbytes bytes in $old allocations"
echo "v1.92.2 $newbytes bytes in $new allocations"
[ "$old" -gt 0 ] || { echo "CHANGED: the trace of starts is not read"; exit 1; }
[ "$new" -gt $((4 * old)) ] || { echo "CHANGED: the newer release allocates hardly more at start"; exit 1; }
echo "as described"
