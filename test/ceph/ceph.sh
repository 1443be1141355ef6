#!/usr/bin/env bash
# A throwaway Ceph with an S3 gateway, for tests: one monitor, one OSD that keeps
# everything in memory, one radosgw. Every socket is bound to 127.0.0.1.
#
#   ceph.sh install     install Debian's packages (as root)
#   ceph.sh run DIR     bring it up, print "ready", stay until standard input ends
#   ceph.sh up DIR      bring it up and return
#   ceph.sh down DIR    stop what "up" started and remove DIR
#
# DIR must not exist yet. Once it is up, DIR/admin.env names the endpoint and the
# key of an S3 user who may also use the Admin Ops API.
set -euo pipefail

packages=(ceph-mon ceph-osd radosgw ceph-common)
daemons=(radosgw ceph-osd ceph-mon) # in the order in which they stop

fail() {
	echo "ceph.sh: $*" >&2
	exit 1
}

install_packages() {
	local missing=() name
	for name in "${packages[@]}"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
	done
	[ ${#missing[@]} -eq 0 ] && return
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
		echo "not installed: ${missing[*]}; the tests that need a Ceph do not run" >&2
		return
	fi
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
}

free_port() {
	python3 -I -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

random() { # CHARACTERS LENGTH
	python3 -I -c 'import secrets, sys; print("".join(secrets.choice(sys.argv[1]) for _ in range(int(sys.argv[2]))))' "$1" "$2"
}

# Without cephx there are no keys to hand out, but then everything that speaks to
# the monitor must be told not to encrypt either: radosgw would wait for ever.
write_conf() {
	cat >"$dir/ceph.conf" <<-CONF
		[global]
		fsid = $(cat /proc/sys/kernel/random/uuid)
		mon host = v2:127.0.0.1:$mon_port
		public addr = 127.0.0.1
		cluster addr = 127.0.0.1
		ms bind msgr1 = false
		ms bind ipv6 = false
		auth cluster required = none
		auth service required = none
		auth client required = none
		ms mon client mode = crc
		ms client mode = crc
		ms service mode = crc
		ms cluster mode = crc
		ms mon cluster mode = crc
		ms mon service mode = crc
		keyring = $dir/keyring
		run dir = $dir
		crash dir = $dir/crash
		admin socket =
		log file = $dir/\$name.log
		mon cluster log file = $dir/cluster.log
		max open files = 0
		osd pool default size = 1
		osd pool default min size = 1
		osd pool default pg num = 4
		osd pool default pgp num = 4
		osd pool default pg autoscale mode = off
		osd crush chooseleaf type = 0
		mon allow pool size one = true
		mon max pg per osd = 2000
		rgw rados pool pg num min = 4
		[mon]
		mon data = $dir/mon
		mon initial members = a
		mon data avail warn = 1
		mon data avail crit = 0
		mon election timeout = 1
		paxos propose interval = 0.05
		paxos min wait = 0.01
		[osd]
		osd data = $dir/osd
		osd objectstore = memstore
		memstore device bytes = 8589934592
		osd class update on start = false
		osd heartbeat grace = 60
		[client.rgw.a]
		rgw data = $dir/rgw
		rgw frontends = beast endpoint=127.0.0.1:$rgw_port tcp_nodelay=1
		rgw thread pool size = 64
		rgw enable usage log = true
		rgw usage log tick interval = 1
		rgw usage log flush threshold = 1
		rgw crypt require ssl = false
		debug rgw = 1
	CONF
}

start() { # PROGRAM NAME
	setsid "$1" -f -c "$dir/ceph.conf" -n "$2" --no-mon-config </dev/null >>"$dir/$1.out" 2>&1 &
	echo $! >"$dir/$1.pid"
	disown
}

# alive tells whether the process that we started as PROGRAM is still that one.
alive() { # PROGRAM
	local pid
	pid=$(cat "$dir/$1.pid" 2>/dev/null) || return 1
	tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "-c $dir/ceph.conf"
}

stop_all() {
	local program pid tries
	for program in "${daemons[@]}"; do
		alive "$program" || continue
		pid=$(cat "$dir/$program.pid")
		kill "$pid" 2>/dev/null || true
		for ((tries = 0; tries < 20; tries++)); do # memory is all it has: no need to wait long
			alive "$program" || break
			sleep 0.05
		done
		alive "$program" && kill -KILL "$pid" 2>/dev/null || true
	done
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

await_rgw() {
	local end=$((SECONDS + 120)) program
	until listening "$rgw_port"; do
		for program in "${daemons[@]}"; do
			alive "$program" || fail "$program ended: $(tail -n 3 "$dir/$program.out")"
		done
		[ $SECONDS -lt $end ] || fail "radosgw does not listen: $(tail -n 3 "$dir/radosgw.out")"
		sleep 0.1
	done
}

create_admin() {
	local id secret
	id=$(random ABCDEFGHIJKLMNOPQRSTUVWXYZ234567 20)
	secret=$(random ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 40)
	radosgw-admin -c "$dir/ceph.conf" -n client.admin --no-mon-config user create \
		--uid=keystile --display-name=keystile --access-key="$id" --secret="$secret" \
		--caps='users=*;buckets=*;usage=*;metadata=*' >>"$dir/setup.log" 2>&1
	(
		umask 077
		printf '%s=%s\n' CEPH_ENDPOINT "http://127.0.0.1:$rgw_port" CEPH_ACCESS_KEY_ID "$id" \
			CEPH_SECRET_ACCESS_KEY "$secret" CEPH_ADMIN_UID keystile >"$dir/admin.env.new"
	)
	mv "$dir/admin.env.new" "$dir/admin.env"
}

up() {
	command -v radosgw ceph-mon ceph-osd ceph radosgw-admin >/dev/null || fail "Ceph is not installed: ceph.sh install"
	[ ! -e "$dir" ] || fail "$dir is there already"
	mkdir -p "$dir"/{mon,osd,rgw,crash}
	dir=$(cd "$dir" && pwd -P)
	: >"$dir/keyring"
	mon_port=$(free_port)
	rgw_port=$(free_port)
	write_conf
	trap 'stop_all' ERR EXIT
	{
		fsid=$(sed -n 's/^fsid = //p' "$dir/ceph.conf")
		monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$mon_port]" "$dir/monmap"
		ceph-mon --mkfs -c "$dir/ceph.conf" -i a --monmap "$dir/monmap"
	} >>"$dir/setup.log" 2>&1
	start ceph-mon mon.a
	local osd
	osd=$(cat /proc/sys/kernel/random/uuid)
	ceph -c "$dir/ceph.conf" -n client.admin --connect-timeout 30 osd new "$osd" >>"$dir/setup.log" 2>&1
	ceph-osd --mkfs -c "$dir/ceph.conf" -i 0 --osd-uuid "$osd" --no-mon-config >>"$dir/setup.log" 2>&1
	start ceph-osd osd.0
	start radosgw client.rgw.a
	await_rgw
	create_admin
	trap - ERR EXIT
}

down() {
	[ -f "$dir/ceph.conf" ] || return 0
	dir=$(cd "$dir" && pwd -P)
	stop_all
	rm -rf "$dir"
}

dir=${2:-}
case "${1:-}" in
install) install_packages ;;
run | up | down)
	[[ $dir = /*[!/] && $dir != *[[:space:]\#\;\"]* ]] || fail "DIR must be an absolute path without blanks, quotes, # and ;"
	case $1 in
	run)
		up
		trap down EXIT
		echo ready
		cat >/dev/null
		;;
	*) "$1" ;;
	esac
	;;
*) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
