package ingress

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
)

// v2 makes a header of version 2.
func v2(versionCommand, family byte, rest string) string {
	return string(v2Signature) + string([]byte{versionCommand, family, byte(len(rest) >> 8), byte(len(rest))}) + rest
}

const (
	v2Four = "\xcb\x00\x71\x09\xc0\x00\x02\x01\x15\xb3\x01\xbb" // 203.0.113.9:5555 to 192.0.2.1:443
	v2Six  = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x15\xb3\x01\xbb"
	v2Mapped = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xcb\x00\x71\x09" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01\x15\xb3\x01\xbb"
)

func TestReadHeader(t *testing.T) {
	const none = "invalid AddrPort"
	for _, tt := range []struct {
		name, header string
		want         string // empty: refused
	}{
		{"version 1 of IPv4", "PROXY TCP4 203.0.113.9 192.0.2.1 5555 443\r\n", "203.0.113.9:5555"},
		{"version 1 of IPv6", "PROXY TCP6 2001:db8::5 2001:db8::1 5555 443\r\n", "[2001:db8::5]:5555"},
		{"version 1, mapped address", "PROXY TCP6 ::ffff:203.0.113.9 ::ffff:192.0.2.1 5555 443\r\n", "203.0.113.9:5555"},
		{"version 1 without an address", "PROXY UNKNOWN\r\n", none},
		{"version 1, unknown with text", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", none},
		{"version 1, longest", "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535" + strings.Repeat("x", 48) + "\r\n", none},
		{"version 2 of IPv4", v2(0x21, 0x11, v2Four), "203.0.113.9:5555"},
		{"version 2 of IPv6", v2(0x21, 0x21, v2Six), "[2001:db8::5]:5555"},
		{"version 2, mapped address", v2(0x21, 0x21, v2Mapped), "203.0.113.9:5555"},
		{"version 2 with extensions", v2(0x21, 0x11, v2Four+"\x04\x00\x03abc"), "203.0.113.9:5555"},
		{"version 2 of the proxy itself", v2(0x20, 0x00, ""), none},
		{"version 2 of the proxy itself, with addresses", v2(0x20, 0x11, v2Four), none},
		{"version 2 without an address", v2(0x21, 0x00, ""), none},
		{"version 2 of a Unix socket", v2(0x21, 0x31, strings.Repeat("\x00", 216)), none},

		{"nothing", "", ""},
		{"an HTTP request", "GET /uploads/a HTTP/1.1\r\nHost: h\r\n\r\n", ""},
		{"a TLS greeting", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00", ""},
		{"lower case", "proxy TCP4 203.0.113.9 192.0.2.1 5555 443\r\n", ""},
		{"another family", "PROXY UDP4 203.0.113.9 192.0.2.1 5555 443\r\n", ""},
		{"IPv6 called IPv4", "PROXY TCP4 2001:db8::5 2001:db8::1 5555 443\r\n", ""},
		{"IPv4 called IPv6", "PROXY TCP6 203.0.113.9 192.0.2.1 5555 443\r\n", ""},
		{"mixed families", "PROXY TCP4 203.0.113.9 2001:db8::1 5555 443\r\n", ""},
		{"a zone", "PROXY TCP6 fe80::1%eth0 2001:db8::1 5555 443\r\n", ""},
		{"an octet of 256", "PROXY TCP4 203.0.113.256 192.0.2.1 5555 443\r\n", ""},
		{"an octet with leading zero", "PROXY TCP4 203.0.113.09 192.0.2.1 5555 443\r\n", ""},
		{"a port of 65536", "PROXY TCP4 203.0.113.9 192.0.2.1 65536 443\r\n", ""},
		{"a port with leading zero", "PROXY TCP4 203.0.113.9 192.0.2.1 05555 443\r\n", ""},
		{"a port with sign", "PROXY TCP4 203.0.113.9 192.0.2.1 +5555 443\r\n", ""},
		{"two spaces", "PROXY TCP4  203.0.113.9 192.0.2.1 5555 443\r\n", ""},
		{"a field too many", "PROXY TCP4 203.0.113.9 192.0.2.1 5555 443 x\r\n", ""},
		{"a field too few", "PROXY TCP4 203.0.113.9 192.0.2.1 5555\r\n", ""},
		{"a name", "PROXY TCP4 client.test 192.0.2.1 5555 443\r\n", ""},
		{"bare LF", "PROXY TCP4 203.0.113.9 192.0.2.1 5555 443\n", ""},
		{"a line too long", "PROXY UNKNOWN " + strings.Repeat("x", 92) + "\r\n", ""},
		{"a line without end", "PROXY TCP4 203.0.113.9 192.0.2.1 5555 443", ""},
		{"version 3", v2(0x31, 0x11, v2Four), ""},
		{"version 1 in the form of 2", v2(0x11, 0x11, v2Four), ""},
		{"an unknown command", v2(0x22, 0x11, v2Four), ""},
		{"datagrams", v2(0x21, 0x12, v2Four), ""},
		{"an unknown family", v2(0x21, 0x41, v2Four), ""},
		{"short addresses", v2(0x21, 0x11, v2Four[:11]), ""},
		{"IPv6 with addresses of IPv4", v2(0x21, 0x21, v2Four), ""},
		{"a short Unix address", v2(0x21, 0x31, "\x00"), ""},
		{"cut in the head", v2(0x21, 0x11, v2Four)[:14], ""},
		{"cut in the addresses", v2(0x21, 0x11, v2Four)[:20], ""},
		{"longer than is read", v2(0x21, 0x11, v2Four+strings.Repeat("\x00", 5000)), ""},
		{"a signature with one wrong byte", "\r\n\r\n\x00\r\nQUIT\r" + v2(0x21, 0x11, v2Four)[12:], ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const behind = "GET / HTTP/1.1\r\n"
			in := strings.NewReader(tt.header)
			if tt.want != "" {
				in = strings.NewReader(tt.header + behind)
			}
			got, err := readHeader(in)
			if tt.want == "" {
				if err == nil {
					t.Errorf("taken for %v", got)
				}
				return
			}
			rest, _ := io.ReadAll(in)
			if err != nil || got.String() != tt.want || string(rest) != behind {
				t.Errorf("%v, %v and %q left; want %s and all that is behind", got, err, rest, tt.want)
			}
		})
	}
}

// FuzzReadHeader: whatever comes, no more is read than the header, and only a
// header yields an address.
func FuzzReadHeader(f *testing.F) {
	for _, seed := range []string{
		"PROXY TCP4 203.0.113.9 192.0.2.1 5555 443\r\n", "PROXY TCP6 2001:db8::5 ::1 1 2\r\nGET /", "PROXY UNKNOWN\r\n",
		v2(0x21, 0x11, v2Four), v2(0x21, 0x21, v2Six), v2(0x20, 0, ""), v2(0x21, 0x31, strings.Repeat("\x00", 216)), "GET / HTTP/1.1\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := bytes.NewReader(data)
		got, err := readHeader(in)
		read := len(data) - in.Len()
		if read > v2HeadBytes+v2MaxBytes {
			t.Fatalf("%d bytes were read", read)
		}
		if err != nil {
			if got != (netip.AddrPort{}) {
				t.Fatalf("%v beside %v", got, err)
			}
			if !errors.Is(err, errHeader) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("error %v", err)
			}
			return
		}
		head := data[:read]
		switch {
		case bytes.HasPrefix(head, v2Signature):
			if read < v2HeadBytes || read != v2HeadBytes+int(head[14])<<8+int(head[15]) {
				t.Fatalf("%d bytes of %q were read", read, data)
			}
		case !bytes.HasPrefix(head, []byte("PROXY ")) || bytes.IndexByte(head, '\n') != read-1:
			t.Fatalf("%q was taken for a header", head)
		}
		if addr := got.Addr(); addr.IsValid() && (addr.Is4In6() || addr.Zone() != "") {
			t.Fatalf("address %v", addr)
		}
	})
}
