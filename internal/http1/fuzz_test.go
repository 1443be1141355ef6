package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// scriptConn reads its bytes in pieces of the given sizes, again and again.
type scriptConn struct {
	net.Conn
	data   []byte
	pieces []byte
	turn   int
}

func (s *scriptConn) Read(p []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	n := len(p)
	if len(s.pieces) > 0 {
		n = min(n, int(s.pieces[s.turn%len(s.pieces)])+1)
		s.turn++
	}
	n = copy(p[:n], s.data)
	s.data = s.data[n:]
	return n, nil
}

func (s *scriptConn) SetReadDeadline(time.Time) error { return nil }

// guarded is what the guard made of some bytes.
type guardedBytes struct {
	out    []byte
	heads  []int // where requests begin in out
	whole  bool  // the last one has its end
	reason string
	err    error
}

func runGuard(data, pieces []byte, readSize int) guardedBytes {
	c := guardConn(&scriptConn{data: data, pieces: pieces}, GuardOptions{MaxHeadBytes: 512}).(*conn)
	var g guardedBytes
	p := make([]byte, readSize)
	fresh := true // the next byte out begins a head
	for {
		n, err := c.Read(p)
		if n > 0 && fresh {
			g.heads = append(g.heads, len(g.out))
		}
		g.out = append(g.out, p[:n]...)
		if n > 0 {
			fresh = c.state == inHead
		}
		if err != nil {
			g.err, g.whole = err, fresh
			if ref := c.refusal.Load(); ref != nil {
				g.reason, g.whole = ref.Error(), true
			}
			return g
		}
	}
}

// FuzzGuard: what the guard decides does not depend on how the bytes arrive,
// and net/http's parser sees every request end where the guard does.
func FuzzGuard(f *testing.F) {
	for _, seed := range []string{
		"GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
		"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
		"PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
		"POST http://h:1/a?x HTTP/1.1\r\nHost: h:1\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n00\r\n\r\n",
		"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
		"PUT /a HTTP/1.1\r\nHost: [::1]:8\r\nExpect: 100-continue\r\nConnection: close, keep-alive\r\n\r\n",
		"GET //h/%41 HTTP/1.1\nHost: h\r\n\r\n",
		"\x16\x03\x01\x02\n",
	} {
		f.Add([]byte(seed), []byte{0, 3}, uint8(7))
	}
	f.Fuzz(func(t *testing.T, data, pieces []byte, size uint8) {
		want := runGuard(data, nil, 4096)
		got := runGuard(data, pieces, int(size)+1)
		if !bytes.Equal(got.out, want.out) || got.reason != want.reason || got.whole != want.whole || !errors.Is(got.err, want.err) {
			t.Fatalf("split: %q (%s, %v)\nwhole: %q (%s, %v)", got.out, got.reason, got.err, want.out, want.reason, want.err)
		}
		compareWithNetHTTP(t, want)
	})
}

func compareWithNetHTTP(t *testing.T, g guardedBytes) {
	t.Helper()
	src := bytes.NewReader(g.out)
	in := bufio.NewReader(src)
	for i, begin := range g.heads {
		if at := len(g.out) - src.Len() - in.Buffered(); at != begin {
			t.Fatalf("request %d begins at %d for net/http, at %d for the guard, in %q", i, at, begin, g.out)
		}
		last := i == len(g.heads)-1
		r, err := http.ReadRequest(in)
		if err != nil {
			t.Fatalf("net/http refuses what the guard let pass: %v in %q", err, g.out[begin:])
		}
		if r.Host != "" && r.URL.Host != "" && !bytes.Contains(g.out[begin:], []byte(": "+r.Host)) && !bytes.Contains(g.out[begin:], []byte(":"+r.Host)) {
			t.Fatalf("host %q comes from the target alone in %q", r.Host, g.out[begin:])
		}
		_, err = io.Copy(io.Discard, r.Body)
		if whole := !last || g.whole; (err == nil) != whole {
			t.Fatalf("request %d: whole = %v for the guard, net/http says %v, in %q", i, whole, err, g.out[begin:])
		}
	}
	if g.whole && src.Len()+in.Buffered() > 0 {
		t.Fatalf("net/http leaves %d bytes of %q", src.Len()+in.Buffered(), g.out)
	}
}

// FuzzAnswer: what this parser accepts as the head of an answer, net/http reads
// with the same status, header and framing.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.0 404 Not Found\r\nConnection: close\r\nX-A: b\r\nx-a: c\r\n\r\n",
		"HTTP/1.1 200\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
		"HTTP/1.1 200 OK\nContent-Length: 3\n\n",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var buf []byte
		a, _, err := readAnswer(bufio.NewReader(bytes.NewReader(data)), 4096, &buf)
		if err != nil {
			return
		}
		in := bufio.NewReader(bytes.NewReader(data))
		resp, err := http.ReadResponse(in, nil)
		for err == nil && resp.StatusCode < 200 {
			resp, err = http.ReadResponse(in, nil)
		}
		if err != nil {
			t.Skip("net/http is stricter here")
		}
		defer func() { _ = resp.Body.Close() }()
		if a.status != resp.StatusCode {
			t.Fatalf("status %d, net/http %d, in %q", a.status, resp.StatusCode, data)
		}
		length := a.length
		if a.bodiless(http.MethodGet) {
			length = max(length, 0)
		}
		if chunked := len(resp.TransferEncoding) > 0; !a.bodiless(http.MethodGet) && (chunked != a.chunked || resp.ContentLength != length) {
			t.Fatalf("framing %v %d, net/http %v %d, in %q", a.chunked, length, chunked, resp.ContentLength, data)
		}
		for name, values := range resp.Header {
			if got := a.header[name]; len(got) != len(values) && name != "Content-Length" {
				t.Fatalf("%s: %q, net/http %q", name, got, values)
			}
		}
	})
}
