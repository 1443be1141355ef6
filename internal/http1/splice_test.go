package http1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// spied counts what of a body the kernel copied.
type spied struct {
	Direct
	copied atomic.Int64
	begun  chan struct{} // one is sent when it first did
}

func (s *spied) CopyTo(w io.ReaderFrom, n int64) (int64, error) {
	m, err := s.Direct.CopyTo(w, n)
	if s.copied.Add(m) == m && m > 0 {
		s.begun <- struct{}{}
	}
	return m, err
}

// uploaded is how an upload ended for the gateway.
type uploaded struct {
	err    error
	copied int64
}

// uploads serves uploads to a backend; cut ends them as a revocation does.
func uploads(t *testing.T, c *Client, cut <-chan struct{}) (addr string, results chan uploaded, begun chan struct{}) {
	results, begun = make(chan uploaded, 1), make(chan struct{}, 16)
	addr = serveOwn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		ctl := http.NewResponseController(w)
		ended := make(chan struct{})
		defer close(ended)
		go func() {
			select {
			case <-cut:
				_ = ctl.SetReadDeadline(longAgo)
				cancel()
			case <-ended:
			}
		}()
		body := &spied{Direct: r.Body.(Direct), begun: begun}
		resp, err := c.Do(ctx, &Request{
			Method: r.Method, Target: r.RequestURI, Body: body, ContentLength: r.ContentLength,
			AbortBody: func() { _ = ctl.SetReadDeadline(longAgo) },
		})
		if err == nil {
			_ = resp.Body.Close()
			w.WriteHeader(resp.Status)
		}
		results <- uploaded{err, body.copied.Load()}
	}), listen(t), GuardOptions{IdleTimeout: 20 * time.Second})
	return addr, results, begun
}

func uploadHead(length int) string {
	return fmt.Sprintf("PUT /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", length)
}

func TestUploadsAreCopiedByTheKernel(t *testing.T) {
	for _, tt := range []struct {
		name   string
		length int
		pause  time.Duration // in the middle
		copied bool
	}{
		{"short", shortBody, 0, false},
		{"too short to gain", splicePiece + shortBody, 0, false},
		{"long", 5*mib + 1, 0, true},
		{"with a pause", 3 * mib, 50 * time.Millisecond, true},
		{"with one that is too long to wait for", 3 * mib, spliceWait + spliceWait/4, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := make(chan []byte, 1)
			b := newBackendOf(t, func(p *peer) {
				_, body, _ := p.request(true)
				got <- body
				p.say(okAnswer)
			})
			addr, results, _ := uploads(t, b, nil)
			want := pattern(tt.length)
			c := dial(t, addr)
			go func() {
				_, _ = io.WriteString(c, uploadHead(len(want)))
				_, _ = c.Write(want[:len(want)/2])
				time.Sleep(tt.pause)
				_, _ = c.Write(want[len(want)/2:])
			}()
			answer := readAnswers(t, c)
			if res := <-results; res.err != nil || (res.copied > 0) != tt.copied || res.copied >= int64(tt.length) {
				t.Errorf("ended with %v, %d of %d bytes copied", res.err, res.copied, tt.length)
			}
			if !strings.HasPrefix(answer, "HTTP/1.1 200") || !bytes.Equal(<-got, want) {
				t.Errorf("answer %q, or another body arrived", answer)
			}
		})
	}
}

// newBackendOf is a client of a backend that runs script. Tests run in parallel,
// so goroutines are not counted.
func newBackendOf(t *testing.T, script func(*peer)) *Client {
	t.Helper()
	return patientBackendOf(t, 500*time.Millisecond, script)
}

// patientBackendOf is the same, with another IOTimeout.
func patientBackendOf(t *testing.T, patience time.Duration, script func(*peer)) *Client {
	t.Helper()
	ln := listen(t)
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				_ = c.SetDeadline(time.Now().Add(20 * time.Second))
				script(&peer{Conn: c, in: bufio.NewReader(c)})
			}()
		}
	}()
	c := NewClient(Options{
		Host: "backend.test", IOTimeout: patience, HeaderTimeout: 10 * time.Second,
		Dial: func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", ln.Addr().String())
		},
	})
	t.Cleanup(c.Close)
	return c
}

// An upload that breaks while the kernel copies is never complete, ends soon,
// and is blamed on who broke it.
func TestCopiedUploadsBreakOff(t *testing.T) {
	const length = 64 * mib
	for _, tt := range []struct {
		name    string
		backend func(p *peer, r io.Reader)
		client  func(c *net.TCPConn, cut chan<- struct{})
		kind    error
		answer  string // what the client is told, if anything
	}{
		{"the client hangs up", readAll, func(c *net.TCPConn, _ chan<- struct{}) { _ = c.Close() }, ErrBody, ""},
		{"the client ends its side", readAll, func(c *net.TCPConn, _ chan<- struct{}) { _ = c.CloseWrite() }, ErrBody, ""},
		{"the client resets", readAll, func(c *net.TCPConn, _ chan<- struct{}) {
			_ = c.SetLinger(0)
			_ = c.Close()
		}, ErrBody, ""},
		{"the right is taken away", readAll, func(_ *net.TCPConn, cut chan<- struct{}) { close(cut) }, context.Canceled, ""},
		{"the backend hangs up", func(p *peer, r io.Reader) { _, _ = io.CopyN(io.Discard, r, 2*mib) }, sendOn, ErrConnLost, ""},
		{"the backend stands still", func(*peer, io.Reader) { time.Sleep(2 * spliceWait) }, sendOn, ErrIdleTimeout, ""},
		{"the backend answers early", func(p *peer, r io.Reader) {
			_, _ = io.CopyN(io.Discard, r, 2*mib)
			p.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
			time.Sleep(time.Second)
		}, sendOn, nil, "HTTP/1.1 403"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan int64, 1)
			backend := newBackendOf(t, func(p *peer) {
				r, _, err := p.request(false)
				if err != nil {
					return
				}
				counted := &countingReader{r: r.Body}
				tt.backend(p, counted)
				arrived <- counted.n
			})
			cut := make(chan struct{})
			addr, results, begun := uploads(t, backend, cut)
			c := dial(t, addr)
			_, _ = io.WriteString(c, uploadHead(length))
			go func() {
				_, _ = c.Write(make([]byte, 2*mib))
				<-begun
				tt.client(c, cut)
			}()
			within(t, 15*time.Second, func() {
				res := <-results
				if !errors.Is(res.err, tt.kind) {
					t.Errorf("err = %v, want %v", res.err, tt.kind)
				}
				var e *Error
				if errors.As(res.err, &e) && e.Complete {
					t.Errorf("%v counts as complete", e)
				}
				if n := <-arrived; n >= length {
					t.Errorf("all %d bytes arrived", n)
				}
			})
			if tt.answer != "" && !strings.HasPrefix(readAnswers(t, c), tt.answer) {
				t.Error("the client did not get the answer")
			}
		})
	}
}

func readAll(_ *peer, r io.Reader) { _, _ = io.Copy(io.Discard, r) }

func sendOn(c *net.TCPConn, _ chan<- struct{}) { _, _ = io.Copy(c, &zeros{128 * mib, io.EOF}) }

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
