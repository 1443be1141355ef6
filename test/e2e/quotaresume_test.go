package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/s3test"
)

// gate stands before a backend and holds pages of object listings back.
type gate struct {
	backend *s3test.Server

	mu     sync.Mutex
	passes int           // so many more go through
	open   chan struct{} // closed: all do
	begins int           // listings that began at the first key
}

func startGate(t *testing.T, backend *s3test.Server, passes int) (*gate, string) {
	t.Helper()
	g := &gate{backend: backend, passes: passes, open: make(chan struct{})}
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	return g, srv.URL
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if r.Method == http.MethodGet && query.Has("versions") {
		g.mu.Lock()
		g.passes--
		held := g.passes < 0
		if query.Get("key-marker") == "" {
			g.begins++
		}
		g.mu.Unlock()
		if held {
			select {
			case <-g.open:
			case <-r.Context().Done():
				return
			}
		}
	}
	g.backend.ServeHTTP(w, r)
}

// begun is how many listings began at the first key.
func (g *gate) begun() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.begins
}

// TestCountGoesOnAfterARestart ends the server within a count, while objects are
// written on both sides of where it is: the next process says that it goes on, asks
// for no page that was counted, and comes to what is stored.
func TestCountGoesOnAfterARestart(t *testing.T) {
	t.Parallel() // it mostly waits
	for name, end := range map[string]func(s *server){
		"stopped in order": (*server).interrupt,
		"killed": func(s *server) {
			s.mint("large:read") // usage that changed is written down before this returns
			s.kill()
		},
	} {
		t.Run(name, func(t *testing.T) {
			backend := s3test.New(t)
			for n := range 3500 { // four pages
				backend.PutObject("large", fmt.Sprintf("k%04d", n), make([]byte, n%7))
			}
			g, endpoint := startGate(t, backend, 2)
			data := t.TempDir() + "/data"
			s := start(t, data, "")
			s.addBackend("counting", endpoint, "COUNTING", "a secret of the tests")
			s.BackendID = "counting"
			c := s.mint("large:read,list,write,delete")
			s.cliJSON(nil, "quota", "scan", "counting/large")
			s.untilQuota("large", "two pages are counted", func(q quotaShown) bool { return q.Usage.Scan != nil && q.Usage.Scan.Objects == 2000 })
			for key, method := range map[string]string{"k0000-new": http.MethodPut, "k0006": http.MethodDelete, "k3000-new": http.MethodPut, "k3001": http.MethodDelete} {
				body := ""
				if method == http.MethodPut {
					body = "twelve bytes"
				}
				if got := s.send(c, method, "/large/"+key, body); got/100 != 2 {
					t.Fatalf("%s of %s during the count: %d", method, key, got)
				}
			}
			end(s)
			before := g.begun()

			s = start(t, data, s.token)
			s.BackendID = "counting"
			s.untilQuota("large", "the count goes on", func(q quotaShown) bool { return q.Usage.Scan != nil })
			if q := s.quota("large"); !q.Usage.Scan.Resumed || q.Usage.Scan.Objects != 2000 {
				t.Errorf("after the restart: %+v", q.Usage.Scan)
			}
			s.cli("quota", "show", "counting/large", "--output", "table").want(t, 0, "counting: 2000 objects so far, resumed after a restart")
			close(g.open)
			s.untilQuota("large", "the count is done", func(q quotaShown) bool { return q.Usage.Scan == nil && q.Usage.ScannedAt != nil })
			size, objects := backend.Stored("large")
			if u := s.quota("large").Usage; u.UsedBytes != size || u.UsedObjects != objects {
				t.Errorf("%d bytes in %d objects are stored, counted %+v", size, objects, u)
			}
			if after := g.begun(); after != before {
				t.Errorf("%d listings began anew after the restart", after-before)
			}
			if strings.Contains(s.stderr.String(), "could not be counted") {
				t.Errorf("the server said:\n%s", s.stderr)
			}
		})
	}
}

// untilQuota waits until a bucket's usage is as it is to be.
func (s *server) untilQuota(bucket, what string, is func(quotaShown) bool) {
	s.t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		q := s.quota(bucket)
		if is(q) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("not so: %s; %+v\n%s", what, q.Usage, s.stderr)
		}
	}
}
