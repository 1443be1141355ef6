package http1

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"
)

func TestClientConnectionsDoNotOutliveTheirTime(t *testing.T) {
	b := newBackend(t, loop(okAnswer))
	c := b.client(t, func(o *Options) { o.MaxLifetime = 60 * time.Millisecond })
	for range 5 {
		if _, _, err := fetch(t.Context(), c, get()); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.conns.Load(); n != 1 {
		t.Fatalf("%d connections, want 1 to be reused while it is young", n)
	}
	time.Sleep(80 * time.Millisecond)
	if _, _, err := fetch(t.Context(), c, get()); err != nil || b.conns.Load() != 2 {
		t.Errorf("err = %v on %d connections, want the second", err, b.conns.Load())
	}
}

func TestClientBoundsWhoWaits(t *testing.T) {
	hold := make(chan struct{})
	b := newBackend(t, func(p *peer) { _, _, _ = p.request(true); <-hold })
	defer close(hold)
	c := b.client(t, func(o *Options) { o.MaxConns, o.MaxWaiting, o.WaitTimeout = 1, 1, time.Minute })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := c.Do(ctx, get())
			ended <- err
		}()
	}
	for c.Stats().Waiting < 1 {
		time.Sleep(time.Millisecond)
	}
	within(t, time.Second, func() {
		if _, err := c.Do(t.Context(), get()); !errors.Is(err, ErrBusy) {
			t.Errorf("err = %v, want ErrBusy at once", err)
		}
	})
	cancel()
	for range 2 {
		<-ended
	}
}

// A body that moves outlives IOTimeout, but not the limit of one who wants the
// whole of it.
func TestResponseLimit(t *testing.T) {
	for _, framing := range []string{"Content-Length: 1000", "Transfer-Encoding: chunked"} {
		t.Run(framing, func(t *testing.T) {
			b := newBackend(t, func(p *peer) {
				_, _, _ = p.request(true)
				p.say("HTTP/1.1 200 OK\r\n" + framing + "\r\n\r\n")
				for range 1000 {
					time.Sleep(10 * time.Millisecond)
					if _, err := io.WriteString(p, "1\r\nx\r\n"); err != nil {
						return
					}
				}
			})
			c := b.client(t, func(o *Options) { o.IOTimeout = time.Minute })
			resp, err := c.Do(t.Context(), get())
			if err != nil {
				t.Fatal(err)
			}
			resp.Limit(100 * time.Millisecond)
			within(t, 2*time.Second, func() {
				if _, err := io.ReadAll(resp.Body); !errors.Is(err, ErrIdleTimeout) {
					t.Errorf("err = %v, want ErrIdleTimeout", err)
				}
			})
		})
	}
}
