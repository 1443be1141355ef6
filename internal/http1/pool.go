package http1

import (
	"bufio"
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// pool holds the connections to one backend. A slot stands for an exchange
// under way; idle connections hold none, and as a new one is dialled only when
// none is idle, slots bound them all.
type pool struct {
	opts    Options
	slots   chan struct{}
	open    atomic.Int64
	waiting atomic.Int64

	mu     sync.Mutex
	idle   []*backendConn // the longest idle first
	sweep  *time.Timer
	closed bool
}

// backendConn is one connection to the backend.
type backendConn struct {
	net.Conn
	raw       net.Conn      // what TLS, if any, runs on
	in        *bufio.Reader // nil while the connection is idle, and once it was taken over
	headBuf   []byte        // scratch for heads that come in
	reused    bool
	dialled   time.Time
	idleSince time.Time
}

func newBackendConn(c net.Conn) *backendConn {
	b := &backendConn{Conn: c, raw: c, dialled: time.Now()}
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		b.raw = t.NetConn()
	}
	b.wake()
	return b
}

// readAhead is how much of an answer a read may bring at once: most lists come
// whole.
const readAhead = 32 << 10

var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, readAhead) }}

// wake gives the connection what it reads with, which an idle one needs not.
func (b *backendConn) wake() {
	b.in = readers.Get().(*bufio.Reader)
	b.in.Reset(b.Conn)
}

// sleep is called when nothing is left to read.
func (b *backendConn) sleep() {
	if b.in != nil && b.in.Size() == readAhead { // another one reads through the first
		Held{b.in}.Free()
	}
	b.in = nil
}

// drained reports whether nothing more has come than was read.
func (b *backendConn) drained() bool { return b.in == nil || b.in.Buffered() == 0 }

// Held holds bytes that were read ahead.
type Held struct{ in *bufio.Reader }

// Free gives their room back: they must not be read any more.
func (h Held) Free() {
	if h.in != nil {
		h.in.Reset(nil)
		readers.Put(h.in)
	}
}

// abort breaks the connection, whoever is reading or writing. Bytes the kernel
// still holds are thrown away, not delivered.
func (b *backendConn) abort() {
	if t, ok := b.raw.(interface{ SetLinger(int) error }); ok {
		_ = t.SetLinger(0)
	}
	_ = b.raw.Close()
}

// acquire waits for a slot.
func (p *pool) acquire(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
	}
	waiting := p.waiting.Add(1)
	defer p.waiting.Add(-1)
	if waiting > int64(p.opts.MaxWaiting) {
		return &Error{Kind: ErrBusy}
	}
	var expired <-chan time.Time
	if p.opts.WaitTimeout > 0 {
		t := time.NewTimer(p.opts.WaitTimeout)
		defer t.Stop()
		expired = t.C
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return canceled(ctx, false, false)
	case <-expired:
		return &Error{Kind: ErrBusy}
	}
}

func (p *pool) release() { <-p.slots }

// connect returns a connection for an exchange: the one last used, if it is
// still clean and fresh is not asked for, else a new one.
func (p *pool) connect(ctx context.Context, fresh bool) (*backendConn, error) {
	for !fresh {
		b, err := p.pop()
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		if !p.outlived(b) && b.silent() {
			b.reused = true
			b.wake()
			return b, nil
		}
		p.discard(b)
	}
	c, err := p.opts.Dial(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, canceled(ctx, false, false)
		}
		return nil, &Error{Kind: ErrDial, Cause: err}
	}
	p.open.Add(1)
	return newBackendConn(c), nil
}

func (p *pool) pop() (*backendConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, &Error{Kind: ErrClosed}
	}
	last := len(p.idle) - 1
	if last < 0 {
		return nil, nil
	}
	b := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return b, nil
}

// put keeps a connection that is proven clean.
func (p *pool) put(b *backendConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= p.opts.MaxIdle || p.outlived(b) {
		p.discard(b)
		return
	}
	b.sleep()
	b.idleSince = time.Now()
	p.idle = append(p.idle, b)
	if p.sweep == nil {
		p.sweep = time.AfterFunc(p.opts.IdleTimeout, p.expire)
	}
}

func (p *pool) outlived(b *backendConn) bool {
	return p.opts.MaxLifetime > 0 && time.Since(b.dialled) >= p.opts.MaxLifetime
}

// expire closes what has been idle for too long and comes back for the rest.
func (p *pool) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, n := time.Now(), 0
	for n < len(p.idle) && now.Sub(p.idle[n].idleSince) >= p.opts.IdleTimeout {
		p.discard(p.idle[n])
		n++
	}
	rest := copy(p.idle, p.idle[n:])
	clear(p.idle[rest:])
	p.idle = p.idle[:rest]
	p.sweep = nil
	if rest > 0 {
		p.sweep = time.AfterFunc(p.opts.IdleTimeout-now.Sub(p.idle[0].idleSince), p.expire)
	}
}

func (p *pool) discard(b *backendConn) {
	// The transport is closed without TLS's farewell, which could block.
	_ = b.raw.Close()
	p.open.Add(-1)
}

func (p *pool) closeIdle(forever bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = p.closed || forever
	for _, b := range p.idle {
		p.discard(b)
	}
	p.idle = nil
	if p.sweep != nil {
		p.sweep.Stop()
		p.sweep = nil
	}
}

func (p *pool) idleCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

// silent reports whether an idle connection is alive and has said nothing since
// its last answer. What speaks unasked would be taken for the answer to the
// next tenant's request.
func (b *backendConn) silent() bool {
	if b.Conn != b.raw {
		// TLS may hold decrypted bytes that no look at the socket shows. A read
		// whose time is up yields those and nothing else.
		var one [1]byte
		if b.SetReadDeadline(longAgo) != nil {
			return false
		}
		n, err := io.ReadFull(b.Conn, one[:])
		if n > 0 || !isTimeout(err) || b.SetReadDeadline(time.Time{}) != nil {
			return false
		}
	}
	return socketSilent(b.raw)
}

var longAgo = time.Unix(1, 0)
