package upstream

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"keystile/internal/keystile"
)

func TestDialerChecksAddresses(t *testing.T) {
	d := NewDialer(netip.MustParseAddrPort("127.0.0.1:8080"), netip.MustParseAddrPort("0.0.0.0:8090"), netip.MustParseAddrPort("[::]:8091"))
	d.interfaces = func() ([]net.Addr, error) {
		_, n, _ := net.ParseCIDR("10.0.0.7/24")
		n.IP = net.ParseIP("10.0.0.7")
		return []net.Addr{n}, nil
	}
	for _, tt := range []struct {
		name, address string
		refused       bool
	}{
		{"public", "93.184.216.34:443", false},
		{"private", "10.0.0.8:9000", false},
		{"loopback", "127.0.0.1:9000", false},
		{"loopback, IPv6", "[::1]:9000", false},
		{"unique local", "[fd12:3456::1]:9000", false},
		{"own address, other port", "10.0.0.7:9000", false},
		{"other address, port of a wildcard listener", "10.0.0.8:8090", false},

		{"metadata", "169.254.169.254:80", true},
		{"metadata of containers", "169.254.170.2:80", true},
		{"metadata, mapped", "[::ffff:169.254.169.254]:80", true},
		{"metadata by NAT64", "[64:ff9b::a9fe:a9fe]:80", true},
		{"metadata by 6to4", "[2002:a9fe:a9fe::1]:80", true},
		{"metadata, IPv6", "[fd00:ec2::254]:80", true},
		{"metadata of Alibaba", "100.100.100.200:80", true},
		{"metadata of Azure", "168.63.129.16:80", true},
		{"link-local", "169.254.1.1:80", true},
		{"link-local, IPv6", "[fe80::1%eth0]:80", true},
		{"multicast", "224.0.0.1:80", true},
		{"multicast, IPv6", "[ff02::1]:80", true},
		{"broadcast", "255.255.255.255:80", true},
		{"unspecified", "0.0.0.0:9000", true},
		{"unspecified, IPv6", "[::]:9000", true},
		{"this network", "0.1.2.3:9000", true},
		{"own listener", "127.0.0.1:8080", true},
		{"own listener, mapped", "[::ffff:127.0.0.1]:8080", true},
		{"wildcard listener on loopback", "127.0.0.1:8090", true},
		{"wildcard listener on loopback, IPv6", "[::1]:8090", true},
		{"wildcard listener on an interface", "10.0.0.7:8090", true},
		{"IPv6 wildcard listener on an IPv4 interface", "10.0.0.7:8091", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := d.control("tcp", tt.address, nil)
			if errors.Is(err, ErrRefusedAddress) != tt.refused {
				t.Errorf("%s: %v, want refused %v", tt.address, err, tt.refused)
			}
		})
	}
}

func TestDialerRefusesOwnListenersAndOddNetworks(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	address := l.Addr().String()
	conn, err := NewDialer().DialContext(t.Context(), "tcp", address)
	must(t, err)
	must(t, conn.Close())
	own := NewDialer(netip.MustParseAddrPort(address))
	for _, network := range []string{"tcp", "tcp4", "udp", "unix"} {
		if _, err := own.DialContext(t.Context(), network, address); !errors.Is(err, ErrRefusedAddress) {
			t.Errorf("%s: %v", network, err)
		}
	}
}

// A name that leads to a good address when it is checked and to a forbidden one
// when it is used gets no connection.
func TestRebindingGainsNothing(t *testing.T) {
	d := NewDialer()
	d.dialer.Resolver = fakeDNS(t, "127.0.0.1", "169.254.169.254")
	r := NewRegistry(Options{Store: newMemStore(), Dialer: d})
	b := keystile.Backend{ID: "x", Kind: keystile.KindS3, Endpoint: "http://rebind.test:9000", Region: testRegion, AccessKeyID: "x", PathStyle: true}
	must(t, r.CheckEndpoint(t.Context(), b))
	_, err := r.newBackend(Endpoint{Backend: b}).Send(t.Context(), Request{Method: "GET"})
	wantTrouble(t, err, ErrRefusedAddress)
	if err := r.CheckEndpoint(t.Context(), b); !errors.Is(err, keystile.ErrInvalid) {
		t.Errorf("checked again: %v", err)
	}
}

func TestCheckEndpoint(t *testing.T) {
	d := NewDialer(netip.MustParseAddrPort("127.0.0.1:8080"))
	d.dialer.Resolver = fakeDNS(t)
	r := NewRegistry(Options{Store: newMemStore(), Dialer: d})
	for _, tt := range []struct {
		endpoint string
		ok       bool
	}{
		{"http://127.0.0.1:9000", true},
		{"https://10.0.0.1", true},
		{"http://gone.test", true}, // does not resolve now

		{"http://127.0.0.1:8080", false},
		{"http://169.254.169.254", false},
		{"http://[fe80::1]:80", false},
		{"http://127.0.0.1:99999", false},
		{"ftp://127.0.0.1", false},
		{"http://user:pass@127.0.0.1", false},
		{"http://127.0.0.1/path", false},
		{"", false},
	} {
		b := keystile.Backend{ID: "x", Kind: keystile.KindS3, Endpoint: tt.endpoint, Region: testRegion, AccessKeyID: "x"}
		err := r.CheckEndpoint(t.Context(), b)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("%q: %v, want ok %v", tt.endpoint, err, tt.ok)
		}
	}
}

// fakeDNS resolves every name to the addresses in turn, the last for ever; with
// none, no name resolves.
func fakeDNS(t *testing.T, addrs ...string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = server.Close() })
	var mu sync.Mutex
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			mu.Lock()
			answer := dnsAnswer(buf[:n], &addrs)
			mu.Unlock()
			_, _ = server.WriteTo(answer, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		d := net.Dialer{Timeout: time.Second}
		return d.DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

func dnsAnswer(query []byte, addrs *[]string) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil
	}
	m.Response, m.Additionals = true, nil
	q := m.Questions[0]
	if len(*addrs) == 0 {
		m.RCode = dnsmessage.RCodeNameError
	} else if q.Type == dnsmessage.TypeA {
		head := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}
		body := &dnsmessage.AResource{A: netip.MustParseAddr((*addrs)[0]).As4()}
		m.Answers = []dnsmessage.Resource{{Header: head, Body: body}}
		if len(*addrs) > 1 {
			*addrs = (*addrs)[1:]
		}
	}
	packed, _ := m.Pack()
	return packed
}
