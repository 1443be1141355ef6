package http1

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// serverConn is a client's connection while it is served.
type serverConn struct {
	*conn
	server   *Server
	copyTo   *streamConn // nil where the kernel cannot copy to the client
	tls      *tlsConn    // nil over plain TCP
	tlsState *tls.ConnectionState
	remote   string
	base     context.Context
	since    time.Time // when it was accepted
	phase    atomic.Int32
	watch    watch
	spare    http.Header // an answer's that is over, emptied
}

// What a connection is at.
const (
	phaseNew    int32 = iota // no request has begun yet
	phaseIdle                // between two
	phaseActive              // a request has begun and is not answered
	phaseOver                // no further one is answered
)

// newGrace is how long a new connection's first request is waited for when the
// server is shut down.
const newGrace = 5 * time.Second

func newServerConn(s *Server, raw net.Conn, opts GuardOptions) *serverConn {
	c := &serverConn{server: s, since: time.Now()}
	switch guarded := guardConn(raw, opts).(type) {
	case *streamConn:
		c.conn, c.copyTo = guarded.conn, guarded
	case *tlsConn:
		c.conn, c.tls = guarded.conn, guarded
	case *conn:
		c.conn = guarded
	}
	c.watch.conn = c
	return c
}

// serve answers one request after the other.
func (c *serverConn) serve() {
	defer func() { _ = c.Close() }()
	if c.tls != nil {
		state := c.tls.ConnectionState()
		if !state.HandshakeComplete {
			return
		}
		c.tlsState = &state
	}
	c.remote = c.RemoteAddr().String()
	c.base = context.WithValue(context.Background(), connKey{}, c.conn)
	for first := true; c.awaitRequest(first) && c.readHead() == nil && c.answer() && c.idle(); {
		first = false
	}
}

// headEnd is what a head's last line and the empty one have between them.
var headEnd = []byte("\r\n\r\n")

// awaitRequest returns true once a request has begun.
func (c *serverConn) awaitRequest(first bool) bool {
	patience := c.server.IdleTimeout
	if first {
		patience = c.server.HeaderTimeout
	}
	c.writes.free()
	c.reads.free()
	if c.reads.set(until(patience)) != nil || len(c.buf) == 0 && c.fill() != nil || !c.begins() {
		return false
	}
	// Most heads have come whole.
	return first || bytes.Contains(c.buf, headEnd) || c.reads.set(until(c.server.HeaderTimeout)) == nil
}

func until(patience time.Duration) time.Time {
	if patience <= 0 {
		return noDeadline
	}
	return time.Now().Add(patience)
}

func (c *serverConn) begins() bool {
	return c.phase.CompareAndSwap(phaseIdle, phaseActive) || c.phase.CompareAndSwap(phaseNew, phaseActive)
}

func (c *serverConn) idle() bool {
	return c.phase.CompareAndSwap(phaseActive, phaseIdle) && !c.server.closing.Load()
}

// endIfIdle reports whether the connection is at no request, and from now on
// begins none.
func (c *serverConn) endIfIdle() bool {
	if c.phase.CompareAndSwap(phaseIdle, phaseOver) {
		return true
	}
	return time.Since(c.since) > newGrace && c.phase.CompareAndSwap(phaseNew, phaseOver)
}

// answer serves the request whose head has been judged, and reports whether
// another may follow.
func (c *serverConn) answer() (again bool) {
	ctx := newRequestContext(c.base)
	cancel := func() { ctx.End(context.Canceled) }
	defer cancel()
	r, body := c.request(ctx)
	w := &answerWriter{conn: c, request: r, body: body, gone: cancel, length: -1, header: c.spare}
	c.spare = nil
	w.closes = r.Close
	body.answer = w
	c.watch.begin(cancel, body)
	broken := c.handle(w, r)
	c.watch.end()
	if broken {
		w.abandon()
	} else {
		w.finish()
	}
	body.over.Store(true)
	if w.closes || w.err != nil {
		return false
	}
	c.spare = w.takeBack()
	return true
}

// handle calls the handler. One that panics has broken its answer off.
func (c *serverConn) handle(w http.ResponseWriter, r *http.Request) (broken bool) {
	defer func() {
		if p := recover(); p != nil {
			broken = true
			if p != http.ErrAbortHandler { //nolint:errorlint // the value itself is the sign
				c.server.Log.LogAttrs(r.Context(), slog.LevelError, "the handler of a request panicked",
					slog.String("client", c.remote), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			}
		}
	}()
	c.server.Handler.ServeHTTP(w, r)
	return false
}

// readAhead reads what comes behind the request that is being answered, until
// the client's end is found or there is no more room.
func (c *serverConn) readAhead() error {
	for len(c.buf) < c.maxHead {
		if err := c.fill(); err != nil {
			return err
		}
	}
	return nil
}
