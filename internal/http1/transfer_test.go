package http1

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const mib = 1 << 20

// zeros is a body of n bytes that then returns end.
type zeros struct {
	left int64
	end  error
}

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, z.end
	}
	n := int(min(int64(len(p)), z.left))
	clear(p[:n])
	z.left -= int64(n)
	return n, nil
}

// stuck yields what src has and then blocks until it is aborted.
type stuck struct {
	src     io.Reader
	blocked chan struct{} // closed when a Read begins to block
	aborted chan struct{}
	once    sync.Once
}

func newStuck(first int64) *stuck {
	return &stuck{src: &zeros{left: first, end: io.EOF}, blocked: make(chan struct{}), aborted: make(chan struct{})}
}

func (s *stuck) Read(p []byte) (int, error) {
	n, err := s.src.Read(p)
	if err == io.EOF {
		close(s.blocked)
		<-s.aborted
		return 0, errors.New("aborted")
	}
	return n, err
}

func (s *stuck) abort() { s.once.Do(func() { close(s.aborted) }) }

// countBody reads a request's body as far as it comes.
func countBody(p *peer) (declared, got int64) {
	r, _, err := p.request(false)
	if err != nil {
		return 0, 0
	}
	got, _ = io.Copy(io.Discard, r.Body)
	return r.ContentLength, got
}

func within(t *testing.T, limit time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if d := time.Since(start); d > limit {
		t.Errorf("took %v, want %v at most", d, limit)
	}
}

func TestBodyFailureKeepsTheTailBack(t *testing.T) {
	tampered := errors.New("checksum mismatch")
	for _, tt := range []struct {
		name   string
		length int64
		body   io.Reader
		want   error
	}{
		{"short, error at the end", 1000, &zeros{1000, tampered}, tampered},
		{"short, error instead of the last byte", 1000, &zeros{999, tampered}, tampered},
		{"short, too few bytes", 1000, &zeros{999, io.EOF}, io.ErrUnexpectedEOF},
		{"short, too many bytes", 1000, &zeros{1001, io.EOF}, errLongBody},
		{"long, error at the end", 4 * mib, &zeros{4 * mib, tampered}, tampered},
		{"long, error instead of the last byte", 4 * mib, &zeros{4*mib - 1, tampered}, tampered},
		{"long, error at once", 4 * mib, &zeros{0, tampered}, tampered},
		{"long, too few bytes", 4 * mib, &zeros{4*mib - 1, io.EOF}, io.ErrUnexpectedEOF},
		{"long, too many bytes", 4 * mib, &zeros{4*mib + 1, io.EOF}, errLongBody},
		{"long, no progress", 4 * mib, io.MultiReader(&zeros{100, io.EOF}, emptyReader{}), io.ErrNoProgress},
		{"length zero, but a body", 0, &zeros{1, io.EOF}, errLongBody},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := make(chan int64, 1)
			b := newBackend(t, func(p *peer) {
				_, n := countBody(p)
				got <- n
			})
			c := b.client(t, nil)
			_, err := c.Do(t.Context(), put(tt.body, tt.length))
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, ErrBody) || !errors.Is(err, tt.want) || e.Complete {
				t.Errorf("err = %#v, want ErrBody by %v", err, tt.want)
			}
			if tt.length <= shortBody {
				if n := b.conns.Load(); n != 0 || e.Sent {
					t.Errorf("%d connections, sent %v, want nothing sent", n, e.Sent)
				}
				return
			}
			if n := <-got; n >= tt.length {
				t.Errorf("backend got all %d bytes", n)
			}
			if st := c.Stats(); st.Open != 0 {
				t.Errorf("stats = %+v, want no connection", st)
			}
		})
	}
}

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, nil }

func TestEarlyAnswer(t *testing.T) {
	const forbidden = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
	var aborts atomic.Int64
	slow := newStuck(200_000)
	slowly := put(slow, mib)
	slowly.AbortBody = func() { aborts.Add(1); slow.abort() }
	atOnce := make(chan struct{})
	close(atOnce)
	for _, tt := range []struct {
		name   string
		req    *Request
		answer chan struct{} // when the backend answers
		hangUp bool
	}{
		{"client slow to send", slowly, slow.blocked, false},
		{"backend not reading", put(&zeros{64 * mib, io.EOF}, 64*mib), atOnce, false},
		{"backend hangs up", put(&zeros{64 * mib, io.EOF}, 64*mib), atOnce, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hold := make(chan struct{})
			b := newBackend(t, func(p *peer) {
				_, _, _ = p.request(false)
				<-tt.answer
				p.say(forbidden)
				if !tt.hangUp {
					<-hold
				}
			})
			defer close(hold)
			c := b.client(t, nil)
			within(t, 5*time.Second, func() {
				resp, body, err := fetch(t.Context(), c, tt.req)
				if tt.hangUp && err != nil {
					// The reset may overtake the answer; then the loss is told.
					if !errors.Is(err, ErrConnLost) {
						t.Errorf("err = %v, want ErrConnLost", err)
					}
					return
				}
				if err != nil || resp.Status != http.StatusForbidden || body != "no" || !resp.Early {
					t.Errorf("%+v, %q, %v; want an early 403", resp, body, err)
				}
			})
			if st := c.Stats(); st.Open != 0 {
				t.Errorf("stats = %+v, want no connection", st)
			}
		})
	}
	if n := aborts.Load(); n != 1 {
		t.Errorf("AbortBody called %d times, want once", n)
	}
}

func TestAbortBodyIsNotCalledInVain(t *testing.T) {
	b := newBackend(t, loop(okAnswer))
	c := b.client(t, nil)
	var aborts atomic.Int64
	for _, n := range []int64{100, mib} {
		for range 20 {
			req := put(&zeros{n, io.EOF}, n)
			req.AbortBody = func() { aborts.Add(1) }
			if _, _, err := fetch(t.Context(), c, req); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := aborts.Load(); n != 0 {
		t.Errorf("AbortBody called %d times", n)
	}
	if n := b.conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestBackendGoneWhileTheClientIsSlow(t *testing.T) {
	b := newBackend(t, func(p *peer) { _, _, _ = p.request(false) })
	c := b.client(t, nil)
	s := newStuck(100)
	req := put(s, mib)
	req.AbortBody = s.abort
	within(t, 5*time.Second, func() {
		_, err := c.Do(t.Context(), req)
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, ErrConnLost) || e.Complete {
			t.Errorf("err = %#v, want ErrConnLost of an incomplete request", err)
		}
	})
}

func TestClosedBodyGivesTheConnectionUp(t *testing.T) {
	b := newBackend(t, func(p *peer) {
		_, _, _ = p.request(true)
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
		_, _ = io.Copy(io.Discard, p.in)
	})
	c := b.client(t, nil)
	resp, err := c.Do(t.Context(), get())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	_ = resp.Body.Close()
	if st := c.Stats(); st != (Stats{}) {
		t.Errorf("stats = %+v, want none", st)
	}
	if _, err := resp.Body.Read(make([]byte, 1)); !errors.Is(err, errBodyClosed) {
		t.Errorf("read after close: %v", err)
	}
}

func TestTimeouts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		req    func() *Request
		script func(p *peer)
		want   error
	}{
		{"no answer to a short request", get, func(p *peer) { _, _, _ = p.request(true) }, ErrHeaderTimeout},
		{"no answer to a long request", func() *Request { return put(&zeros{mib, io.EOF}, mib) }, func(p *peer) { countBody(p) }, ErrHeaderTimeout},
		{"half a head", get, func(p *peer) { p.say("HTTP/1.1 200 OK\r\n") }, ErrHeaderTimeout},
		{"interim answers only", get, func(p *peer) { p.say("HTTP/1.1 102 Processing\r\n\r\n") }, ErrHeaderTimeout},
		{"own limit", func() *Request { r := get(); r.HeaderTimeout = 20 * time.Millisecond; return r }, func(*peer) {}, ErrHeaderTimeout},
		{"stalled body", get, func(p *peer) { p.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc") }, ErrIdleTimeout},
		{"stalled chunk", get, func(p *peer) { p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab") }, ErrIdleTimeout},
		{"stalled chunk size", get, func(p *peer) { p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3") }, ErrIdleTimeout},
		{"stalled trailer", get, func(p *peer) { p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n") }, ErrIdleTimeout},
		{"never reads", func() *Request { return put(&zeros{64 * mib, io.EOF}, 64*mib) }, func(*peer) {}, ErrIdleTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hold := make(chan struct{})
			b := newBackend(t, func(p *peer) { tt.script(p); <-hold })
			defer close(hold)
			c := b.client(t, func(o *Options) { o.HeaderTimeout, o.IOTimeout = 150*time.Millisecond, 150*time.Millisecond })
			within(t, 3*time.Second, func() {
				if _, _, err := fetch(t.Context(), c, tt.req()); !errors.Is(err, tt.want) {
					t.Errorf("err = %v, want %v", err, tt.want)
				}
			})
			if st := c.Stats(); st.Open != 0 {
				t.Errorf("stats = %+v, want no connection", st)
			}
		})
	}
}

// Slow is not still: a body that trickles outlives IOTimeout many times over.
func TestSlowIsNotStill(t *testing.T) {
	b := newBackend(t, func(p *peer) {
		countBody(p)
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
		for range 10 {
			time.Sleep(60 * time.Millisecond)
			p.say("x")
		}
	})
	c := b.client(t, func(o *Options) { o.HeaderTimeout, o.IOTimeout = 200*time.Millisecond, 200*time.Millisecond })
	slow := &zeros{mib, io.EOF}
	body := readFunc(func(p []byte) (int, error) {
		time.Sleep(20 * time.Millisecond)
		return slow.Read(p)
	})
	if _, got, err := fetch(t.Context(), c, put(body, mib)); err != nil || len(got) != 10 {
		t.Errorf("%q, %v", got, err)
	}
}

func TestUploadMemoryIsFlat(t *testing.T) {
	b := newBackend(t, func(p *peer) {
		countBody(p)
		p.say(okAnswer)
	})
	c := b.client(t, nil)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	if _, _, err := fetch(t.Context(), c, put(&zeros{256 * mib, io.EOF}, 256*mib)); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 2*mib {
		t.Errorf("%d bytes allocated for a body of 256 MiB", grown)
	}
}

func TestDownload(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), mib/16)
	for _, tt := range []struct{ name, head, tail string }{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n", ""},
		{"one chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n", "\r\n0\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t, loop(tt.head+string(want)+tt.tail))
			c := b.client(t, nil)
			for range 3 {
				_, got, err := fetch(t.Context(), c, get())
				if err != nil || got != string(want) {
					t.Fatalf("%d bytes, %v", len(got), err)
				}
			}
			if n := b.conns.Load(); n != 1 {
				t.Errorf("%d connections, want 1", n)
			}
		})
	}
}

func TestTLSBackend(t *testing.T) {
	srv := newTLSServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, strings.ToUpper(string(body)))
	}))
	var dials atomic.Int64
	c := NewClient(Options{Host: "h", Dial: func(ctx context.Context) (net.Conn, error) {
		dials.Add(1)
		return srv.dial(ctx)
	}})
	defer c.Close()
	for _, n := range []int{3, 200_000, 3} {
		body := strings.Repeat("a", n)
		_, got, err := fetch(t.Context(), c, put(strings.NewReader(body), int64(n)))
		if err != nil || got != strings.ToUpper(body) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	if n := dials.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := newStuck(100_000)
	req := put(s, mib)
	req.AbortBody = s.abort
	time.AfterFunc(50*time.Millisecond, cancel)
	within(t, 3*time.Second, func() {
		if _, err := c.Do(ctx, req); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v, want canceled", err)
		}
	})
}
