package s3proxy_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3test"
	"keystile/internal/upstream"
)

// watch runs the registry's checks, which are the circuit's probes, until the
// test ends.
func (f *faulty) watch() {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = f.registry.Run(ctx) })
	f.t.Cleanup(func() { stop(); running.Wait() })
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("in vain: %s", what)
}

// switchable is a good backend that can be made to hang.
func switchable(t *testing.T) (url string, hang *atomic.Bool) {
	t.Helper()
	good, hang := s3test.New(t), &atomic.Bool{}
	good.PutObject("uploads", "a", []byte("fine"))
	for i := range 20 {
		good.PutObject("uploads", string(rune('b'+i)), []byte("fine"))
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hang.Load() {
			_, _ = io.Copy(io.Discard, r.Body) // net/http looks for the client's end only then
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		}
		good.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	return front.URL, hang
}

func TestADeadBackendIsRefusedAtOnceUntilItAnswersAProbe(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("case", func(t *testing.T) {
		url, hang := switchable(t)
		f := newFaulty(t, url, func(o *upstream.Options) { o.CheckEvery = 100 * time.Millisecond })
		f.watch()
		if r, _ := f.try(readA); r.body != "fine" {
			t.Fatalf("got %d %s", r.status, r.body)
		}
		hang.Store(true)
		eventually(t, "cut off", func() bool {
			_, _ = f.try(call{method: get, path: "/uploads/b"})
			return f.registry.Health()["prod"].Circuit == keystile.CircuitOpen
		})
		for range 20 {
			began := time.Now()
			r, cut := f.try(readA)
			if f.registry.Health()["prod"].Circuit != keystile.CircuitOpen {
				break
			}
			if cut || r.status != 503 || r.code != "ServiceUnavailable" || r.header.Get("Retry-After") == "" || !strings.Contains(r.message, "until it answers") {
				t.Errorf("got %d %s %q, Retry-After %q", r.status, r.code, r.message, r.header.Get("Retry-After"))
			}
			if took := time.Since(began); took > 200*time.Millisecond {
				t.Errorf("the refusal took %s", took)
			}
		}
		if l := f.registry.Loads()["prod"]; l.Open-l.Idle > 2 { // probes at most: of the circuit, and of abilities
			t.Errorf("a backend that is cut off holds %+v", l)
		}
		f.othersGoOn()
		hang.Store(false)
		eventually(t, "let through again", func() bool {
			r, cut := f.try(readA)
			return !cut && r.body == "fine"
		})
		eventually(t, "closed", func() bool { return f.registry.Health()["prod"].Circuit == keystile.CircuitClosed })
	})
	noGoroutineIsLeft(t, before)
}

func TestOnePoisonedObjectCutsNobodyOff(t *testing.T) {
	good := s3test.New(t)
	good.PutObject("uploads", "a", []byte("fine"))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/poison") {
			panic(http.ErrAbortHandler)
		}
		good.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	f := newFaulty(t, front.URL)
	for range 30 {
		if r, cut := f.try(call{method: get, path: "/uploads/poison"}); cut || r.status != 503 {
			t.Fatalf("the poisoned object: %d, cut %t", r.status, cut)
		}
	}
	if r, cut := f.try(readA); cut || r.body != "fine" {
		t.Errorf("another object: %d %s", r.status, r.body)
	}
}

func TestASlowBackendHoldsOnlyItsOwnConnections(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("case", func(t *testing.T) {
		f := newFaulty(t, s3test.NewRaw(t, (*s3test.RawConn).Hold).URL, func(o *upstream.Options) { o.MaxConns = 4 })
		var asking sync.WaitGroup
		for range 40 {
			asking.Go(func() {
				if r, cut := f.try(readA); cut || r.status < 503 {
					t.Errorf("the slow backend: %d, cut %t", r.status, cut)
				}
			})
		}
		eventually(t, "the pool is full", func() bool { return f.registry.Loads()["prod"].Waiting > 0 })
		if l := f.registry.Loads()["prod"]; l.Open > 4 {
			t.Errorf("%d connections, at most 4 are allowed", l.Open)
		}
		f.othersGoOn()
		asking.Wait()
		f.settles()
	})
	noGoroutineIsLeft(t, before)
}

func TestKeptConnections(t *testing.T) {
	serve := func(c *s3test.RawConn, n int) {
		for range n {
			r := c.Request()
			if r == nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			if body := map[string]string{get: "fine"}[r.Method]; !c.Say(ok("", body)) {
				return
			}
		}
	}
	put := call{method: put, path: "/uploads/a", body: "hello"}
	for _, tt := range []struct {
		name                  string
		script                func(*s3test.RawConn)
		second                call
		status                int
		requests, connections int
	}{
		{"one that was closed meanwhile is replaced for a read", func(c *s3test.RawConn) { serve(c, 1) }, readA, 200, 2, 2},
		{"and for a write, of which nothing was sent", func(c *s3test.RawConn) { serve(c, 1) }, put, 200, 2, 2},
		{"one that dies on a read is replaced once", func(c *s3test.RawConn) {
			if c.N == 1 {
				serve(c, 1)
				c.Whole()
				return
			}
			serve(c, 1)
		}, readA, 200, 3, 2},
		{"and not twice", func(c *s3test.RawConn) {
			if c.N == 1 {
				serve(c, 1)
			}
			c.Whole()
		}, readA, 503, 3, 2},
		{"one that dies on a write is not", func(c *s3test.RawConn) {
			if c.N == 1 {
				serve(c, 1)
			}
			c.Whole()
		}, put, 503, 2, 1},
		{"one that dies on a delete is not", func(c *s3test.RawConn) {
			if c.N == 1 {
				serve(c, 1)
			}
			c.Whole()
		}, deleteA, 503, 2, 1},
		{"what follows an answer unasked is no answer", func(c *s3test.RawConn) {
			if c.Whole() {
				c.Say(ok("", "fine") + ok("", "smuggled"))
				serve(c, 1)
			}
		}, readA, 200, 2, 2},
		{"what is said while idle is no answer", func(c *s3test.RawConn) {
			if c.N == 1 {
				serve(c, 1)
				c.Say(ok("", "smuggled"))
				c.Hold()
			}
			serve(c, 1)
		}, readA, 200, 2, 2},
		{"the body of an answer to HEAD is no answer", func(c *s3test.RawConn) {
			if c.N == 1 && c.Whole() {
				c.Say(ok("", "fine"))
				c.Hold()
			}
			serve(c, 2)
		}, readA, 200, 2, 2},
		{"one that stays good is used again", func(c *s3test.RawConn) { serve(c, 9) }, readA, 200, 2, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			raw := s3test.NewRaw(t, tt.script)
			f := newFaulty(t, raw.URL)
			first := readA
			if strings.Contains(tt.name, "HEAD") {
				first = headA
			}
			if r, cut := f.try(first); cut || r.status != 200 {
				t.Fatalf("the first request: %d, cut %t", r.status, cut)
			}
			time.Sleep(50 * time.Millisecond) // for what the backend does meanwhile
			r, cut := f.try(tt.second)
			if cut || r.status != tt.status || strings.Contains(r.body, "smuggled") {
				t.Errorf("the second request: %d %q, cut %t; want %d", r.status, r.body, cut, tt.status)
			}
			if raw.Requests() != tt.requests || raw.Connections() != tt.connections {
				t.Errorf("%d requests on %d connections, want %d on %d", raw.Requests(), raw.Connections(), tt.requests, tt.connections)
			}
		})
	}
}

func TestABackendThatFailsItsHandshake(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close() })
	f := newFaulty(t, "https://"+ln.Addr().String())
	f.meets(faultyCase{call: readA, status: 503, code: "ServiceUnavailable"})
}
