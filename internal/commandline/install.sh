#!/usr/bin/env bash
# Installs versions 1 and 2 of the AWS CLI under the folder given, as v1/aws and v2/aws, for the
# tests of this folder. Version 1 is of PyPI. Version 2 is not there: it is the one on PATH, or of
# Debian's packages, unpacked and not installed. What cannot be had is left out, loudly.
set -euo pipefail
dir=$(mkdir -p "$1" && cd "$1" && pwd)
v1=1.46.3

wrapper() { # wrapper FILE COMMAND…
	mkdir -p "$(dirname "$1")"
	printf '#!/bin/sh\nexec %s "$@"\n' "$2" >"$1"
	chmod +x "$1"
}

if [ ! -x "$dir/v1/aws" ]; then
	if python3 -m venv "$dir/venv" && "$dir/venv/bin/pip" install -q --disable-pip-version-check "awscli==$v1"; then
		wrapper "$dir/v1/aws" "'$dir/venv/bin/aws'"
	else
		echo "NOTE: no AWS CLI version 1: it needs python3 with venv, and PyPI" >&2
	fi
fi

if [ ! -x "$dir/v2/aws" ]; then
	if command -v aws >/dev/null && aws --version 2>/dev/null | grep -q '^aws-cli/2'; then
		wrapper "$dir/v2/aws" "'$(command -v aws)'"
	elif command -v apt-get >/dev/null && [ -x /usr/bin/python3 ]; then
		if ! apt-cache show awscli >/dev/null 2>&1; then apt-get update -qq || true; fi
		tmp=$(mktemp -d)
		trap 'rm -rf "$tmp"' EXIT
		# Root's apt downloads as a user of its own, who must be able to write here.
		chmod 777 "$tmp"
		packages=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
			--no-replaces --no-enhances awscli | grep -E '^(awscli|docutils-common|python3-[a-z0-9.-]+)$' |
			grep -vE '^python3-(minimal|distutils|lib2to3)$' | sort -u)
		if (cd "$tmp" && apt-get download -qq $packages) >&2; then
			for deb in "$tmp"/*.deb; do dpkg -x "$deb" "$dir/debian"; done
			wrapper "$dir/v2/aws" "env PYTHONPATH='$dir/debian/usr/lib/python3/dist-packages' /usr/bin/python3 '$dir/debian/usr/bin/aws'"
		fi
	fi
	[ -x "$dir/v2/aws" ] || echo "NOTE: no AWS CLI version 2: install it, or run this on Debian" >&2
fi
for v in v1 v2; do
	if [ -x "$dir/$v/aws" ]; then "$dir/$v/aws" --version; fi
done
