package http1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// peer is the backend's end of one connection.
type peer struct {
	net.Conn
	in *bufio.Reader
}

// request reads a request; body false leaves its body unread.
func (p *peer) request(body bool) (*http.Request, []byte, error) {
	r, err := http.ReadRequest(p.in)
	if err != nil || !body {
		return r, nil, err
	}
	b, err := io.ReadAll(r.Body)
	return r, b, err
}

func (p *peer) say(s string) { _, _ = io.WriteString(p, s) }

// backend is a scripted raw TCP server.
type backend struct {
	addr  string
	conns atomic.Int64 // accepted
}

// newBackend runs script on each connection, closes it afterwards, and checks
// at the end of the test that no goroutine is left.
func newBackend(t *testing.T, script func(p *peer)) *backend {
	t.Helper()
	before := runtime.NumGoroutine()
	ln := listen(t)
	b := &backend{addr: ln.Addr().String()}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			b.conns.Add(1)
			go func() {
				defer func() { _ = c.Close() }()
				_ = c.SetDeadline(time.Now().Add(20 * time.Second))
				script(&peer{Conn: c, in: bufio.NewReader(c)})
			}()
		}
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		for wait := time.Millisecond; runtime.NumGoroutine() > before; wait *= 2 {
			if wait > 4*time.Second {
				stacks := make([]byte, 1<<16)
				t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
			}
			time.Sleep(wait)
		}
	})
	return b
}

// client makes a Client of b with short limits, which change may alter.
func (b *backend) client(t *testing.T, change func(*Options)) *Client {
	t.Helper()
	opts := Options{
		Host:          "backend.test",
		Dial:          func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", b.addr) },
		HeaderTimeout: 10 * time.Second,
		IOTimeout:     10 * time.Second,
	}
	if change != nil {
		change(&opts)
	}
	c := NewClient(opts)
	t.Cleanup(c.Close)
	return c
}

// loop answers each request on a connection with answer, until it ends.
func loop(answer string) func(*peer) {
	return func(p *peer) {
		for {
			if _, _, err := p.request(true); err != nil {
				return
			}
			p.say(answer)
		}
	}
}

func get() *Request { return &Request{Method: http.MethodGet, Target: "/b/k"} }

func put(body io.Reader, n int64) *Request {
	return &Request{Method: http.MethodPut, Target: "/b/k", Body: body, ContentLength: n}
}

// fetch does a request and reads the answer to its end.
func fetch(ctx context.Context, c *Client, req *Request) (*Response, string, error) {
	resp, err := c.Do(ctx, req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func TestClientReuse(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer string
		reused bool
	}{
		{"length", okAnswer, true},
		{"no body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", true},
		{"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", true},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true},
		{"chunked with a trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n", true},
		{"after interim answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + okAnswer, true},
		{"same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", true},
		{"keep-alive", "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", true},
		{"surplus", okAnswer + "x", false},
		{"surplus answer", okAnswer + okAnswer, false},
		{"surplus after 204", "HTTP/1.1 204 No Content\r\n\r\nx", false},
		{"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", false},
		{"304 with a body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok", false},
		{"surplus after chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nx", false},
		{"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false},
		{"close among others", "HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 2\r\n\r\nok", false},
		{"unknown option", "HTTP/1.1 200 OK\r\nConnection: foo\r\nContent-Length: 2\r\n\r\nok", false},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
		{"HTTP/1.0 keep-alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t, loop(tt.answer))
			c := b.client(t, nil)
			for range 3 {
				if _, _, err := fetch(t.Context(), c, get()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Millisecond) // for what is surplus to arrive
			}
			want := int64(3)
			if tt.reused {
				want = 1
			}
			if got := b.conns.Load(); got != want {
				t.Errorf("%d connections for 3 requests, want %d", got, want)
			}
			if st := c.Stats(); st.Open != st.Idle || st.Idle > 1 {
				t.Errorf("stats = %+v", st)
			}
		})
	}
}

func TestClientRefusesAnswers(t *testing.T) {
	for _, tt := range []struct{ name, answer string }{
		{"garbage", "SSH-2.0-OpenSSH_9.6\r\n\r\n"},
		{"HTTP/2", "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{"length and chunked", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"},
		{"length list", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok"},
		{"signed length", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"},
		{"odd coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
		{"coding twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"folded", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"},
		{"bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"},
		{"bare CR", "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n"},
		{"space before colon", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"},
		{"NUL", "HTTP/1.1 200 OK\r\nX: \x00\r\nContent-Length: 0\r\n\r\n"},
		{"short status", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"},
		{"status out of range", "HTTP/1.1 700 OK\r\nContent-Length: 0\r\n\r\n"},
		{"protocol switch", "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
		{"endless interim answers", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 6) + okAnswer},
		{"head too large", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 70<<10) + "\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t, loop(tt.answer))
			c := b.client(t, nil)
			_, _, err := fetch(t.Context(), c, get())
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, ErrBadResponse) || !e.Sent || !e.Complete {
				t.Errorf("err = %#v, want ErrBadResponse of a complete request", err)
			}
			if st := c.Stats(); st.Open != 0 {
				t.Errorf("stats = %+v, want no connection", st)
			}
		})
	}
}

func TestClientCutBodies(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		want         error
	}{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", io.ErrUnexpectedEOF},
		{"length, nothing", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", io.ErrUnexpectedEOF},
		{"in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", io.ErrUnexpectedEOF},
		{"after a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", io.ErrUnexpectedEOF},
		{"after the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", io.ErrUnexpectedEOF},
		{"in the trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n", io.ErrUnexpectedEOF},
		{"extension", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n", ErrBadResponse},
		{"chunk overflow", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc", ErrBadResponse},
		{"endless size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("0", 100), ErrBadResponse},
		{"bad trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX y\r\n\r\n", ErrBadResponse},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t, func(p *peer) {
				_, _, _ = p.request(true)
				p.say(tt.answer)
			})
			c := b.client(t, nil)
			_, _, err := fetch(t.Context(), c, get())
			if !errors.Is(err, tt.want) {
				t.Errorf("err = %v, want %v", err, tt.want)
			}
			if st := c.Stats(); st.Open != 0 {
				t.Errorf("stats = %+v, want no connection", st)
			}
		})
	}
}

func TestClientReadsUntilClose(t *testing.T) {
	b := newBackend(t, func(p *peer) {
		_, _, _ = p.request(true)
		p.say("HTTP/1.1 200 OK\r\n\r\nall of it")
	})
	c := b.client(t, nil)
	resp, body, err := fetch(t.Context(), c, get())
	if err != nil || body != "all of it" || resp.ContentLength != -1 {
		t.Errorf("%q, %v", body, err)
	}
}

func TestClientSends(t *testing.T) {
	type seen struct{ head, body string }
	got := make(chan seen, 1)
	b := newBackend(t, func(p *peer) {
		for {
			var head bytes.Buffer
			p.in = bufio.NewReader(io.TeeReader(p.in, &head))
			_, body, err := p.request(true)
			if err != nil {
				return
			}
			h, _, _ := strings.Cut(head.String(), "\r\n\r\n")
			got <- seen{h, string(body)}
			p.say(okAnswer)
		}
	})
	c := b.client(t, nil)
	long := strings.Repeat("long", 100_000)
	for _, tt := range []struct {
		name string
		req  *Request
		want seen
	}{
		{"get", get(), seen{"GET /b/k HTTP/1.1\r\nHost: backend.test", ""}},
		{"own host, case kept", &Request{Method: "GET", Target: "/k?a=%20", Host: "b.backend.test:9", Header: http.Header{"x-amz-date": {"now"}}},
			seen{"GET /k?a=%20 HTTP/1.1\r\nHost: b.backend.test:9\r\nx-amz-date: now", ""}},
		{"empty put", put(nil, 0), seen{"PUT /b/k HTTP/1.1\r\nHost: backend.test\r\nContent-Length: 0", ""}},
		{"delete", &Request{Method: "DELETE", Target: "/b/k"}, seen{"DELETE /b/k HTTP/1.1\r\nHost: backend.test", ""}},
		{"short put", put(strings.NewReader("abc"), 3), seen{"PUT /b/k HTTP/1.1\r\nHost: backend.test\r\nContent-Length: 3", "abc"}},
		{"long put", put(strings.NewReader(long), 400_000), seen{"PUT /b/k HTTP/1.1\r\nHost: backend.test\r\nContent-Length: 400000", long}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, body, err := fetch(t.Context(), c, tt.req); err != nil || body != "ok" {
				t.Fatalf("%q, %v", body, err)
			}
			if s := <-got; s != tt.want {
				t.Errorf("head %q, %d bytes; want %q, %d bytes", s.head, len(s.body), tt.want.head, len(tt.want.body))
			}
		})
	}
	if n := b.conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestClientRefusesRequests(t *testing.T) {
	b := newBackend(t, loop(okAnswer))
	c := b.client(t, nil)
	header := func(name, value string) *Request {
		return &Request{Method: "GET", Target: "/", Header: http.Header{name: {value}}}
	}
	for _, tt := range []struct {
		name string
		req  *Request
	}{
		{"CRLF in value", header("X", "a\r\nY: b")},
		{"LF in value", header("X", "a\nb")},
		{"CR in value", header("X", "a\rb")},
		{"NUL in value", header("X", "a\x00b")},
		{"CRLF in name", header("X: a\r\nY", "b")},
		{"space in name", header("X ", "b")},
		{"empty name", header("", "b")},
		{"own length", header("content-length", "5")},
		{"own coding", header("Transfer-Encoding", "chunked")},
		{"own host", header("Host", "h")},
		{"own connection", header("Connection", "close")},
		{"expectation", header("Expect", "100-continue")},
		{"space in target", &Request{Method: "GET", Target: "/a b"}},
		{"CRLF in target", &Request{Method: "GET", Target: "/a\r\nX: y"}},
		{"target outside ASCII", &Request{Method: "GET", Target: "/\xc3\xbc"}},
		{"URL as target", &Request{Method: "GET", Target: "http://h/"}},
		{"no target", &Request{Method: "GET"}},
		{"space in method", &Request{Method: "GET /", Target: "/"}},
		{"no method", &Request{Target: "/"}},
		{"CRLF in host", &Request{Method: "GET", Target: "/", Host: "h\r\nX: y"}},
		{"length without body", put(nil, 3)},
		{"negative length", put(strings.NewReader(""), -1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.Do(t.Context(), tt.req)
			if !errors.Is(err, ErrBadRequest) {
				t.Errorf("err = %v, want ErrBadRequest", err)
			}
		})
	}
	if n := b.conns.Load(); n != 0 {
		t.Errorf("%d connections, want none", n)
	}
}
