package ingress

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"keystile/internal/clientip"
)

// Options are the limits of [Listen].
type Options struct {
	// MaxConnections bounds connections in all; 0: no bound.
	MaxConnections int
	// MaxPerSource bounds those of one source: an IPv4 address or an IPv6
	// network of 64 bits; 0: no bound. Trusted proxies have none.
	MaxPerSource int
	// Trusted are the proxies that speak for others.
	Trusted []netip.Prefix
	// ProxyProtocol: every connection of a trusted proxy begins with a header of
	// the PROXY protocol, which says whose it is. Of others none is read.
	ProxyProtocol bool
	// HeaderTimeout bounds the wait for such a header.
	HeaderTimeout time.Duration
	// Observer is told of connections.
	Observer Observer
}

// Observer counts connections. Its methods must not wait.
type Observer interface {
	// Opened and Closed are told of every connection that was let in.
	Opened()
	Closed()
	// Refused is told why one was not.
	Refused(Reason)
}

// Reason is why a connection was closed at once.
type Reason string

// The reasons.
const (
	TooMany       Reason = "all"
	TooManySource Reason = "source"
	BadHeader     Reason = "proxy_protocol"
)

// Listen wraps a TCP listener. Connections beyond a limit are closed at once,
// before a byte of them is read: whoever makes too many pays most.
func Listen(ln net.Listener, o Options) net.Listener {
	l := &listener{
		Listener: ln, options: o, sources: map[netip.Prefix]int{},
		ready: make(chan net.Conn), failed: make(chan error, 1), closed: make(chan struct{}),
	}
	go l.run()
	return l
}

type listener struct {
	net.Listener
	options Options

	ready   chan net.Conn
	failed  chan error // of accepting
	closed  chan struct{}
	closing sync.Once

	mu      sync.Mutex
	all     int
	sources map[netip.Prefix]int // of those that are open: no more than all
}

// run accepts, so that a header which does not come holds up nobody else.
func (l *listener) run() {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			select {
			case l.failed <- err:
			case <-l.closed:
				return
			}
			var temporary interface{ Temporary() bool }
			if errors.As(err, &temporary) && temporary.Temporary() {
				continue // the server waits a little and asks again
			}
			return
		}
		l.take(c)
	}
}

// take lets a connection in, or not.
func (l *listener) take(raw net.Conn) {
	if !l.enter() {
		l.refuse(raw, TooMany)
		return
	}
	c := &conn{listener: l, remote: raw.RemoteAddr()}
	tcp, ok := raw.(*net.TCPConn)
	if !ok {
		_ = raw.Close() // Listen is for TCP
		l.leave(netip.Prefix{})
		return
	}
	c.TCPConn = tcp
	if l.options.ProxyProtocol && l.trusts(c.remote) {
		go l.introduce(c)
		return
	}
	l.admit(c, !l.trusts(c.remote))
}

// introduce reads whose connection it is.
func (l *listener) introduce(c *conn) {
	client, err := l.readHeader(c.TCPConn)
	if err != nil {
		l.leave(netip.Prefix{})
		l.refuse(c.TCPConn, BadHeader)
		return
	}
	if client.IsValid() {
		c.remote = net.TCPAddrFromAddrPort(client)
	}
	l.admit(c, client.IsValid())
}

func (l *listener) readHeader(c *net.TCPConn) (netip.AddrPort, error) {
	if err := c.SetReadDeadline(time.Now().Add(l.options.HeaderTimeout)); err != nil {
		return netip.AddrPort{}, err
	}
	client, err := readHeader(c)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return client, c.SetReadDeadline(time.Time{})
}

// admit hands the connection on, unless its source has too many.
func (l *listener) admit(c *conn, counted bool) {
	if counted {
		c.source = clientip.Network(addrOf(c.remote))
	}
	if !l.join(c.source) {
		l.leave(netip.Prefix{})
		l.refuse(c.TCPConn, TooManySource)
		return
	}
	l.options.Observer.Opened()
	select {
	case l.ready <- c:
	case <-l.closed:
		_ = c.Close()
	}
}

func (l *listener) refuse(c net.Conn, why Reason) {
	l.options.Observer.Refused(why)
	_ = c.Close()
}

func (l *listener) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limit := l.options.MaxConnections; limit > 0 && l.all >= limit {
		return false
	}
	l.all++
	return true
}

// join counts the source; the zero one is not counted.
func (l *listener) join(source netip.Prefix) bool {
	if !source.IsValid() || l.options.MaxPerSource == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sources[source] >= l.options.MaxPerSource {
		return false
	}
	l.sources[source]++
	return true
}

func (l *listener) leave(source netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if n, counted := l.sources[source]; counted && n > 1 {
		l.sources[source] = n - 1
	} else if counted {
		delete(l.sources, source)
	}
}

func (l *listener) trusts(peer net.Addr) bool {
	addr := addrOf(peer)
	return slices.ContainsFunc(l.options.Trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func addrOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case err := <-l.failed:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.closing.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// conn is a TCP connection that knows whose it is. It keeps what the kernel can
// do for TCP.
type conn struct {
	*net.TCPConn
	listener *listener
	remote   net.Addr
	source   netip.Prefix
	ending   sync.Once
}

// RemoteAddr implements net.Conn. It is the client's, not a proxy's.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// Socket is the connection as the kernel knows it. Nothing of it is buffered here.
func (c *conn) Socket() *net.TCPConn { return c.TCPConn }

// Close implements net.Conn.
func (c *conn) Close() error {
	err := c.TCPConn.Close()
	c.ending.Do(func() {
		c.listener.leave(c.source)
		c.listener.options.Observer.Closed()
	})
	return err
}
