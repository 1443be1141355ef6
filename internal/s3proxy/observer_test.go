package s3proxy_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
	"keystile/internal/s3test"
)

// observed remembers what the gateway counts.
type observed struct {
	mu  sync.Mutex
	all []keystile.Served
}

func (o *observed) Observe(s keystile.Served) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, s)
}

func (o *observed) BackendFailed(string) {}

// next waits for the request that was just answered to be counted.
func (o *observed) next(t *testing.T) keystile.Served {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		o.mu.Lock()
		if len(o.all) > 0 {
			s := o.all[0]
			o.all = o.all[1:]
			o.mu.Unlock()
			return s
		}
		o.mu.Unlock()
	}
	t.Fatal("the request is not counted")
	return keystile.Served{}
}

func TestWhatIsCounted(t *testing.T) {
	o := &observed{}
	g := newGateway(t, func(options *s3proxy.Options) { options.Observer = o })
	k := g.mint("prod/uploads:read,list,write,delete")
	other := key{k.id, keystile.NewSecretKey()}
	g.bind(keystile.Binding{Name: "open", Bucket: keystile.Bucket{Backend: "prod", Name: "uploads"}, Mode: keystile.ModeRead})
	revoked := g.mint("prod/uploads:read")
	g.change(revoked, func(c *keystile.Credential) { c.DisabledAt = g.clock() })
	type counted struct {
		key, backend, class string
		traffic             keystile.Traffic
	}
	deleteAll := `<Delete><Object><Key>x/1</Key></Object></Delete>`
	narrow := g.mint("prod/uploads/only/:read,delete")
	for _, tt := range []struct {
		name string
		key  key
		call call
		want counted
	}{
		{"a write", k, call{method: "PUT", path: "/uploads/a", body: "hello"},
			counted{k.id, "prod", "write", keystile.Traffic{Requests: 1, Writes: 1, BytesIn: 5}}},
		{"a read", k, call{method: "GET", path: "/uploads/a"},
			counted{k.id, "prod", "read", keystile.Traffic{Requests: 1, Reads: 1, BytesOut: 5}}},
		{"an answer without a backend", k, call{method: "GET", path: "/"},
			counted{k.id, "", "read", keystile.Traffic{Requests: 1, Reads: 1}}},
		{"the backend's 404", k, call{method: "GET", path: "/uploads/none"},
			counted{k.id, "prod", "read", keystile.Traffic{Requests: 1, Reads: 1}}},
		{"outside the scope", k, call{method: "GET", path: "/payroll/a"},
			counted{k.id, "", "read", keystile.Traffic{Requests: 1, Reads: 1, Refusals: 1}}},
		{"a claimed key", other, call{method: "PUT", path: "/uploads/a", body: "forged"},
			counted{"", "", "write", keystile.Traffic{Requests: 1, Writes: 1, Refusals: 1}}},
		{"a claimed key that does not exist", key{"AKIANOSUCHKEY0000000", keystile.NewSecretKey()}, call{method: "GET", path: "/uploads/a"},
			counted{"", "", "read", keystile.Traffic{Requests: 1, Reads: 1, Refusals: 1}}},
		{"a disabled key", revoked, call{method: "GET", path: "/uploads/a"},
			counted{"", "", "read", keystile.Traffic{Requests: 1, Reads: 1, Refusals: 1}}},
		{"an anonymous read", k, call{method: "GET", path: "/open/a", unsigned: true},
			counted{"", "prod", "read", keystile.Traffic{Requests: 1, Reads: 1, BytesOut: 5}}},
		{"an anonymous write", k, call{method: "PUT", path: "/open/a", body: "x", unsigned: true},
			counted{"", "", "write", keystile.Traffic{Requests: 1, Writes: 1, Refusals: 1}}},
		{"a tampered body", k, call{method: "PUT", path: "/uploads/a", body: "hello", payloadHash: hashOf("other")},
			counted{k.id, "prod", "write", keystile.Traffic{Requests: 1, Writes: 1, Refusals: 1, BytesIn: 5}}},
		{"bucket administration", k, call{method: "PUT", path: "/uploads", query: "policy="},
			counted{k.id, "", "admin", keystile.Traffic{Requests: 1, Refusals: 1}}},
		{"nothing S3 knows", k, call{method: "PATCH", path: "/uploads/a"},
			counted{"", "", "", keystile.Traffic{Requests: 1, Refusals: 1}}},
		{"a multi-delete of which every key is denied", narrow, call{method: "POST", path: "/uploads", query: "delete=", body: deleteAll},
			counted{narrow.id, "prod", "delete", keystile.Traffic{Requests: 1, Writes: 1, Refusals: 1}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g.do(tt.key, tt.call)
			s := o.next(t)
			got := counted{s.AccessKeyID, s.Backend, s.Class, s.Traffic()}
			// The length of an error document is not what this is about.
			if s.Status >= http.StatusBadRequest || strings.Contains(tt.name, "multi-delete") || tt.call.path == "/" {
				got.traffic.BytesOut = tt.want.traffic.BytesOut
				got.traffic.BytesIn = tt.want.traffic.BytesIn
			}
			if got != tt.want {
				t.Errorf("%d is counted as %+v\nwant %+v", s.Status, got, tt.want)
			}
			if s.Ended.IsZero() || s.Took < 0 || s.Operation == "" {
				t.Errorf("counted as %+v", s)
			}
		})
	}
}

// An answer that the backend cuts short is an error, though it began with 200.
func TestABrokenAnswerIsCountedAsAnError(t *testing.T) {
	o := &observed{}
	g := newGateway(t, func(options *s3proxy.Options) { options.Observer = o })
	k := g.mint("prod/uploads:read,write")
	g.do(k, call{method: "PUT", path: "/uploads/a", body: strings.Repeat("x", 1<<20)})
	o.next(t)
	for _, tt := range []struct {
		name  string
		fault s3test.Fault
		want  int // status
	}{
		{"cut short", s3test.CutAnswerAfter(500_000), http.StatusOK},
		{"no answer", s3test.HangUpAfter(0), http.StatusBadGateway},
		{"a 500", s3test.Answer(http.StatusInternalServerError, "<Error><Code>InternalError</Code></Error>"), http.StatusInternalServerError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g.backend.Inject(tt.fault)
			defer g.backend.ClearFaults()
			res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(g.request(k, call{method: "GET", path: "/uploads/a"}))
			must(t, err)
			_, _ = io.Copy(io.Discard, res.Body)
			must(t, res.Body.Close())
			s := o.next(t)
			if n := s.Traffic(); n.Errors != 1 || n.Refusals != 0 || s.Status/100 != tt.want/100 || s.AccessKeyID != k.id {
				t.Errorf("counted as %+v: %+v", s, n)
			}
		})
	}
}

// A client that hangs up is neither an error nor a refusal.
func TestAClientThatLeavesIsNoError(t *testing.T) {
	o := &observed{}
	g := newGateway(t, func(options *s3proxy.Options) { options.Observer = o })
	k := g.mint("prod/uploads:read,write")
	g.do(k, call{method: "PUT", path: "/uploads/a", body: strings.Repeat("x", 8<<20)})
	o.next(t)
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(g.request(k, call{method: "GET", path: "/uploads/a"}))
	must(t, err)
	must(t, res.Body.Close())
	if n := o.next(t).Traffic(); n.Errors != 0 || n.Refusals != 0 || n.Reads != 1 {
		t.Errorf("counted as %+v", n)
	}
}
