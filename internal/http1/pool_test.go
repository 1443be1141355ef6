package http1

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestClientRepeatsOnlyWhatIsSafe(t *testing.T) {
	for _, tt := range []struct {
		name    string
		req     func() *Request
		repeats bool
	}{
		{"GET", get, true},
		{"HEAD", func() *Request { return &Request{Method: "HEAD", Target: "/"} }, true},
		{"DELETE", func() *Request { return &Request{Method: "DELETE", Target: "/"} }, false},
		{"short PUT", func() *Request { return put(strings.NewReader("abc"), 3) }, false},
		{"GET with body", func() *Request { r := put(strings.NewReader("abc"), 3); r.Method = "GET"; return r }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var served atomic.Int64
			b := newBackend(t, func(p *peer) {
				for i := 0; ; i++ {
					_, _, err := p.request(true)
					if err != nil || i == 1 && served.Load() == 1 {
						return // hang up on the second request of the first connection
					}
					served.Add(1)
					p.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
			})
			c := b.client(t, nil)
			if _, _, err := fetch(t.Context(), c, get()); err != nil {
				t.Fatal(err)
			}
			_, _, err := fetch(t.Context(), c, tt.req())
			if tt.repeats {
				if err != nil || b.conns.Load() != 2 {
					t.Errorf("err = %v on %d connections, want an answer on the second", err, b.conns.Load())
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, ErrConnLost) || !e.Complete || b.conns.Load() != 1 {
				t.Errorf("err = %#v on %d connections, want ErrConnLost on the first", err, b.conns.Load())
			}
		})
	}
}

func TestClientDropsDeadIdleConnections(t *testing.T) {
	b := newBackend(t, func(p *peer) {
		_, _, _ = p.request(true)
		p.say(okAnswer) // and hang up without saying so
	})
	c := b.client(t, nil)
	for range 3 {
		if _, _, err := fetch(t.Context(), c, put(strings.NewReader("abc"), 3)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestClientDoesNotRepeatOnAFreshConnection(t *testing.T) {
	b := newBackend(t, func(p *peer) { _, _, _ = p.request(true) })
	c := b.client(t, nil)
	if _, err := c.Do(t.Context(), get()); !errors.Is(err, ErrConnLost) {
		t.Errorf("err = %v, want ErrConnLost", err)
	}
	if n := b.conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestClientDialFailure(t *testing.T) {
	cause := errors.New("no route")
	c := NewClient(Options{Host: "h", Dial: func(context.Context) (net.Conn, error) { return nil, cause }})
	_, err := c.Do(t.Context(), get())
	var e *Error
	if !errors.Is(err, ErrDial) || !errors.Is(err, cause) || !errors.As(err, &e) || e.Sent {
		t.Errorf("err = %#v, want ErrDial with its cause, nothing sent", err)
	}
	if st := c.Stats(); st != (Stats{}) {
		t.Errorf("stats = %+v", st)
	}
}

func TestClientPoolLimits(t *testing.T) {
	release := make(chan struct{})
	b := newBackend(t, func(p *peer) {
		for {
			if _, _, err := p.request(true); err != nil {
				return
			}
			<-release
			p.say(okAnswer)
		}
	})
	c := b.client(t, func(o *Options) { o.MaxConns, o.WaitTimeout = 2, 500*time.Millisecond })
	answers := make(chan error, 2)
	for range 2 {
		go func() {
			_, _, err := fetch(t.Context(), c, get())
			answers <- err
		}()
	}
	for c.Stats().Open < 2 {
		time.Sleep(time.Millisecond)
	}
	if _, err := c.Do(t.Context(), get()); !errors.Is(err, ErrBusy) {
		t.Errorf("err = %v, want ErrBusy", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Do(ctx, get()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v, want the context's", err)
	}
	close(release)
	for range 2 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if st := c.Stats(); st != (Stats{Open: 2, Idle: 2}) {
		t.Errorf("stats = %+v, want 2 idle", st)
	}
	c.CloseIdle()
	if st := c.Stats(); st != (Stats{}) {
		t.Errorf("stats = %+v, want none", st)
	}
}

func TestClientIdleConnectionsExpire(t *testing.T) {
	b := newBackend(t, loop(okAnswer))
	c := b.client(t, func(o *Options) { o.IdleTimeout = 30 * time.Millisecond })
	if _, _, err := fetch(t.Context(), c, get()); err != nil {
		t.Fatal(err)
	}
	if st := c.Stats(); st.Idle != 1 {
		t.Fatalf("stats = %+v, want 1 idle", st)
	}
	for end := time.Now().Add(5 * time.Second); c.Stats().Open > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("stats = %+v, want none", c.Stats())
		}
	}
}

func TestClientClosed(t *testing.T) {
	b := newBackend(t, loop(okAnswer))
	c := b.client(t, nil)
	resp, err := c.Do(t.Context(), get())
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, err := c.Do(t.Context(), get()); !errors.Is(err, ErrClosed) {
		t.Errorf("err = %v, want ErrClosed", err)
	}
	if got, err := io.ReadAll(resp.Body); string(got) != "ok" || err != nil {
		t.Errorf("exchange under way: %q, %v", got, err)
	}
	if st := c.Stats(); st != (Stats{}) {
		t.Errorf("stats = %+v, want none", st)
	}
}

func TestClientParallel(t *testing.T) {
	b := newBackend(t, func(p *peer) {
		for {
			r, body, err := p.request(true)
			if err != nil {
				return
			}
			answer := fmt.Sprintf("%s %d", r.URL.Path, len(body))
			p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer))
		}
	})
	c := b.client(t, func(o *Options) { o.MaxConns = 4 })
	errs := make(chan error, 16)
	for i := range 16 {
		go func() {
			for j := range 20 {
				n := (i*20 + j) * 500
				req := put(bytes.NewReader(make([]byte, n)), int64(n))
				req.Target = fmt.Sprintf("/%d-%d", i, j)
				_, got, err := fetch(t.Context(), c, req)
				if want := fmt.Sprintf("%s %d", req.Target, n); err != nil || got != want {
					errs <- fmt.Errorf("got %q, want %q: %w", got, want, err)
					return
				}
			}
			errs <- nil
		}()
	}
	for range 16 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := b.conns.Load(); n > 4 {
		t.Errorf("%d connections, want 4 at most", n)
	}
}
