package config

import (
	"net/netip"
	"time"
)

func (l *loader) checkLimits(n *Limits) {
	l.between("limits.max_header_bytes", n.MaxHeaderBytes, 8<<10, 1<<20)
	l.between("limits.max_uri_bytes", n.MaxURIBytes, 4<<10, 1<<20)
	if n.MaxURIBytes > n.MaxHeaderBytes {
		l.check("limits.max_uri_bytes", "must not exceed limits.max_header_bytes (%d), of which it is a part", n.MaxHeaderBytes)
	}
	l.between("limits.min_body_rate", n.MinBodyRate, 0, 1<<30)
	l.within("limits.min_body_window", n.MinBodyWindow, time.Second, time.Hour)
	l.between("limits.max_connections", n.MaxConnections, 0, 1<<20)
	l.between("limits.max_connections_per_ip", n.MaxConnectionsPerIP, 0, 1<<20)
	l.between("limits.max_connections_per_backend", n.MaxConnectionsPerBackend, 1, 65536)
}

func (l *loader) checkS3Limits(n *S3Limits) {
	const at = "s3_proxy.limits."
	for key, rate := range map[string]float64{
		"requests_per_second": n.RequestsPerSecond, "requests_per_second_per_key": n.RequestsPerSecondPerKey,
	} {
		if !(rate >= 0 && rate <= 1e6) {
			l.check(at+key, "must lie between 0 and 1000000")
		}
	}
	l.between(at+"max_in_flight", n.MaxInFlight, 0, 1<<20)
	l.between(at+"max_in_flight_per_key", n.MaxInFlightPerKey, 0, 1<<20)
	// One XML body must fit, or nobody could send one.
	if b := n.MaxBufferedBytes; b != 0 && (b < 16<<20 || b > 1<<40) {
		l.check(at+"max_buffered_bytes", "must be 0 or lie between %d and %d", 16<<20, 1<<40)
	}
}

func (l *loader) between(key string, n, low, high int) {
	if n < low || n > high {
		l.check(key, "must lie between %d and %d", low, high)
	}
}

// checkProxyProtocol: a header is believed only of those that are named.
func (l *loader) checkProxyProtocol(at string, on bool, trusted []netip.Prefix) {
	if on && len(trusted) == 0 {
		l.check(at+".proxy_protocol", "needs %s.trusted_proxies: only of them is a header believed", at)
	}
}
