package upstream

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

const (
	dialTimeout      = 5 * time.Second // for each try of DialContext
	keepAliveProbes  = 15 * time.Second
	nat64PrefixBytes = 12
)

// Dialer makes every connection out that Keystile makes on someone's behalf.
// It looks at the address the socket is about to connect to, after the name
// was resolved, so that a name which changes its address between check and use
// gains nothing. Loopback and private addresses are allowed: storage is often
// self-hosted. Proxies of the environment are not used.
type Dialer struct {
	own        []netip.AddrPort
	interfaces func() ([]net.Addr, error)
	dialer     net.Dialer
}

// NewDialer makes a dialer that will not connect to own, the addresses this
// process listens on. A wildcard address stands for each of this host's.
func NewDialer(own ...netip.AddrPort) *Dialer {
	d := &Dialer{own: slices.Clone(own), interfaces: net.InterfaceAddrs}
	d.dialer = net.Dialer{
		Timeout:   dialTimeout,
		KeepAlive: keepAliveProbes,
		Resolver:  &net.Resolver{PreferGo: true},
		Control:   d.control,
	}
	return d
}

// DialContext connects to address, "HOST:PORT", over TCP. A forbidden address
// is ErrRefusedAddress.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
		return d.dialer.DialContext(ctx, network, address)
	}
	return nil, fmt.Errorf("network %q: %w", network, ErrRefusedAddress)
}

func (d *Dialer) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefusedAddress, err)
	}
	return d.check(target)
}

// check reports ErrRefusedAddress for what nothing may connect to.
func (d *Dialer) check(target netip.AddrPort) error {
	ip := plainAddr(target.Addr())
	if forbidden(ip) {
		return ErrRefusedAddress
	}
	for _, own := range d.own {
		if own.Port() != target.Port() {
			continue
		}
		listener := plainAddr(own.Addr())
		if listener == ip || listener.IsUnspecified() && d.isLocal(ip) {
			return ErrRefusedAddress
		}
	}
	return nil
}

// isLocal reports whether this host has the address. When that cannot be told,
// it says yes: a refused backend is noticed, a loop into ourselves is not.
func (d *Dialer) isLocal(ip netip.Addr) bool {
	if ip.IsLoopback() {
		return true
	}
	addrs, err := d.interfaces()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(addrs, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && plainAddr(prefix.Addr()) == ip
	})
}

// forbidden reports addresses that never are a storage server: link-local ones
// (where clouds keep their metadata services), multicast, broadcast,
// unspecified, and metadata services that live elsewhere.
func forbidden(ip netip.Addr) bool {
	return !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() ||
		ip.IsLinkLocalUnicast() || isMetadata(ip)
}

// isMetadata knows the metadata and key services of clouds outside the
// link-local ranges.
func isMetadata(ip netip.Addr) bool {
	switch ip.String() {
	case "fd00:ec2::254", "fd00:ec2::23", "fd00:ec2::253", // AWS: metadata, pod identity, DNS
		"fd20:ce::254",    // Google Cloud
		"100.100.100.200", // Alibaba Cloud
		"168.63.129.16",   // Azure
		"192.0.0.192",     // Oracle Cloud
		"255.255.255.255":
		return true
	}
	return ip.Is4() && ip.As4()[0] == 0 // "this network", RFC 1122: Linux takes it for itself
}

// plainAddr strips the disguises of an IPv4 address: mapped (RFC 4291), NAT64
// (RFC 6052, the well-known prefix) and 6to4 (RFC 3056).
func plainAddr(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if !ip.Is6() {
		return ip
	}
	b := ip.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(ip):
		return netip.AddrFrom4([4]byte(b[nat64PrefixBytes:]))
	case netip.MustParsePrefix("2002::/16").Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return ip
}
