package s3proxy_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3test"
	"keystile/internal/upstream"
)

// watched runs the checks and probes of a gateway's backends.
func (g *gateway) watched() {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = g.backends.Run(ctx) })
	g.t.Cleanup(func() { stop(); running.Wait() })
}

// TestANewBackendIsWaitedFor: what only a proof allows waits while the backend is
// probed for the first time, and is refused only if it finds against it.
func TestANewBackendIsWaitedFor(t *testing.T) {
	probes := func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/keystile-probe-") }
	for _, tt := range []struct {
		name   string
		able   bool // the backend has it
		call   call
		status int
	}{
		{"a condition that is heeded", true, call{method: put, path: "/uploads/a", body: "x", header: header("If-None-Match", "*")}, 200},
		{"a condition that is not heeded", true, call{method: put, path: "/uploads/a", body: "x", header: header("If-Match", `"e"`)}, 501},
		{"an odd key that is kept", true, call{method: put, path: "/uploads/a//b", body: "x"}, 200},
		{"an odd key, and a probe that comes to nothing", false, call{method: put, path: "/uploads/a//b", body: "x"}, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			backend := s3test.New(t)
			backend.CreateBucket("uploads")
			g := newGatewayTo(t, []upstream.Endpoint{{Secret: keystile.NewSecret(backendSecret), Backend: keystile.Backend{
				ID: "prod", Kind: keystile.KindS3, Endpoint: backend.URL, Region: "eu-test-1", PathStyle: true, AccessKeyID: backendKey,
			}}})
			k := g.mint("prod/uploads:write")
			if tt.able {
				backend.Inject(s3test.Delay(time.Second).When(func(r *http.Request) bool {
					return probes(r) && r.Method == put && strings.Count(r.URL.Path, "/") == 1
				}))
			} else {
				backend.Inject(s3test.Answer(403, "").When(probes))
			}
			g.watched()
			g.until("the backend is looked at", func() bool { return len(backend.Requests()) > 0 })
			if b, _ := g.backends.Get("prod"); tt.able && b.Can(keystile.KeepsKeys) {
				t.Fatal("it was proven before the test began")
			}
			if r := g.do(k, tt.call); r.status != tt.status {
				t.Errorf("got %+v, want %d", r, tt.status)
			}
			_, stored := backend.Objects("uploads")[strings.TrimPrefix(tt.call.path, "/uploads/")]
			if stored != (tt.status == 200) {
				t.Errorf("stored %v", stored)
			}
		})
	}
}
