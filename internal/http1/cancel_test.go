package http1

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestCancel(t *testing.T) {
	revoked := errors.New("key revoked")
	aborted := newStuck(100_000)
	for _, tt := range []struct {
		name     string
		req      *Request
		script   func(p *peer, hold chan struct{})
		complete bool
	}{
		{"blocked in a write", put(&zeros{64 * mib, io.EOF}, 64*mib), func(p *peer, hold chan struct{}) { <-hold }, false},
		{"blocked in the body", func() *Request { r := put(aborted, mib); r.AbortBody = aborted.abort; return r }(), func(p *peer, hold chan struct{}) { countBody(p) }, false},
		{"waiting for the answer to a short request", get(), func(p *peer, hold chan struct{}) { <-hold }, true},
		{"waiting for the answer to a long request", put(&zeros{mib, io.EOF}, mib), func(p *peer, hold chan struct{}) { countBody(p); <-hold }, true},
		{"in the middle of a head", get(), func(p *peer, hold chan struct{}) { p.say("HTTP/1.1 200"); <-hold }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hold := make(chan struct{})
			b := newBackend(t, func(p *peer) { tt.script(p, hold) })
			defer close(hold)
			c := b.client(t, nil)
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(100*time.Millisecond, func() { cancel(revoked) })
			within(t, 3*time.Second, func() {
				_, err := c.Do(ctx, tt.req)
				var e *Error
				if !errors.As(err, &e) || !errors.Is(err, context.Canceled) || !errors.Is(err, revoked) || e.Complete != tt.complete {
					t.Errorf("err = %#v, want canceled, complete %v", err, tt.complete)
				}
			})
			if st := c.Stats(); st.Open != 0 {
				t.Errorf("stats = %+v, want no connection", st)
			}
		})
	}
}

func TestCancelCutsTheAnswer(t *testing.T) {
	hold := make(chan struct{})
	b := newBackend(t, func(p *peer) {
		_, _, _ = p.request(true)
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
		<-hold
	})
	defer close(hold)
	c := b.client(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	within(t, 3*time.Second, func() {
		if _, body, err := fetch(ctx, c, get()); body != "abc" || !errors.Is(err, context.Canceled) {
			t.Errorf("%q, %v, want canceled", body, err)
		}
	})
	if st := c.Stats(); st.Open != 0 {
		t.Errorf("stats = %+v, want no connection", st)
	}
}

// After cancel has returned, nothing more of the request may be handed to the
// kernel. The body cancels while its own last piece is read.
func TestCancelBeforeTheLastPiece(t *testing.T) {
	for _, length := range []int64{1000, mib} {
		got := make(chan int64, 1)
		b := newBackend(t, func(p *peer) {
			_, n := countBody(p)
			got <- n
		})
		c := b.client(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		body := io.MultiReader(&zeros{length, io.EOF}, readFunc(func([]byte) (int, error) { cancel(); return 0, io.EOF }))
		_, err := c.Do(ctx, put(body, length))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v, want canceled", err)
		}
		if length > shortBody {
			if n := <-got; n >= length {
				t.Errorf("backend got all %d bytes", n)
			}
		} else if n := b.conns.Load(); n != 0 {
			t.Errorf("%d connections, want none", n)
		}
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestCommit(t *testing.T) {
	refused := errors.New("revoked meanwhile")
	for _, tt := range []struct {
		name   string
		commit func(send func() error) error
		want   error // nil: the request arrives
	}{
		{"sends", func(send func() error) error { return send() }, nil},
		{"refuses", func(func() error) error { return refused }, refused},
		{"forgets", func(func() error) error { return nil }, errUncommitted},
	} {
		for _, length := range []int64{0, 1000, mib} {
			t.Run(tt.name, func(t *testing.T) {
				got := make(chan int64, 1)
				b := newBackend(t, func(p *peer) {
					declared, n := countBody(p)
					got <- n - declared
					p.say(okAnswer)
				})
				c := b.client(t, nil)
				req := put(&zeros{length, io.EOF}, length)
				req.Commit = tt.commit
				_, _, err := fetch(t.Context(), c, req)
				if tt.want == nil {
					if lack := <-got; err != nil || lack != 0 {
						t.Errorf("err = %v, %d bytes lack", err, -lack)
					}
					return
				}
				var e *Error
				if !errors.As(err, &e) || !errors.Is(err, ErrBody) || !errors.Is(err, tt.want) || e.Complete {
					t.Errorf("err = %#v, want ErrBody by %v", err, tt.want)
				}
				if lack := <-got; length > shortBody && lack >= 0 {
					t.Error("backend got the whole body")
				}
			})
		}
	}
}

// A lock that Commit holds while it sends makes revocation exact: whoever got
// it after cancelling knows that no request completes any more.
func TestCommitIsExactUnderRevocation(t *testing.T) {
	var revoked atomic.Bool
	var late atomic.Int64
	b := newBackend(t, loop(okAnswer))
	c := b.client(t, nil)
	for range 50 {
		revoked.Store(false)
		var gate sync.Mutex
		ctx, cancel := context.WithCancel(t.Context())
		req := put(&zeros{100_000, io.EOF}, 100_000)
		req.Commit = func(send func() error) error {
			gate.Lock()
			defer gate.Unlock()
			if err := send(); err == nil && revoked.Load() {
				late.Add(1)
			}
			return nil
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _, _ = fetch(ctx, c, req)
		}()
		time.Sleep(50 * time.Microsecond)
		cancel()
		gate.Lock()
		revoked.Store(true)
		gate.Unlock()
		<-done
	}
	if n := late.Load(); n > 0 {
		t.Errorf("%d requests completed after the revocation", n)
	}
}
