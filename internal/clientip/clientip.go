// Package clientip finds the address that a request comes from.
//
// The socket's peer is the only address that is known. What a proxy says of the
// client behind it counts only where the configuration trusts that proxy.
package clientip

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Resolver tells the address of a request's client.
type Resolver struct {
	// Trusted are the addresses of proxies whose X-Forwarded-For is believed.
	Trusted []netip.Prefix
}

// Addr is the rightmost address in the chain of peer and X-Forwarded-For that
// is no trusted proxy: what stands left of it was written by someone unknown.
// Where every address is trusted, it is the leftmost; where an entry cannot be
// read, the trusted proxy that passed it on. It is the zero Addr if the peer
// has no address, as on a Unix socket. IPv4 in IPv6 is unwrapped.
func (r Resolver) Addr(req *http.Request) netip.Addr {
	addr, ok := parse(req.RemoteAddr)
	if !ok || !r.trusts(addr) {
		return addr
	}
	chain := strings.Split(strings.Join(req.Header.Values("X-Forwarded-For"), ","), ",")
	for _, entry := range slices.Backward(chain) {
		if !r.trusts(addr) {
			return addr
		}
		next, ok := parse(strings.TrimSpace(entry))
		if !ok {
			return addr
		}
		addr = next
	}
	return addr
}

func (r Resolver) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(r.Trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// parse reads an address with or without port, as different proxies write it.
func parse(s string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return plain(withPort.Addr()), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		return netip.Addr{}, false
	}
	return plain(addr), true
}

func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// Network is what counts as one source when requests are limited or counted:
// an IPv4 address, or an IPv6 network of 64 bits, of which a host has all
// addresses. It is the zero Prefix for the zero Addr.
func Network(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr = plain(addr); addr.Is6() {
		bits = 64
	}
	prefix, _ := addr.Prefix(bits) // fails only for the zero Addr
	return prefix
}
