package clientip

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestAddr(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tt := range []struct {
		name      string
		trusted   []netip.Prefix
		peer      string
		forwarded []string
		want      string
	}{
		{"the peer where nobody is trusted", nil, "10.0.0.1:80", []string{"203.0.113.9"}, "10.0.0.1"},
		{"the peer where it is not trusted", trusted, "198.51.100.7:1234", []string{"203.0.113.9"}, "198.51.100.7"},
		{"the client behind a trusted proxy", trusted, "10.0.0.1:80", []string{"203.0.113.9"}, "203.0.113.9"},
		{"what the client claims is left of it", trusted, "10.0.0.1:80", []string{"127.0.0.1, 203.0.113.9"}, "203.0.113.9"},
		{"a claimed trusted address stays left", trusted, "10.0.0.1:80", []string{"10.9.9.9, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"headers are one list", trusted, "10.0.0.1:80", []string{"203.0.113.1", "203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"two trusted proxies", trusted, "[fd00::1]:80", []string{"2001:db8::5, 10.0.0.2"}, "2001:db8::5"},
		{"only trusted addresses", trusted, "10.0.0.1:80", []string{"10.0.0.3,10.0.0.2"}, "10.0.0.3"},
		{"no header", trusted, "10.0.0.1:80", nil, "10.0.0.1"},
		{"an unreadable entry", trusted, "10.0.0.1:80", []string{"203.0.113.9, unknown"}, "10.0.0.1"},
		{"an empty entry", trusted, "10.0.0.1:80", []string{"203.0.113.9, "}, "10.0.0.1"},
		{"an entry with port", trusted, "10.0.0.1:80", []string{"203.0.113.9:5555"}, "203.0.113.9"},
		{"an entry in brackets", trusted, "10.0.0.1:80", []string{"[2001:db8::5]"}, "2001:db8::5"},
		{"an entry in brackets with port", trusted, "10.0.0.1:80", []string{"[2001:db8::5]:99"}, "2001:db8::5"},
		{"IPv4 in IPv6 is IPv4", trusted, "[::ffff:10.0.0.1]:80", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"a zone is dropped", nil, "[fe80::1%eth0]:80", nil, "fe80::1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := &http.Request{RemoteAddr: tt.peer, Header: http.Header{"X-Forwarded-For": tt.forwarded}}
			if got := (Resolver{tt.trusted}).Addr(req); got.String() != tt.want {
				t.Errorf("Addr = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAddrOfASocketWithoutAddress(t *testing.T) {
	req := &http.Request{RemoteAddr: "@", Header: http.Header{"X-Forwarded-For": {"203.0.113.9"}}}
	if got := (Resolver{}).Addr(req); got.IsValid() {
		t.Errorf("Addr = %v, want none", got)
	}
}
