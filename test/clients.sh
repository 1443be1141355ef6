#!/usr/bin/env bash
# Makes sure of the S3 clients that tests drive. On Debian as root it installs
# what is missing; elsewhere it tells, and the tests that need it are skipped (in
# CI they fail).
#
#   clients.sh           aws-cli, boto3 and curl, for the end-to-end tests
#   clients.sh browser   also what the browser tests need
#   clients.sh bench     also what the gateway is measured against
#   clients.sh matrix    all clients of test/clients: Debian's by its packages,
#                        today's built from source into .tools
set -euo pipefail
cd "$(dirname "$0")/.."

rclone=v1.76.0
s5cmd=v2.3.0
mc=v0.0.0-20250313080218-cf909e1063a9

missing=()
need() { # PROGRAM [PACKAGE]
	command -v "$1" >/dev/null || missing+=("${2:-$1}")
}
need aws awscli
command -v python3 >/dev/null && python3 -c 'import boto3' 2>/dev/null || missing+=(python3 python3-boto3)
need curl
case ${1:-} in
browser)
	need chromium
	need rclone
	need s3cmd
	;;
bench)
	need nginx nginx-light
	;;
matrix)
	need /usr/bin/aws awscli
	/usr/bin/python3 -c 'import boto3' 2>/dev/null || missing+=(python3-boto3)
	need /usr/bin/rclone rclone
	need s3cmd
	need restic
	need s3fs
	need fusermount3 fuse3
	;;
esac

if [ ${#missing[@]} -gt 0 ]; then
	if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
		apt-get update -q
		DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
	else
		echo "not installed: ${missing[*]}; the tests that need them do not run" >&2
	fi
fi
[ "${1:-}" = matrix ] || exit 0

# build PROGRAM MODULE VERSION: one program of a module, in a module of its own,
# so that go.mod does not know it.
build() {
	[ -x ".tools/$1" ] && [ "$(cat ".tools/$1.version" 2>/dev/null)" = "$3" ] && return
	local work
	work=$(mktemp -d)
	printf 'module tools\n\ngo 1.26\n\nrequire %s %s\n' "$2" "$3" >"$work/go.mod"
	echo "building $1 $3"
	mkdir -p .tools
	(cd "$work" && CGO_ENABLED=0 GOFLAGS='-mod=mod -trimpath -buildvcs=false' go build -o program "$2")
	mv "$work/program" ".tools/$1"
	echo "$3" >".tools/$1.version"
	rm -rf "$work"
}
build rclone github.com/rclone/rclone "$rclone"
build s5cmd github.com/peak/s5cmd/v2 "$s5cmd"
build mc github.com/minio/mc "$mc"

(
	cd test/clients/js
	[ -e node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ] && exit
	npm ci --no-audit --no-fund
	touch node_modules/.package-lock.json
)
