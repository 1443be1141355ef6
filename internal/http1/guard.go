package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// RefusedPath is the path of the request that net/http gets to see in place of
// a refused head.
const RefusedPath = "/-/refused"

// substitute ends the connection (Connection: close) and proves its origin by a
// header that no client's head may carry.
const substitute = "GET " + RefusedPath + " HTTP/1.1\r\n" +
	"Host: refused\r\nConnection: close\r\n" + refusedField + ": 1\r\n\r\n"

const (
	defaultMaxHead   = 64 << 10
	defaultHandshake = 10 * time.Second
	defaultIdle      = time.Minute
	defaultWindow    = 30 * time.Second
	// A client that still writes when its connection is closed would lose the
	// answer to a reset, so its bytes are swallowed: this many, this long.
	lingerBytes = 16 << 20
	lingerTime  = 500 * time.Millisecond
	// Read-ahead grows from this, which holds most heads.
	bufStep = 4 << 10
)

// GuardOptions are the limits of [Guard]. The zero value is usable.
type GuardOptions struct {
	// MaxHeadBytes bounds request line and headers together; 64 KiB if zero.
	MaxHeadBytes int
	// IdleTimeout bounds how long a read of a request's body or a write of an
	// answer (64 KiB at most, 256 KiB where the kernel copies) may stand still;
	// 60 s if zero. Deadlines set on the connection, by the server's timeouts or
	// an http.ResponseController, hold beside it.
	IdleTimeout time.Duration
	// MaxTargetBytes bounds the request target alone; no such bound if zero.
	MaxTargetBytes int
	// MinRate is the least number of bytes a second, over any RateWindow of
	// waiting for the client, at which a request's body must come and an answer
	// be taken; none if zero. The kernel copies neither a body that comes slowly
	// nor, but for its first 256 KiB, an answer that is taken at less than 1 MiB a
	// second: a higher rate holds for what is not copied by the kernel.
	MinRate int64
	// RateWindow is 30 s if zero.
	RateWindow time.Duration
	// HandshakeTimeout bounds the handshake of a TLS connection; 10 s if zero.
	HandshakeTimeout time.Duration
}

// Guard wraps ln so that a net/http server on it sees only unambiguous
// HTTP/1.1 and HTTP/1.0 requests. Set the server's ConnContext to [ConnContext]
// and ask [Refused] first in its handler.
//
// ln may be a TLS listener (tls.NewListener): the handshake is made before the
// first read and Request.TLS is set as usual. Its config must not offer "h2".
// Over plain TCP the connections keep io.ReaderFrom, so that net/http's
// responses are spliced and sent as files as without the guard.
//
// The server's ReadHeaderTimeout bounds the first head of a connection, its
// IdleTimeout the wait for a further one and that head together: net/http sees
// a head only once it is whole.
func Guard(ln net.Listener, opts GuardOptions) net.Listener {
	return &guardListener{Listener: ln, opts: opts.withDefaults()}
}

func (o GuardOptions) withDefaults() GuardOptions {
	orDefault(&o.MaxHeadBytes, defaultMaxHead)
	orDefault(&o.HandshakeTimeout, defaultHandshake)
	orDefault(&o.IdleTimeout, defaultIdle)
	orDefault(&o.RateWindow, defaultWindow)
	return o
}

type guardListener struct {
	net.Listener
	opts GuardOptions
}

func (l *guardListener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return guardConn(raw, l.opts), nil
}

// guardConn picks the type whose methods are those that raw can serve: net/http
// looks for ReadFrom and ConnectionState.
func guardConn(raw net.Conn, opts GuardOptions) net.Conn {
	c := &conn{Conn: raw, maxHead: opts.MaxHeadBytes, maxTarget: opts.MaxTargetBytes}
	c.readPace = pace{least: opts.MinRate, window: opts.RateWindow}
	c.writePace = c.readPace
	c.reads = deadline{idle: opts.IdleTimeout, set: raw.SetReadDeadline}
	c.writes = deadline{idle: opts.IdleTimeout, set: raw.SetWriteDeadline}
	if t, ok := raw.(*tls.Conn); ok {
		return &tlsConn{conn: c, tls: t, timeout: opts.HandshakeTimeout}
	}
	if rf, ok := raw.(io.ReaderFrom); ok {
		return &streamConn{conn: c, dst: rf}
	}
	return c
}

type connKey struct{}

// ConnContext is the http.Server.ConnContext of a server on a guarded listener.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if g, ok := c.(interface{ guarded() *conn }); ok {
		return context.WithValue(ctx, connKey{}, g.guarded())
	}
	return ctx
}

// Refused returns why the guard refused the head that r stands for
// ([ErrMalformedHead] or [ErrHeadTooLarge], wrapped with a reason that quotes
// nothing of it), or nil when r is a client's own request. The answer to a
// refused head should be a 400; the connection ends after it in any case.
func Refused(r *http.Request) error {
	// The header tells which request is meant: on a pipelined connection an
	// earlier one may still be served when a later head is refused.
	if _, ok := r.Header[refusedField]; !ok {
		return nil
	}
	if c := guarding(r); c != nil {
		if ref := c.refusal.Load(); ref != nil {
			return ref
		}
	}
	return nil
}

// BodyFault returns [ErrFraming] if reading r's body failed because of broken
// chunked framing. Most often the read error itself is ErrFraming; net/http
// replaces it by one of its own when the fault is in the very last line.
func BodyFault(r *http.Request) error {
	if c := guarding(r); c != nil && c.broken.Load() {
		return ErrFraming
	}
	return nil
}

func guarding(r *http.Request) *conn {
	c, _ := r.Context().Value(connKey{}).(*conn)
	return c
}

type guardState uint8

const (
	inHead    guardState = iota // collecting a head
	passHead                    // handing a judged head on
	inLength                    // left bytes of body follow
	inChunks                    // a chunked body follows
	inRefusal                   // handing the substitute on, then nothing
	inFault                     // body framing broken
)

// conn parses what a client sends and hands on only what it understood. Read is
// not safe for concurrent use, as for net/http it need not be.
type conn struct {
	net.Conn
	maxHead   int
	maxTarget int
	reads     deadline // of bodies; heads are under the server's own
	writes    deadline
	readPace  pace // of bodies
	writePace pace

	state guardState
	store []byte   // backs buf
	buf   []byte   // read ahead, a head at most plus what came with it
	pass  int      // bytes at the front of buf that may be handed on
	scan  headScan // over buf, while inHead
	body  framing  // of the head in pass
	left  int64
	chunk chunkScan
	out   string // rest of the substitute
	drain int    // bytes swallowed after a refusal

	refusal  atomic.Pointer[refusal]
	broken   atomic.Bool // the framing of a body
	unread   atomic.Bool // a body, partly
	closing  sync.Once
	closeErr error
}

func (c *conn) guarded() *conn { return c }

// Read implements net.Conn. It returns [ErrFraming] where a chunked body is
// broken.
func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		switch c.state {
		case inHead:
			if err := c.readHead(); err != nil {
				return 0, err
			}
		case passHead:
			n := copy(p, c.buf[:c.pass])
			c.take(n)
			if c.pass -= n; c.pass == 0 {
				c.startBody()
			}
			return n, nil
		case inLength:
			return c.readLength(p)
		case inChunks:
			return c.readChunks(p)
		case inRefusal:
			return c.readRefusal(p)
		case inFault:
			return 0, ErrFraming
		}
	}
}

// take drops n bytes from the front of buf. An empty buf starts over, and gives
// back what an uncommonly long head made it grow to.
func (c *conn) take(n int) {
	c.buf = c.buf[n:]
	if len(c.buf) > 0 {
		return
	}
	if cap(c.store) > 4*bufStep {
		c.store = nil
	}
	c.buf = c.store[:0]
}

// readHead reads until buf holds a whole head, and judges it. An interrupted
// read (net/http's background read is aborted by a deadline) loses nothing.
func (c *conn) readHead() error {
	for {
		window := c.buf[:min(len(c.buf), c.maxHead)]
		if len(window) > 0 && !token[window[0]] {
			// No method begins so: a TLS greeting, say, which has no line end
			// to wait for.
			c.refuse(ErrMalformedHead, "invalid request line")
			return nil
		}
		end, ok := c.scan.find(window)
		if !ok {
			c.refuse(ErrMalformedHead, "line without CRLF")
			return nil
		}
		if end > 0 {
			c.judge(end)
			return nil
		}
		if len(window) == c.maxHead {
			c.refuse(ErrHeadTooLarge, "longer than the limit")
			return nil
		}
		if err := c.fill(); err != nil {
			return err
		}
	}
}

func (c *conn) judge(end int) {
	body, fault := checkHead(c.buf[:end])
	if fault != "" {
		c.refuse(ErrMalformedHead, fault)
		return
	}
	if c.maxTarget > 0 && targetLength(c.buf[:end]) > c.maxTarget {
		c.refuse(ErrHeadTooLarge, "request target longer than the limit")
		return
	}
	c.state, c.pass, c.body, c.scan = passHead, end, body, headScan{}
}

// fill appends to buf, which grows up to the head limit.
func (c *conn) fill() error {
	if len(c.buf) == cap(c.buf) {
		c.reserve(len(c.buf) + 1)
	}
	n, err := c.Conn.Read(c.buf[len(c.buf):cap(c.buf)])
	c.buf = c.buf[:len(c.buf)+n]
	if n > 0 {
		return nil // a lasting error comes again
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

func (c *conn) startBody() {
	switch {
	case c.body.chunked:
		c.state, c.chunk = inChunks, chunkScan{}
		c.unread.Store(true)
	case c.body.length > 0:
		c.state, c.left = inLength, c.body.length
		c.unread.Store(true)
	default:
		c.state = inHead
	}
}

// readRaw reads from buf, then straight from the connection.
func (c *conn) readRaw(p []byte) (int, error) {
	if len(c.buf) > 0 {
		n := copy(p, c.buf)
		c.take(n)
		return n, nil
	}
	if err := c.reads.arm(); err != nil {
		return 0, err
	}
	began := time.Now()
	n, err := c.Conn.Read(p)
	if slow := c.readPace.note(time.Since(began), n); err == nil {
		err = slow
	}
	return n, err
}

// fillBody reads ahead of a body whose end is not known.
func (c *conn) fillBody() error {
	if err := c.reads.arm(); err != nil {
		return err
	}
	began, before := time.Now(), len(c.buf)
	err := c.fill()
	if slow := c.readPace.note(time.Since(began), len(c.buf)-before); err == nil {
		err = slow
	}
	return err
}

func (c *conn) readLength(p []byte) (int, error) {
	n, err := c.readRaw(p[:min(int64(len(p)), c.left)])
	if c.left -= int64(n); c.left == 0 {
		c.state = inHead
		c.unread.Store(false)
	}
	return n, err
}

func (c *conn) readChunks(p []byte) (int, error) {
	n, err := c.readRaw(p)
	used, ok := c.chunk.scan(p[:n])
	if !ok {
		c.state = inFault
		c.broken.Store(true)
		if used > 0 {
			return used, nil
		}
		return 0, ErrFraming
	}
	if c.chunk.state == chunkDone {
		c.state = inHead
		c.unread.Store(false)
		if used < n {
			c.giveBack(p[used:n])
		}
	}
	return used, err
}

// giveBack puts bytes that were read past a body's end before those still
// unread.
func (c *conn) giveBack(p []byte) {
	rest := c.buf
	c.store, c.buf = nil, nil
	c.reserve(len(p) + len(rest))
	c.buf = append(append(c.buf, p...), rest...)
}

// reserve moves buf to the front of a store that holds n bytes.
func (c *conn) reserve(n int) {
	if cap(c.store) < n {
		c.store = make([]byte, max(bufStep, 2*cap(c.store), n))
	}
	c.buf = c.store[:copy(c.store[:cap(c.store)], c.buf)]
}

func (c *conn) refuse(kind error, reason string) {
	c.refusal.Store(&refusal{kind: kind, reason: reason})
	c.state, c.out = inRefusal, substitute
	c.store, c.buf = nil, nil
}

// readRefusal hands on the substitute and then swallows what else the client
// sends, so that the connection does not look closed while the refusal is
// answered.
func (c *conn) readRefusal(p []byte) (int, error) {
	if len(c.out) > 0 {
		n := copy(p, c.out)
		c.out = c.out[n:]
		return n, nil
	}
	waste := make([]byte, bufStep)
	for c.drain < lingerBytes {
		n, err := c.Conn.Read(waste)
		c.drain += n
		if err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

// Close closes the connection; if the client may still be sending, only when it
// has had a moment to read the answer.
func (c *conn) Close() error {
	c.closing.Do(func() {
		if (c.unread.Load() || c.refusal.Load() != nil) && c.CloseWrite() == nil {
			go c.linger()
			return
		}
		c.closeErr = c.Conn.Close()
	})
	return c.closeErr
}

func (c *conn) linger() {
	defer func() { _ = c.Conn.Close() }()
	if c.SetDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, readerOnly{c.Conn}, lingerBytes)
}

type readerOnly struct{ io.Reader }

// CloseWrite ends the sending side where the transport can (TCP, TLS, unix).
func (c *conn) CloseWrite() error {
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return errors.ErrUnsupported
}

// tlsConn gives net/http the TLS state that it cannot see through the guard.
type tlsConn struct {
	*conn
	tls     *tls.Conn
	timeout time.Duration
}

// ConnectionState makes the handshake first: net/http asks once, on the
// connection's own goroutine, before it reads.
func (c *tlsConn) ConnectionState() tls.ConnectionState {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	if c.tls.HandshakeContext(ctx) != nil {
		// What failed is for the peer to see in its alert; net/http gets a
		// closed connection and stays silent.
		_ = c.tls.NetConn().Close()
	}
	return c.tls.ConnectionState()
}
