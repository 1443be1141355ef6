#!/usr/bin/env bash
# Long runs: every fuzz target for FUZZTIME, then a server killed under load
# CRASHES times. New loops go to the end of this file.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzztime=${FUZZTIME:-2m}
crashes=${CRASHES:-50}
failed=()

while IFS=: read -r file target; do
	package=./$(dirname "$file")
	echo "== fuzzing $target in $package for $fuzztime"
	# What is interesting is made smaller in a hundred tries, not for a minute each: that
	# left no time for anything else.
	go test -run '^$' -fuzz "^${target}\$" -fuzztime "$fuzztime" -fuzzminimizetime 100x "$package" || failed+=("$package $target")
done < <(grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' cmd internal | sed 's/func //' | sort)

echo "== killing a server $crashes times"
KEYSTILE_SOAK_CRASHES=$crashes go test -count=1 -v -timeout 6h -run 'AfterAKill|AcrossKills' ./test/e2e/ || failed+=("crash loop")

echo "== RGW users whose home is a plain S3 server: the whole contract, and every kill"
KEYSTILE_RGW_HOMES=s3 go test -count=1 -v -timeout 2h -run 'RGW|TwentyRenewals' ./test/e2e/ || failed+=("RGW users on S3")

echo "== a million refused requests"
KEYSTILE_SOAK_REFUSALS=1000000 go test -count=1 -v -timeout 6h -run FloodOfRefusals ./test/e2e/ || failed+=("a million refusals")

echo "== listing a million objects"
KEYSTILE_SOAK_OBJECTS=1000000 go test -count=1 -v -run HugeBucket ./test/e2e/ || failed+=("a million objects")

echo "== pages of a trail of ten million events"
vast=$(mktemp -d) # KEYSTILE_SOAK_TRAIL names a file to keep for later runs
KEYSTILE_SOAK_TRAIL=${KEYSTILE_SOAK_TRAIL:-$vast/keystile.db} KEYSTILE_SOAK_EVENTS=10000000 \
	go test -count=1 -timeout 6h -v -run VastTrail ./internal/store/sqlstore/ || failed+=("pages of a vast trail")
rm -rf "$vast"

echo "== recording as fast as the disk syncs"
KEYSTILE_SOAK_RECORDING=60s go test -count=1 -timeout 1h -v -run SustainedRecording ./internal/audit/ || failed+=("sustained recording")

echo "== every S3 client at every backend, directly and through the gateway"
KEYSTILE_CLIENTS=full go test -count=1 -timeout 6h -v -run TestClients ./test/clients/ || failed+=("clients")

echo "== 200 parallel transfers of 64 MiB"
KEYSTILE_SOAK_TRANSFER_MIB=64 go test -count=1 -v -timeout 2h -run ParallelTransfers ./test/e2e/ || failed+=("parallel transfers")

echo "== counting a bucket of a million objects"
KEYSTILE_SOAK_OBJECTS=1000000 go test -count=1 -v -run VastBucket ./internal/quota/ || failed+=("a count of a million objects")

if [ ${#failed[@]} -gt 0 ]; then
	printf 'failed: %s\n' "${failed[@]}"
	exit 1
fi
echo "nothing failed"
