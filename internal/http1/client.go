package http1

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

// Options configure a [Client]. Dial and Host are required; zero limits take
// the defaults given.
type Options struct {
	// Dial opens a connection to the backend: TCP, a unix socket or TLS after
	// its handshake, with whatever address checks and time limit the caller
	// wants. It must honour ctx.
	Dial func(ctx context.Context) (net.Conn, error)
	// Host is the Host header where a Request names none.
	Host string
	// MaxConns bounds the exchanges under way, and with them the connections;
	// 256. An exchange lasts until its Response.Body has ended or is closed.
	MaxConns int
	// MaxIdle bounds the connections kept for reuse; 64.
	MaxIdle int
	// IdleTimeout closes a connection not used for that long; 60 s. It should
	// be shorter than the backend's own.
	IdleTimeout time.Duration
	// MaxLifetime is how long after its dialling a connection may still be taken
	// for a new exchange, so that a moved name is noticed under steady traffic;
	// zero sets no bound.
	MaxLifetime time.Duration
	// MaxWaiting bounds the calls that wait for one of MaxConns; beyond it Do
	// fails with ErrBusy at once. 1024.
	MaxWaiting int
	// WaitTimeout bounds the wait for one of MaxConns; zero waits as long as
	// the context lets it.
	WaitTimeout time.Duration
	// HeaderTimeout bounds the wait for the head of the answer once the
	// request has been sent; 60 s.
	HeaderTimeout time.Duration
	// IOTimeout bounds how long a write to the backend (64 KiB at most) or a
	// read of an answer's body may stand still; 60 s. Nothing bounds the whole
	// of an exchange, and waiting for the caller's Body counts as no delay.
	IOTimeout time.Duration
	// MaxHeaderBytes bounds the head of an answer, and its trailer; 64 KiB.
	MaxHeaderBytes int
}

// Stats are gauges of a [Client] at one moment.
type Stats struct {
	Open    int // connections, in use and idle
	Idle    int // of them, waiting for a request
	Waiting int // calls of Do that wait for a connection
}

// Client speaks HTTP/1.1 with one backend. It follows no redirects, decodes no
// content and repeats a request only where the backend cannot have acted on it
// (see Do). It is safe for concurrent use.
type Client struct {
	pool *pool
	opts Options
}

// NewClient makes a Client. It dials nothing yet.
func NewClient(opts Options) *Client {
	orDefault(&opts.MaxConns, 256)
	orDefault(&opts.MaxIdle, 64)
	orDefault(&opts.MaxWaiting, 1024)
	orDefault(&opts.IdleTimeout, time.Minute)
	orDefault(&opts.HeaderTimeout, time.Minute)
	orDefault(&opts.IOTimeout, time.Minute)
	orDefault(&opts.MaxHeaderBytes, 64<<10)
	return &Client{opts: opts, pool: &pool{opts: opts, slots: make(chan struct{}, opts.MaxConns)}}
}

func orDefault[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// CloseIdle closes the connections that wait for a request.
func (c *Client) CloseIdle() { c.pool.closeIdle(false) }

// Close closes idle connections and refuses further requests with ErrClosed.
// Exchanges under way go on; their connections are not kept.
func (c *Client) Close() { c.pool.closeIdle(true) }

// Stats returns the current gauges.
func (c *Client) Stats() Stats {
	return Stats{
		Open:    int(c.pool.open.Load()),
		Idle:    c.pool.idleCount(),
		Waiting: int(c.pool.waiting.Load()),
	}
}

// Do sends one request and returns once the head of its answer has come, with
// any status. Its errors are of type [*Error]. The Response's Body must be
// closed.
//
// ctx governs the whole exchange, the reading of the answer's body included:
// when it ends, the connection is broken at once and no further byte of the
// request is sent.
//
// A request that fails on a reused connection, before any byte of an answer,
// is repeated once on a new one if nothing of it was sent, or if it is a GET or
// HEAD without a body: the backend had closed the idle connection.
func (c *Client) Do(ctx context.Context, req *Request) (*Response, error) {
	if ctx.Err() != nil {
		return nil, canceled(ctx, false, false)
	}
	out := heads.Get().(*[]byte)
	defer heads.Put(out)
	if err := req.appendStart(ctx, out, c.opts.Host); err != nil {
		return nil, err
	}
	if err := c.pool.acquire(ctx); err != nil {
		return nil, err
	}
	resp, again, err := c.attempt(ctx, req, *out, false)
	if again {
		resp, _, err = c.attempt(ctx, req, *out, true)
	}
	if err != nil {
		c.pool.release()
		return nil, err
	}
	return resp, nil
}

// attempt makes the exchange on one connection. On success the connection and
// the slot have passed to the response.
func (c *Client) attempt(ctx context.Context, req *Request, head []byte, fresh bool) (resp *Response, again bool, err error) {
	conn, err := c.pool.connect(ctx, fresh)
	if err != nil {
		return nil, false, err
	}
	x := &exchange{client: c, ctx: ctx, req: req, conn: conn}
	x.unwatch = afterEnd(ctx, conn.abort)
	a, failure := x.run(head)
	if failure != nil {
		x.unwatch()
		conn.abort()
		c.pool.discard(conn)
		return nil, x.repeatable(failure), failure
	}
	return x.respond(a), false, nil
}

// exchange is one request and its answer on one connection.
type exchange struct {
	client  *Client
	ctx     context.Context
	req     *Request
	conn    *backendConn
	unwatch func() bool // ends ctx's hold on conn

	sent     bool // of the request, a byte
	complete bool // … the last byte
	touched  bool // of the streamed body, a read
	answered bool // of the answer, a byte
	fetched  bool // … all of it: the connection is needed no more
	upload   upload
}

func (x *exchange) repeatable(failure *Error) bool {
	if !x.conn.reused || x.answered || x.touched || !errors.Is(failure, ErrConnLost) {
		return false
	}
	if !x.sent {
		return true
	}
	safe := x.req.Method == http.MethodGet || x.req.Method == http.MethodHead
	return safe && x.req.ContentLength == 0
}

func (x *exchange) run(head []byte) (answer, *Error) {
	if x.req.ContentLength > shortBody {
		return x.stream(head)
	}
	if err := x.last(head); err != nil {
		// The backend may have answered and hung up without reading all.
		if f := x.failure(err); !errors.Is(f, ErrConnLost) || !x.sent {
			return answer{}, f
		}
	}
	x.awaitHead()
	a, err := x.readAnswer()
	if err != nil {
		return answer{}, x.failure(err)
	}
	return a, nil
}

// awaitHead starts the clock for the head of the answer.
func (x *exchange) awaitHead() {
	limit := x.client.opts.HeaderTimeout
	if x.req.HeaderTimeout > 0 {
		limit = x.req.HeaderTimeout
	}
	_ = x.conn.SetReadDeadline(time.Now().Add(limit))
}

func (x *exchange) readAnswer() (answer, error) {
	a, begun, err := readAnswer(x.conn.in, x.client.opts.MaxHeaderBytes, &x.conn.headBuf)
	x.answered = begun
	if isTimeout(err) {
		err = &Error{Kind: ErrHeaderTimeout}
	}
	return a, err
}

// last sends the piece that completes the request, through Commit if there is
// one.
func (x *exchange) last(p []byte) error {
	if x.req.Commit == nil {
		return x.write(p, true)
	}
	var sent error
	called := false
	err := x.req.Commit(func() error {
		if called {
			return errSentTwice
		}
		called = true
		sent = x.write(p, true)
		return sent
	})
	switch {
	case called && sent != nil:
		return sent
	case err != nil:
		return &Error{Kind: ErrBody, Cause: err}
	case !called:
		return &Error{Kind: ErrBody, Cause: errUncommitted}
	}
	return nil
}

// write sends a piece, within IOTimeout. It looks at the context last: what
// ends later finds the piece on its way, and breaks the connection.
func (x *exchange) write(p []byte, last bool) error {
	if err := x.mayWrite(time.Now().Add(x.client.opts.IOTimeout)); err != nil {
		return err
	}
	n, err := x.conn.Write(p)
	// A TLS record that failed midway counts as nothing written.
	x.sent = x.sent || n > 0 || err != nil && x.conn.raw != x.conn.Conn
	x.complete = x.complete || last && n == len(p)
	if x.upload.answered.Load() && isTimeout(err) {
		return errAnswered
	}
	return err
}

// mayWrite gives the next write its time, if there is to be one.
func (x *exchange) mayWrite(until time.Time) error {
	if err := x.conn.SetWriteDeadline(until); err != nil {
		return err
	}
	if x.upload.answered.Load() {
		return errAnswered
	}
	return x.ctx.Err()
}

// failure makes an *Error of whatever went wrong, with what is known about the
// request's fate.
func (x *exchange) failure(err error) *Error {
	f := x.kind(err)
	f.Sent, f.Complete = x.sent, x.complete
	return f
}

// kind makes an *Error that does not tell yet what was sent.
func (x *exchange) kind(err error) *Error {
	var f *Error
	switch {
	case x.ctx.Err() != nil:
		return canceled(x.ctx, false, false)
	case errors.As(err, &f):
		return &Error{Kind: f.Kind, Cause: f.Cause}
	case isTimeout(err):
		return &Error{Kind: ErrIdleTimeout}
	}
	return &Error{Kind: ErrConnLost, Cause: err}
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
