package s3proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"keystile/internal/http1"
	"keystile/internal/s3test"
)

// A body that its request's refusal left unread is no request, whatever it
// looks like and however long it is.
func TestFramingAfterARefusal(t *testing.T) {
	for _, tt := range []struct {
		name, head string
		status     int
	}{
		{"an unknown key", "PUT /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIAAAAAAAAAAAAAAAAA/20261101/eu-test-1/s3/aws4_request,SignedHeaders=host;x-amz-date,Signature=" + strings.Repeat("0", 64) + "\r\nX-Amz-Date: 20261101T000000Z\r\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\n", 403},
		{"no signature", "PUT /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\n", 403},
		{"a bucket out of scope", "PUT /payroll/a.txt HTTP/1.1\r\nHost: {host}\r\n{sig}", 403},
		{"an unknown operation", "POST /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\n{sig}", 405},
		{"a body on a read", "GET /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\n{sig}", 400},
		{"a vendor header", "PUT /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\nX-Amz-Vendor: 1\r\n{sig}", 501},
		{"preflight", "OPTIONS /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\nOrigin: null\r\nAccess-Control-Request-Method: PUT\r\n{sig}", 403},
		{"the gateway's own path", "GET /-/healthz HTTP/1.1\r\nHost: {host}\r\n", 200},
	} {
		for _, framing := range []string{"length", "chunks"} {
			t.Run(tt.name+"/"+framing, func(t *testing.T) {
				g, k := newWire(t)
				for _, size := range []int{0, 1 << 20} {
					body := strings.Repeat("x", size) + g.fill(k, g.addr, wireNext)
					raw := g.fill(k, g.addr, tt.head)
					switch framing {
					case "length":
						raw += fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
					case "chunks":
						raw += fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
					}
					// Only the gateway's own path keeps the connection.
					answers := g.say(g.addr, raw, tt.status == http.StatusOK)
					seen := g.asked()
					if len(seen) > 0 {
						t.Errorf("body of %d bytes: the backend saw %q", len(body), seen)
					}
					if got := statusLines.FindAllString(answers, -1); len(got) == 0 || got[0] != fmt.Sprintf("HTTP/1.1 %d ", tt.status) || len(got) > 1 {
						t.Errorf("body of %d bytes: answers %q, want one %d", len(body), got, tt.status)
					}
				}
			})
		}
	}
}

// Whole requests behind one another are each answered, until one is refused.
func TestFramingOfAPipeline(t *testing.T) {
	g, k := newWire(t)
	fill := func(raw string) string { return g.fill(k, g.addr, raw) }
	twoHosts := strings.Replace(wireGet, "Host:", "Host: x\r\nHost:", 1)
	answers := g.say(g.addr, fill(wireGet)+fill(wirePut)+fill(wireChunked)+fill(wireFramed)+fill(twoHosts)+fill(wireNext), false)
	if got, want := fmt.Sprint(statusLines.FindAllString(answers, -1)), "[HTTP/1.1 200  HTTP/1.1 200  HTTP/1.1 200  HTTP/1.1 200  HTTP/1.1 400 ]"; got != want {
		t.Errorf("answers %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(g.asked()), "[GET /uploads/a.txt PUT /uploads/a.txt PUT /uploads/a.txt PUT /uploads/a.txt]"; got != want {
		t.Errorf("the backend saw %s, want %s", got, want)
	}
}

// A client of HTTP/1.0 that says nothing of its connection gets one answer.
func TestFramingOfHTTP10(t *testing.T) {
	g, k := newWire(t)
	old := strings.Replace(wireOld, "Connection: keep-alive\r\n", "", 1)
	answers := g.say(g.addr, g.fill(k, g.addr, old)+g.fill(k, g.addr, wireNext), false)
	if n := len(statusLines.FindAllString(answers, -1)); n != 1 || !strings.HasSuffix(answers, "\r\n\r\nbefore") {
		t.Errorf("%d answers: %q", n, answers)
	}
	if got := fmt.Sprint(g.asked()); got != "[GET /uploads/a.txt]" {
		t.Errorf("the backend saw %s", got)
	}
}

// An answer that the backend cuts short must not look whole: neither by a last
// chunk, nor by the mere end of the connection.
func TestFramingOfACutAnswer(t *testing.T) {
	cut := s3test.CutAnswerAfter(100_000)
	for _, tt := range []struct {
		name, raw string
		fault     s3test.Fault
	}{
		{"kept alive", wireGet, cut},
		{"with Connection: close", wireNext, cut},
		{"of HTTP/1.0", wireOld, cut},
		{"in chunks", wireGet, cut.InChunks()},
		{"in chunks with Connection: close", wireNext, cut.InChunks()},
		{"in chunks for HTTP/1.0", wireOld, cut.InChunks()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, k := newWire(t)
			g.backend.PutObject("uploads", "a.txt", make([]byte, 1<<20))
			g.backend.PutObject("uploads", "next.txt", make([]byte, 1<<20))
			g.backend.Inject(tt.fault)
			c := g.connect(g.addr)
			_, _ = io.WriteString(c, g.fill(k, g.addr, tt.raw))
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				return // the head did not go out: that is no success either
			}
			defer resp.Body.Close()
			if n, err := io.Copy(io.Discard, resp.Body); err == nil && resp.StatusCode == http.StatusOK {
				t.Errorf("the client took %d bytes for the whole object", n)
			}
		})
	}
}

// HTTP/1.0 has no chunks: an answer of unknown length, cut short, would look
// whole.
func TestFramingOfAnAnswerWithoutLength(t *testing.T) {
	for raw, want := range map[string]string{wireNext: "HTTP/1.1 200 ", strings.Replace(wireNext, "HTTP/1.1", "HTTP/1.0", 1): "HTTP/1.0 502 "} {
		g, k := newWire(t)
		g.backend.Inject(s3test.Answer(http.StatusOK, "unmeasured").InChunks())
		if answers := g.say(g.addr, g.fill(k, g.addr, raw), false); !strings.HasPrefix(answers, want) {
			t.Errorf("answers %q, want %s", answers, want)
		}
	}
}

// Slow heads and bodies end in bounded time, and the backend hears nothing of
// them.
func TestFramingOfTheSlow(t *testing.T) {
	const bound = 10 * time.Second // the machine may be busy
	for _, tt := range []struct {
		name  string
		begin string // sent at once
		drip  string // then sent byte by byte, again and again
	}{
		{"nothing at all", "", ""},
		{"half a request line", "GET /upl", ""},
		{"a head that drips", "GET /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\n", "X: y\r\n"},
		{"a further head that drips", wireGet + "GET /uploads/next.txt HTTP/1.1\r\n", "X: y\r\n"},
		{"a body that stops", "PUT /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\n{sig}Content-Length: 10\r\n\r\nabc", ""},
		{"a chunk size that stops", "PUT /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\n{sig}Transfer-Encoding: chunked\r\n\r\n3", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, k := newWire(t)
			addr := g.listen(http1.GuardOptions{IdleTimeout: 300 * time.Millisecond}, 300*time.Millisecond)
			c := g.connect(addr)
			began := time.Now()
			_, _ = io.WriteString(c, g.fill(k, addr, tt.begin))
			go func() {
				for i := 0; tt.drip != ""; i++ {
					if _, err := io.WriteString(c, tt.drip[i%len(tt.drip):i%len(tt.drip)+1]); err != nil {
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			}()
			g.hear(c)
			if took := time.Since(began); took > bound {
				t.Errorf("the connection lived for %v", took)
			}
			for _, seen := range g.asked() {
				if seen != "GET /uploads/a.txt" || !strings.HasPrefix(tt.begin, wireGet) {
					t.Errorf("the backend saw %q", seen)
				}
			}
		})
	}
}

// Sizes are taken at their word without memory for them.
func TestFramingOfHugeSizesTakesNoMemory(t *testing.T) {
	for _, tt := range []struct{ name, head string }{
		{"a chunk of 5 GiB", "Transfer-Encoding: chunked\r\n\r\n140000000\r\n"},
		{"the largest chunk", "Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, k := newWire(t)
			c := g.connect(g.addr)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			_, _ = io.WriteString(c, g.fill(k, g.addr, "PUT /uploads/a.txt HTTP/1.1\r\nHost: {host}\r\n{sig}"+tt.head))
			piece := make([]byte, 64<<10)
			for range 256 { // 16 MiB
				if _, err := c.Write(piece); err != nil {
					break // refused meanwhile
				}
			}
			_ = c.CloseWrite()
			g.hear(c)
			g.backend.Wait()
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
				t.Errorf("%d bytes were allocated for 16 MiB of an endless body", grown)
			}
			if got := g.backend.Objects("uploads")["a.txt"]; string(got) != "before" {
				t.Errorf("the object has %d bytes now", len(got))
			}
		})
	}
}
