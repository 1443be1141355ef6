#!/usr/bin/env bash
# What "make ci" runs. First what everything needs is installed and built. Then what
# waits for clients and what waits for browsers run beside each other, and lint, which
# only computes, in the time that they leave; the tests that are strict about time run
# alone. Each phase keeps its output to itself until it ends. All run whatever fails,
# so that one run tells everything; the last lines tell how each phase went and what
# it cost.
set -uo pipefail
cd "$(dirname "$0")/.."

logs=bin/ci
rm -rf "$logs"
mkdir -p "$logs"

# phase NAME TARGET…: runs targets of the Makefile and prints what they said.
# The cost goes to NAME.time: seconds by the clock, then of the processor.
phase() {
	local name=$1 result=ok
	shift
	echo "== $name begins"
	local TIMEFORMAT='%0R %0U %0S'
	{ time "${MAKE:-make}" --no-print-directory "$@" >"$logs/$name.log" 2>&1; } 2>"$logs/$name.time" || result=FAILED
	echo "$result" >"$logs/$name.result"
	{
		flock 9
		echo "== $name: $result"
		cat "$logs/$name.log"
	} 9>"$logs/lock"
}

begun=$SECONDS
phase prepare ci-prepare
if [ "$(cat "$logs/prepare.result")" = ok ]; then
	{
		renice -n 10 -p "$BASHPID" >/dev/null
		phase check check
	} &
	phase clients client-matrix &
	phase browser web-test browser &
	wait
	# Alone, for they have the tests that are strict about time.
	phase race race
	phase test go-test
fi

failed=0
echo "== what it cost"
printf '%-10s %-8s %6s %9s\n' phase '' seconds 'cpu s'
for name in prepare check clients browser race test; do
	result=$(cat "$logs/$name.result" 2>/dev/null || echo 'NOT RUN')
	read -r real user system < <(cat "$logs/$name.time" 2>/dev/null || echo 0 0 0)
	printf '%-10s %-8s %7d %9d\n' "$name" "$result" "$real" $((user + system))
	[ "$result" = ok ] || failed=1
done
echo "$((SECONDS - begun)) s in all"
exit $failed
