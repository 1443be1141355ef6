package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"syscall"
	"testing"
	"time"
)

var errTemporary error = syscall.EMFILE

// troubled is a listener that accepts nothing.
type troubled struct{ errs []error }

func (l *troubled) Accept() (net.Conn, error) {
	err := l.errs[0]
	l.errs = l.errs[1:]
	return nil, err
}
func (*troubled) Close() error   { return nil }
func (*troubled) Addr() net.Addr { return &net.TCPAddr{} }

// playedConn is a scriptConn that a server can answer on.
type playedConn struct {
	scriptConn
	out bytes.Buffer
}

func (c *playedConn) Write(p []byte) (int, error)    { return c.out.Write(p) }
func (*playedConn) SetWriteDeadline(time.Time) error { return nil }
func (*playedConn) SetDeadline(time.Time) error      { return nil }
func (*playedConn) Close() error                     { return nil }
func (*playedConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

// told is a request as a handler is told of it.
type told struct {
	method, target, host, proto string
	header                      http.Header
	length                      int64
	encoding                    []string
	closes                      bool
	body                        string
	whole                       bool
}

func tell(r *http.Request) told {
	body, err := io.ReadAll(r.Body)
	return told{
		r.Method, r.RequestURI + " " + r.URL.String(), r.Host, r.Proto, r.Header, r.ContentLength, r.TransferEncoding,
		r.Close, string(body), err == nil,
	}
}

// FuzzServer: the server's handler is told what net/http's parser would tell of
// the same bytes, for as long as the requests are unambiguous, whatever pieces
// they come in; and every answer can be told from the next.
func FuzzServer(f *testing.F) {
	for _, seed := range []string{
		"GET /a?b=%zz HTTP/1.1\r\nHost: h\r\n\r\nGET //b/../c HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n",
		"PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
		"POST http://h:1/a?x HTTP/1.1\r\nHost: h:1\r\nx-amz-meta-A: 1\r\nX-Amz-Meta-a:  2 \r\n\r\n",
		"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
		"PUT /a HTTP/1.1\r\nHost: [::1]:8\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab",
		"PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
		"GET http://h:99999/ HTTP/1.1\r\nHost: h:99999\r\n\r\n",
	} {
		f.Add([]byte(seed), []byte{3, 0, 40})
	}
	f.Fuzz(func(t *testing.T, data, pieces []byte) {
		raw := &playedConn{scriptConn: scriptConn{data: data, pieces: pieces}}
		var got []told
		refusals := 0
		srv := &Server{Guard: GuardOptions{MaxHeadBytes: 512}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if Refused(r) != nil {
				refusals++
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			got = append(got, tell(r))
			_, _ = fmt.Fprintf(w, "%s", r.RequestURI)
		})}
		newServerConn(srv, raw, srv.Guard.withDefaults()).serve()

		in := bufio.NewReader(bytes.NewReader(data))
		for i, g := range got {
			r, err := http.ReadRequest(in)
			if err != nil {
				t.Fatalf("request %d was served as %+v, net/http finds %v", i, g, err)
			}
			delete(r.Header, "Cache-Control") // net/http makes one of Pragma
			delete(g.header, "Cache-Control")
			if want := tell(r); g.whole && !reflect.DeepEqual(g, want) {
				t.Fatalf("request %d was served as %+v, want %+v", i, g, want)
			}
			if !g.whole && i < len(got)-1 {
				t.Fatalf("a request was served behind one whose body is broken: %+v", got)
			}
		}
		checkAnswers(t, raw.out.Bytes(), got, refusals)
	})
}

// checkAnswers finds one final answer for each request, and nothing else.
func checkAnswers(t *testing.T, out []byte, got []told, refusals int) {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(out))
	answers := 0
	for answers < len(got)+refusals {
		method := http.MethodGet
		if answers < len(got) {
			method = got[answers].method
		}
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("answer %d of %q: %v", answers, out, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatalf("answer %d of %q: %v", answers, out, err)
		}
		if resp.StatusCode != http.StatusContinue {
			answers++
		}
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) || refusals > 1 {
		t.Fatalf("%d requests, %d refusals, answers %q", len(got), refusals, out)
	}
}
