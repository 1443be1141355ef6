package ingress

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// tally is an Observer for tests.
type tally struct {
	mu             sync.Mutex
	opened, closed int
	refused        map[Reason]int
}

func (c *tally) count(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *tally) Opened() { c.count(func() { c.opened++ }) }
func (c *tally) Closed() { c.count(func() { c.closed++ }) }
func (c *tally) Refused(why Reason) {
	c.count(func() {
		if c.refused == nil {
			c.refused = map[Reason]int{}
		}
		c.refused[why]++
	})
}

func (c *tally) seen() (open int, refused map[Reason]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[Reason]int{}
	for why, n := range c.refused {
		all[why] = n
	}
	return c.opened - c.closed, all
}

// door is a listener under test that says "hello" and keeps connections open.
type door struct {
	t    *testing.T
	addr string
	*tally
	mu   sync.Mutex
	from []string // the peers as the server knows them
}

func newDoor(t *testing.T, o Options) *door {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, addr: inner.Addr().String(), tally: &tally{}}
	o.Observer = d.tally
	if o.HeaderTimeout == 0 {
		o.HeaderTimeout = 5 * time.Second
	}
	ln := Listen(inner, o)
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			d.mu.Lock()
			d.from = append(d.from, c.RemoteAddr().String())
			d.mu.Unlock()
			go func() {
				defer c.Close()
				_, _ = io.WriteString(c, "hello")
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	return d
}

// knock connects from a loopback address, says something and reports whether it
// was let in.
func (d *door) knock(from, say string) (net.Conn, bool) {
	d.t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := dialer.Dial("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(c, say)
	hello := make([]byte, 5)
	_, err = io.ReadFull(c, hello)
	return c, err == nil
}

func (d *door) wantOpen(n int) {
	d.t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if open, _ := d.seen(); open == n {
			return
		} else if time.Now().After(end) {
			d.t.Fatalf("%d connections are open, want %d", open, n)
		}
	}
}

func (d *door) wantRefused(why Reason, n int) {
	d.t.Helper()
	if _, refused := d.seen(); refused[why] != n || len(refused) > 1 {
		d.t.Errorf("refused %v, want %d for %s", refused, n, why)
	}
}

func TestConnectionsInAll(t *testing.T) {
	d := newDoor(t, Options{MaxConnections: 2})
	first, _ := d.knock("127.0.0.1", "")
	if _, in := d.knock("127.0.0.2", ""); !in {
		t.Fatal("the second was refused")
	}
	if _, in := d.knock("127.0.0.3", ""); in {
		t.Error("the third was let in")
	}
	d.wantRefused(TooMany, 1)
	_ = first.Close()
	d.wantOpen(1)
	if _, in := d.knock("127.0.0.3", ""); !in {
		t.Error("refused although one had left")
	}
}

func TestConnectionsOfASource(t *testing.T) {
	d := newDoor(t, Options{MaxPerSource: 2})
	first, _ := d.knock("127.0.0.1", "")
	d.knock("127.0.0.1", "")
	if _, in := d.knock("127.0.0.1", ""); in {
		t.Error("the third of one source was let in")
	}
	d.wantRefused(TooManySource, 1)
	if _, in := d.knock("127.0.0.2", ""); !in {
		t.Error("another source was refused")
	}
	_ = first.Close()
	d.wantOpen(2)
	if _, in := d.knock("127.0.0.1", ""); !in {
		t.Error("refused although one had left")
	}
}

var proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.7/32")}

func TestTrustedProxiesMayConnectMore(t *testing.T) {
	d := newDoor(t, Options{MaxPerSource: 1, Trusted: proxies})
	for range 3 {
		if _, in := d.knock("127.0.0.7", ""); !in {
			t.Error("a trusted proxy was refused")
		}
	}
}

func TestProxyProtocol(t *testing.T) {
	for _, tt := range []struct {
		name, peer, say string
		want            string // the peer as the server knows it; empty: refused
	}{
		{"a client behind a trusted proxy", "127.0.0.7", "PROXY TCP4 203.0.113.9 192.0.2.1 5555 443\r\nGET", "203.0.113.9:5555"},
		{"of version 2", "127.0.0.7", v2(0x21, 0x11, v2Four) + "GET", "203.0.113.9:5555"},
		{"a trusted proxy without a header", "127.0.0.7", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", ""},
		{"a trusted proxy with a broken header", "127.0.0.7", "PROXY TCP4 203.0.113.9 192.0.2.1 5555 http\r\n", ""},
		{"a trusted proxy that says nothing", "127.0.0.7", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{Trusted: proxies, ProxyProtocol: true}
			if tt.say == "" {
				o.HeaderTimeout = 200 * time.Millisecond
			}
			d := newDoor(t, o)
			if _, in := d.knock(tt.peer, tt.say); in != (tt.want != "") {
				t.Fatalf("let in: %v", in)
			}
			if tt.want == "" {
				d.wantRefused(BadHeader, 1)
				return
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			if len(d.from) != 1 || d.from[0] != tt.want {
				t.Errorf("known as %v, want %s", d.from, tt.want)
			}
		})
	}
}

// A header of somebody else is no header: it goes to the parser of HTTP, which
// refuses it.
func TestProxyProtocolOfOthersIsNotRead(t *testing.T) {
	d := newDoor(t, Options{Trusted: proxies, ProxyProtocol: true})
	c, in := d.knock("127.0.0.1", "PROXY TCP4 203.0.113.9 192.0.2.1 5555 443\r\n")
	if !in {
		t.Fatal("refused")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.from[0] != c.LocalAddr().String() {
		t.Errorf("known as %s, want %s", d.from[0], c.LocalAddr())
	}
}

// The limit of a source holds for the client that the header names.
func TestConnectionsOfASourceBehindAProxy(t *testing.T) {
	d := newDoor(t, Options{MaxPerSource: 1, Trusted: proxies, ProxyProtocol: true})
	for _, tt := range []struct {
		client string
		in     bool
	}{
		{"TCP4 203.0.113.9 192.0.2.1 1 443", true},
		{"TCP4 203.0.113.9 192.0.2.1 2 443", false},
		{"TCP4 203.0.113.10 192.0.2.1 1 443", true},
		{"TCP6 2001:db8::1 2001:db8::f 1 443", true},
		{"TCP6 2001:db8::ffff:2 2001:db8::f 1 443", false}, // one network of 64 bits
		{"TCP6 2001:db8:0:1::1 2001:db8::f 1 443", true},
		{"UNKNOWN", true},
		{"UNKNOWN", true},
	} {
		if _, in := d.knock("127.0.0.7", "PROXY "+tt.client+"\r\n"); in != tt.in {
			t.Errorf("%s: let in %v, want %v", tt.client, in, tt.in)
		}
	}
}

// Headers that do not come hold up nobody else, and count.
func TestSlowHeadersHoldUpNobody(t *testing.T) {
	d := newDoor(t, Options{MaxConnections: 3, Trusted: proxies, ProxyProtocol: true, HeaderTimeout: 10 * time.Second})
	for range 2 {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.7")}}
		c, err := dialer.Dial("tcp", d.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	began := time.Now()
	if _, in := d.knock("127.0.0.1", ""); !in || time.Since(began) > 5*time.Second {
		t.Errorf("let in %v after %v", in, time.Since(began))
	}
	if _, in := d.knock("127.0.0.1", ""); in {
		t.Error("those that owe a header were not counted")
	}
}

func TestConnectionsKeepWhatTCPCan(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := Listen(inner, Options{Observer: &tally{}})
	defer ln.Close()
	c, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if _, ok := got.(io.ReaderFrom); !ok {
		t.Error("ReadFrom is lost")
	}
	if _, ok := got.(interface{ CloseWrite() error }); !ok {
		t.Error("CloseWrite is lost")
	}
}

func TestCloseEndsAccept(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := Listen(inner, Options{Observer: &tally{}})
	ended := make(chan error, 1)
	go func() {
		_, err := ln.Accept()
		ended <- err
	}()
	_ = ln.Close()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("Accept returned a connection")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("Accept still waits")
	}
}
