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

# build PROGRAM MODULE VERSION [PACKAGE…]: one program of a module, in a module of its
# own, so that go.mod does not know it. With packages it is made of these alone; the
# first has its main function.
build() {
	local program=$1 module=$2 version=$3 main=$2 work
	shift 3
	[ -x ".tools/$program" ] && [ "$(cat ".tools/$program.version" 2>/dev/null)" = "$version $*" ] && return
	work=$(mktemp -d)
	printf 'module tools\n\ngo 1.26\n\nrequire %s %s\n' "$module" "$version" >"$work/go.mod"
	if [ $# -gt 0 ]; then
		main=.
		{
			printf 'package main\n\nimport program "%s/%s"\n' "$module" "$1"
			printf "import _ \"$module/%s\"\n" "${@:2}"
			printf '\nfunc main() { program.Main() }\n'
		} >"$work/main.go"
	fi
	echo "building $program $version"
	mkdir -p .tools
	(cd "$work" && CGO_ENABLED=0 GOFLAGS='-mod=mod -trimpath -buildvcs=false' go build -o program "$main")
	mv "$work/program" ".tools/$program"
	echo "$version $*" >".tools/$program.version"
	rm -rf "$work"
}
# Of rclone's seventy kinds of storage two are needed: all of them take minutes.
build rclone github.com/rclone/rclone "$rclone" cmd backend/{local,s3} cmd/{cat,copy,copyto,deletefile,link,lsf,lsjson,rcat,serve/s3,sync,version}
build s5cmd github.com/peak/s5cmd/v2 "$s5cmd"
build mc github.com/minio/mc "$mc"

(
	cd test/clients/js
	[ -e node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ] && exit
	npm ci --no-audit --no-fund
	touch node_modules/.package-lock.json
)
