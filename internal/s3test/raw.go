package s3test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// Raw is a backend that says, byte by byte, what its script tells it to: for
// answers that no HTTP server would give.
type Raw struct {
	// URL is the endpoint, http://127.0.0.1:port.
	URL string

	conns, requests atomic.Int64

	mu   sync.Mutex
	open map[net.Conn]bool
}

// RawConn is one connection of a [Raw].
type RawConn struct {
	net.Conn
	// N counts the connections from 1 on.
	N int64
	// Ended is closed when the test ends: a script that does nothing waits for it.
	Ended <-chan struct{}

	raw *Raw
	in  *bufio.Reader
}

// NewRaw starts a backend that runs script on every connection and closes it
// then. It ends with the test.
func NewRaw(t testing.TB, script func(*RawConn)) *Raw {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // bound at once
	if err != nil {
		t.Fatal(err)
	}
	r := &Raw{URL: "http://" + ln.Addr().String(), open: map[net.Conn]bool{}}
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.open[c] = true
			r.mu.Unlock()
			conn := &RawConn{Conn: c, N: r.conns.Add(1), Ended: ended, raw: r, in: bufio.NewReader(c)}
			running.Go(func() {
				defer r.drop(c)
				script(conn)
			})
		}
	})
	t.Cleanup(func() {
		close(ended)
		_ = ln.Close()
		r.mu.Lock()
		for c := range r.open {
			_ = c.Close()
		}
		r.mu.Unlock()
		running.Wait()
	})
	return r
}

func (r *Raw) drop(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c)
	_ = c.Close()
}

// Connections is how many were accepted.
func (r *Raw) Connections() int { return int(r.conns.Load()) }

// Requests is how many requests scripts have read.
func (r *Raw) Requests() int { return int(r.requests.Load()) }

// Request reads the next request's head; nil when there is none. Its body is
// read by whoever wants it.
func (c *RawConn) Request() *http.Request {
	r, err := http.ReadRequest(c.in)
	if err != nil {
		return nil
	}
	c.raw.requests.Add(1)
	return r
}

// Whole reads the next request and its body; false when there is none.
func (c *RawConn) Whole() bool {
	r := c.Request()
	if r == nil {
		return false
	}
	_, err := io.Copy(io.Discard, r.Body)
	return err == nil
}

// Say writes text and reports whether it could.
func (c *RawConn) Say(text string) bool {
	_, err := io.WriteString(c.Conn, text)
	return err == nil
}

// Reset makes the end of the connection a reset instead of an orderly close.
func (c *RawConn) Reset() {
	if t, ok := c.Conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// Hold waits for the end of the test.
func (c *RawConn) Hold() { <-c.Ended }
