package s3proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3test"
)

func TestForeignHeadersAreNotPassedOn(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	foreign := header("Cookie", "session=1", "X-Forwarded-For", "10.0.0.1", "X-Forwarded-Host", "evil", "Forwarded", "for=x",
		"X-Real-Ip", "10.0.0.1", "Via", "1.1 proxy", "Referer", "http://x", "Proxy-Authorization", "Basic eA==",
		"X-Minio-Extract", "true", "X-Rgw-Something", "1", "X-Amz-Meta-Colour", "red", "Cache-Control", "no-cache")
	wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: "x", header: foreign}), 200, "")
	seen := g.backend.Requests()[0].Header
	for name := range foreign {
		_, passed := seen[name]
		if wanted := name == "X-Amz-Meta-Colour" || name == "Cache-Control"; passed != wanted {
			t.Errorf("%s was passed on: %v", name, passed)
		}
	}
	if !strings.Contains(seen.Get("Authorization"), backendKey) || strings.Contains(seen.Get("Authorization"), k.id) {
		t.Errorf("signed on as %s", seen.Get("Authorization"))
	}
}

func TestAmbiguousFramingIsRefused(t *testing.T) {
	for name, framing := range map[string]string{
		"length and chunks":     "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		"two lengths":           "Content-Length: 5\r\nContent-Length: 6\r\n",
		"an unknown encoding":   "Transfer-Encoding: xchunked\r\n",
		"a folded line":         "Content-Length: 5\r\nX-Folded: a\r\n b\r\n",
		"a named hop":           "Content-Length: 5\r\nConnection: x-amz-date\r\n",
		"a space before colon":  "Content-Length : 5\r\n",
		"an upgrade":            "Content-Length: 5\r\nConnection: upgrade\r\nUpgrade: h2c\r\n",
		"a second Host":         "Content-Length: 5\r\nHost: other\r\n",
		"a length with a sign":  "Content-Length: +5\r\n",
		"trailers to come":      "Transfer-Encoding: chunked\r\nTrailer: x-amz-date\r\n",
		"a bare line feed":      "Content-Length: 5\nX-Bare: 1\r\n",
		"a length past its end": "Content-Length: 99999999999999999999\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			k := g.mint("prod/uploads:write,delete")
			signed := http.Header{}
			g.sign(k, call{method: put, path: "/uploads/a", body: "hello"}, signed)
			smuggled := http.Header{}
			g.sign(k, call{method: del, path: "/uploads/keep"}, smuggled)
			g.backend.PutObject("uploads", "keep", []byte("x"))
			conn, err := net.Dial("tcp", g.addr)
			must(t, err)
			defer conn.Close()
			must(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
			send(t, conn, "PUT /uploads/a HTTP/1.1\r\nHost: %s\r\n%s%s\r\nhello", g.addr, framing, lines(signed))
			send(t, conn, "DELETE /uploads/keep HTTP/1.1\r\nHost: %s\r\n%s\r\n", g.addr, lines(smuggled))
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			must(t, err)
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if res.StatusCode != http.StatusBadRequest || !res.Close {
				t.Errorf("got %d, close %v", res.StatusCode, res.Close)
			}
			g.backendSaw(0)
			events := g.events(keystile.EventFilter{})
			if len(events) != 1 || events[0].Detail.Code != "InvalidRequest" {
				t.Errorf("recorded as %+v", events)
			}
		})
	}
}

func send(t *testing.T, conn net.Conn, format string, args ...any) {
	t.Helper()
	_, err := fmt.Fprintf(conn, format, args...)
	must(t, err)
}

func lines(h http.Header) string {
	var b strings.Builder
	_ = h.Write(&b)
	return b.String()
}

func TestExpectContinue(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	for _, tt := range []struct {
		path, body string
		want       []int
	}{
		{"/uploads/a", "hello", []int{100, 200}},
		{"/payroll/a", "hello", []int{403}},
		{"/uploads/a", "", []int{100, 200}},
		{"/payroll/a", "", []int{100, 403}},
	} {
		signed := http.Header{}
		g.sign(k, call{method: put, path: tt.path, body: tt.body}, signed)
		conn, err := net.Dial("tcp", g.addr)
		must(t, err)
		defer conn.Close()
		must(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
		send(t, conn, "PUT %s HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n%s\r\n", tt.path, g.addr, len(tt.body), lines(signed))
		reader := bufio.NewReader(conn)
		for _, want := range tt.want {
			res, err := http.ReadResponse(reader, nil)
			must(t, err)
			if res.StatusCode != want {
				t.Fatalf("%s: got %d, want %d", tt.path, res.StatusCode, want)
			}
			if want == 100 {
				_, err = io.WriteString(conn, tt.body)
				must(t, err)
			}
		}
	}
}

func TestAClientThatLeavesEndsTheBackendsRequest(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("uploads", "slow", []byte("x"))
	g.backend.Inject(s3test.Delay(20 * time.Second))
	k := g.mint("prod/uploads:read")
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		req := g.request(k, call{method: get, path: "/uploads/slow"}).WithContext(ctx)
		if res, err := (&http.Transport{}).RoundTrip(req); err == nil {
			_ = res.Body.Close()
		}
	}()
	g.until("the backend is asked", func() bool { return g.backend.Count() == 1 })
	leave()
	<-done
	ended := make(chan struct{})
	go func() { g.backend.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the backend is still at it")
	}
}

func TestACutAnswerIsNotMadeWhole(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("uploads", "a", make([]byte, 1<<20))
	g.backend.Inject(s3test.CutAnswerAfter(300_000))
	req := g.request(g.mint("prod/uploads:read"), call{method: get, path: "/uploads/a"})
	req.Header.Set("Connection", "close")
	res, err := (&http.Transport{}).RoundTrip(req)
	must(t, err)
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Errorf("%d bytes were taken for the whole", n)
	}
}

func TestBackendsInTrouble(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fault  s3test.Fault
		status int
		code   string
	}{
		{"garbage for a list", s3test.Answer(200, "<ListBucketResult><Name>"), 502, "InternalError"},
		{"a document type", s3test.Answer(200, `<!DOCTYPE x [<!ENTITY e "x">]><ListBucketResult/>`), 502, "InternalError"},
		{"a redirect", s3test.Answer(301, "<Error><Endpoint>10.0.0.1</Endpoint></Error>"), 502, "InternalError"},
		{"no answer", s3test.HangUpAfter(0), 503, "ServiceUnavailable"},
		{"an error without a body", s3test.Answer(500, ""), 500, "InternalError"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			g.backend.Inject(tt.fault)
			r := g.do(g.mint("prod/uploads:list"), call{method: get, path: "/uploads", query: "list-type=2"})
			wantStatus(t, r, tt.status, tt.code)
			if r.message == "" || strings.Contains(r.body, "10.0.0.1") || strings.Contains(r.body, strings.TrimPrefix(g.backend.URL, "http://")) {
				t.Errorf("shown: %s", r.body)
			}
			if len(g.events(keystile.EventFilter{})) != 0 {
				t.Error("a backend's trouble on a read is recorded as a refusal")
			}
		})
	}
}

func TestAFloodOfOneRefusalIsCounted(t *testing.T) {
	g := newGateway(t)
	const n = 60
	k := g.mint("prod/uploads:read")
	for range n {
		wantStatus(t, g.do(k, call{method: get, path: "/payroll/a"}), 403, "AccessDenied")
	}
	events := g.events(keystile.EventFilter{Result: keystile.ResultDenied})
	var counted int64
	for _, e := range events {
		counted += max(1, e.Detail.Count)
	}
	if counted != n || len(events) >= n {
		t.Errorf("%d refusals are recorded as %d in %d events", n, counted, len(events))
	}
}
