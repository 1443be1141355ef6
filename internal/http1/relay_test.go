package http1

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// relay is the gateway in small: a client's answer copied to a guarded server.
func relay(t *testing.T, serve serveFunc, c *Client, opts GuardOptions) (addr string, results chan error) {
	t.Helper()
	results = make(chan error, 16)
	addr = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := c.Do(r.Context(), &Request{
			Method: r.Method, Target: r.RequestURI, Body: r.Body, ContentLength: r.ContentLength,
			AbortBody: func() { _ = http.NewResponseController(w).SetReadDeadline(longAgo) },
		})
		if err != nil {
			results <- err
			http.Error(w, "bad gateway", http.StatusBadGateway)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.ContentLength >= 0 {
			w.Header().Set("Content-Length", fmt.Sprint(resp.ContentLength))
		}
		w.WriteHeader(resp.Status)
		_, err = io.Copy(w, resp.Body)
		results <- err
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}), listen(t), opts)
	return addr, results
}

// pattern is a body whose misplaced pieces would show.
func pattern(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%d,", i)
	}
	return b.Bytes()[:n]
}

func TestRelayCopiesAnswers(t *testing.T) { onEach(t, testRelayCopiesAnswers) }

func testRelayCopiesAnswers(t *testing.T, serve serveFunc) {
	for _, size := range []int{0, 1, 511, 512, 513, 4095, 5000, splicePiece, splicePiece + 1, 3*mib + 7} {
		want := pattern(size)
		chunks := ""
		if size > 0 {
			chunks = fmt.Sprintf("%x\r\n%s\r\n", size, want)
		}
		for name, answer := range map[string]string{
			"length":  fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, want),
			"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n",
		} {
			t.Run(fmt.Sprintf("%s %d", name, size), func(t *testing.T) {
				b := newBackend(t, loop(answer))
				addr, results := relay(t, serve, b.client(t, nil), GuardOptions{})
				client := &http.Client{Transport: &http.Transport{}}
				defer client.CloseIdleConnections()
				for range 2 {
					resp, err := client.Get("http://" + addr + "/a")
					if err != nil {
						t.Fatal(err)
					}
					got, err := io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("%d bytes, want %d; %v", len(got), size, err)
					}
					if err := <-results; err != nil {
						t.Error(err)
					}
				}
				if n := b.conns.Load(); n != 1 {
					t.Errorf("%d connections to the backend, want 1", n)
				}
			})
		}
	}
}

func TestRelayUpload(t *testing.T) { onEach(t, testRelayUpload) }

func testRelayUpload(t *testing.T, serve serveFunc) {
	got := make(chan []byte, 1)
	b := newBackend(t, func(p *peer) {
		_, body, _ := p.request(true)
		got <- body
		p.say(okAnswer)
	})
	addr, results := relay(t, serve, b.client(t, nil), GuardOptions{})
	want := pattern(3*mib + 1)
	answer := exchangeOpen(t, addr, fmt.Sprintf("PUT /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(want), want))
	if err := <-results; err != nil || !strings.HasSuffix(answer, "ok") || !bytes.Equal(<-got, want) {
		t.Errorf("%q, %v", answer, err)
	}
}

// The client must get an early answer, though stopping its upload ends the
// context of its request.
func TestRelayEarlyAnswer(t *testing.T) { onEach(t, testRelayEarlyAnswer) }

func testRelayEarlyAnswer(t *testing.T, serve serveFunc) {
	for name, answer := range map[string]string{
		"length":    "HTTP/1.1 403 Forbidden\r\nContent-Length: 5000\r\n\r\n" + string(pattern(5000)),
		"chunked":   "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" + string(pattern(5000)) + "\r\n0\r\n\r\n",
		"no length": "HTTP/1.1 204 No Content\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			hold := make(chan struct{})
			b := newBackend(t, func(p *peer) {
				r, _, err := p.request(false)
				if err != nil {
					return
				}
				_, _ = io.CopyN(io.Discard, r.Body, 1000)
				time.Sleep(20 * time.Millisecond) // until the relay waits for its client
				head, body, _ := strings.Cut(answer, "\r\n\r\n")
				p.say(head + "\r\n\r\n")
				time.Sleep(20 * time.Millisecond)
				p.say(body)
				<-hold
			})
			defer close(hold)
			addr, results := relay(t, serve, b.client(t, nil), GuardOptions{})
			within(t, 5*time.Second, func() {
				got := exchangeOpen(t, addr, "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"+string(pattern(100_000)))
				if err := <-results; err != nil {
					t.Error(err)
				}
				_, code, _ := strings.Cut(answer, " ")
				if !strings.HasPrefix(got, "HTTP/1.1 "+code[:3]) || strings.Contains(answer, ",1000,") != strings.Contains(got, ",1000,") {
					t.Errorf("client got %.200q", got)
				}
			})
		})
	}
}

func TestRelayCutAnswers(t *testing.T) { onEach(t, testRelayCutAnswers) }

func testRelayCutAnswers(t *testing.T, serve serveFunc) {
	for _, tt := range []struct {
		name   string
		answer string
		stall  bool // instead of hanging up
		want   error
	}{
		{"ahead", "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\nabc", false, io.ErrUnexpectedEOF},
		{"spliced", "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + string(pattern(mib)), false, io.ErrUnexpectedEOF},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + string(pattern(mib)), false, io.ErrUnexpectedEOF},
		{"stalled", "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + string(pattern(mib)), true, ErrIdleTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hold := make(chan struct{})
			b := newBackend(t, func(p *peer) {
				_, _, _ = p.request(true)
				p.say(tt.answer)
				if tt.stall {
					<-hold
				}
			})
			defer close(hold)
			c := b.client(t, func(o *Options) { o.IOTimeout = 300 * time.Millisecond })
			addr, results := relay(t, serve, c, GuardOptions{})
			answer := exchangeOpen(t, addr, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			if err := <-results; !errors.Is(err, tt.want) {
				t.Errorf("err = %v, want %v", err, tt.want)
			}
			if strings.HasSuffix(answer, "0\r\n\r\n") {
				t.Error("the cut answer looks whole to the client")
			}
			if st := c.Stats(); st.Open != 0 {
				t.Errorf("stats = %+v, want no connection", st)
			}
		})
	}
}

// exchangeOpen is exchangeRaw without ending the client's side.
func exchangeOpen(t *testing.T, addr, raw string) string {
	t.Helper()
	c := dial(t, addr)
	_, _ = io.WriteString(c, raw)
	return readAnswers(t, c)
}

func TestGuardEndsStalledTransfers(t *testing.T) { onEach(t, testGuardEndsStalledTransfers) }

func testGuardEndsStalledTransfers(t *testing.T, serve serveFunc) {
	big := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 256*mib)
	b := newBackend(t, func(p *peer) {
		r, _, err := p.request(false)
		if err != nil {
			return
		}
		if r.Method == http.MethodGet {
			p.say(big)
			_, _ = io.Copy(p, &zeros{256 * mib, io.EOF})
		}
		_, _ = io.Copy(io.Discard, r.Body)
	})
	for _, tt := range []struct{ name, raw string }{
		{"client does not read", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"client does not send a long body", "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nabc"},
		{"client does not send a short body", "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := b.client(t, nil)
			addr, results := relay(t, serve, c, GuardOptions{IdleTimeout: 200 * time.Millisecond})
			within(t, 5*time.Second, func() {
				_, _ = io.WriteString(dial(t, addr), tt.raw)
				err := <-results
				var e *Error
				if err == nil || errors.As(err, &e) && errors.Is(err, ErrIdleTimeout) {
					t.Errorf("err = %v, want one that does not blame the backend", err)
				}
				for c.Stats().Open > 0 { // the handler closes after it has told
					time.Sleep(time.Millisecond)
				}
			})
		})
	}
}

// A deadline that is set while a body is read must outlive the guard's own.
func TestGuardKeepsForeignDeadlines(t *testing.T) {
	near, far := net.Pipe()
	defer func() { _ = far.Close() }()
	c := guardConn(near, GuardOptions{MaxHeadBytes: 1 << 10, IdleTimeout: time.Minute})
	defer func() { _ = c.Close() }()
	go func() { _, _ = io.WriteString(far, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n") }()
	p := make([]byte, 512)
	if _, err := c.Read(p); err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(longAgo); err != nil {
		t.Fatal(err)
	}
	within(t, 3*time.Second, func() {
		for range 2 {
			if _, err := c.Read(p); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read: %v, want the deadline", err)
			}
			if _, err := c.Write(p); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("write: %v, want the deadline", err)
			}
		}
	})
}
