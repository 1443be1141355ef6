#!/usr/bin/env bash
# Makes sure of the S3 clients that the end-to-end tests drive: aws-cli, boto3
# and curl; with the argument "browser" also of what the browser tests need,
# with "bench" of what the gateway is measured against.
# On Debian as root it installs what is missing; elsewhere it tells, and those
# tests are skipped (in CI they fail).
set -euo pipefail

missing=()
command -v aws >/dev/null || missing+=(awscli)
command -v python3 >/dev/null && python3 -c 'import boto3' 2>/dev/null || missing+=(python3 python3-boto3)
command -v curl >/dev/null || missing+=(curl)
if [ "${1:-}" = browser ]; then
	for program in chromium rclone s3cmd; do
		command -v "$program" >/dev/null || missing+=("$program")
	done
fi
if [ "${1:-}" = bench ]; then
	command -v nginx >/dev/null || missing+=(nginx-light)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -qy "${missing[@]}"
else
	echo "not installed: ${missing[*]}; the tests that need them do not run" >&2
fi
