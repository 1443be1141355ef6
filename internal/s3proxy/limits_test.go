package s3proxy_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3test"
	"keystile/internal/store"
)

// bound gives a credential limits of its own.
func (g *gateway) bound(k key, l keystile.CredentialLimits) {
	g.t.Helper()
	g.write(func(tx store.Tx, generation int64) error {
		c, err := tx.Credential(k.id)
		if err != nil {
			return err
		}
		c.Limits, c.Generation = &l, generation
		return tx.UpdateCredential(c)
	})
	must(g.t, g.quotas.Sync(g.t.Context()))
	must(g.t, g.keys.Sync(g.t.Context()))
}

func allowing(bytes int64, per keystile.AllowancePer) keystile.CredentialLimits {
	return keystile.CredentialLimits{Ceiling: noCaps, Allowance: bytes, Per: per}
}

// Each limit of a credential: what fits to the byte passes, one byte more is refused
// and the backend never saw it, and the key beside it is not bound.
func TestCredentialsAreHeldToTheirLimits(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits keystile.CredentialLimits
		words  []string
	}{
		{"a ceiling", keystile.CredentialLimits{Ceiling: hardBytes(1500), Allowance: keystile.NoCap},
			[]string{"this key", "bucket uploads holds", "1500 bytes", "500 are used", "1001 more"}},
		{"an allowance in all", allowing(1000, keystile.PerTotal), []string{"this key", "1000 bytes", "in all", "0 are used", "1001 more"}},
		{"an allowance of a day", allowing(1000, keystile.PerDay), []string{"this key", "1000 bytes", "in a day", "0 are used", "1001 more"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t)
			g.backend.PutObject("uploads", "there", make([]byte, 500))
			k, beside := g.mint("prod/uploads:read,write,delete"), g.mint("prod/uploads:write")
			g.cap(noCaps, noCaps)
			g.bound(k, tt.limits)
			r := g.do(k, call{method: put, path: "/uploads/a", body: strings.Repeat("x", 1001)})
			wantStatus(t, r, 507, "QuotaExceeded")
			for _, word := range tt.words {
				if !strings.Contains(r.message, word) {
					t.Errorf("%q does not tell %q", r.message, word)
				}
			}
			if seen := g.changed(); len(seen) > 0 {
				t.Errorf("the backend saw %v", seen)
			}
			e := g.events(keystile.EventFilter{})[0]
			if e.Result != keystile.ResultDenied || e.Status != 507 || e.Detail.Code != "QuotaExceeded" || e.Detail.AccessKeyID != k.id {
				t.Errorf("the refusal is recorded as %+v", e)
			}
			wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: strings.Repeat("x", 1000)}), 200, "")
			g.isCounted()
			wantStatus(t, g.do(k, call{method: put, path: "/uploads/b", body: "x"}), 507, "QuotaExceeded")
			wantStatus(t, g.do(beside, call{method: put, path: "/uploads/c", body: strings.Repeat("x", 2000)}), 200, "")
			wantStatus(t, g.do(k, call{method: del, path: "/uploads/c"}), 204, "")
			wantStatus(t, g.do(k, call{method: get, path: "/uploads/a"}), 200, "")
		})
	}
}

// An allowance counts in a bucket that is not counted, and asks the backend nothing
// more than the write itself.
func TestAllowanceNeedsNoCountedBucket(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write,delete")
	g.bound(k, allowing(10, keystile.PerDay))
	g.backend.Reset()
	wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: "sixsix"}), 200, "")
	wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: "fives"}), 507, "QuotaExceeded")
	if n := len(g.backend.Requests()); n != 1 {
		t.Errorf("the backend saw %d requests, want 1", n)
	}
	status, answer := g.raw(k, call{method: put, path: "/uploads/a", payloadHash: "UNSIGNED-PAYLOAD"},
		"Transfer-Encoding: chunked", strings.NewReader("1\r\nx\r\n0\r\n\r\n"))
	if status != 411 || !strings.Contains(answer, "MissingContentLength") {
		t.Errorf("an unknown length: %d %s", status, answer)
	}
}

// The event of each write tells what it took of the allowance: the trail is what a
// killed process's successor knows that from.
func TestEventsTellWhatIsSpent(t *testing.T) {
	put100 := call{method: put, path: "/uploads/a", body: strings.Repeat("x", 100)}
	for _, tt := range []struct {
		name   string
		call   call
		faults []s3test.Fault
		want   int64
	}{
		{"an object", put100, nil, 100},
		{"a copy, by the size of its source", call{method: put, path: "/uploads/a", header: http.Header{"X-Amz-Copy-Source": {"uploads/source"}}}, nil, 70},
		{"one that the backend refuses: nothing", put100, []s3test.Fault{s3test.Answer(403, "<Error><Code>AccessDenied</Code></Error>")}, 0},
		{"one that the backend fails at, which may be carried out yet", put100, []s3test.Fault{s3test.Answer(500, "<Error><Code>InternalError</Code></Error>")}, 100},
		{"one whose answer is lost", put100, []s3test.Fault{s3test.NoAnswer()}, 100},
		{"a delete: nothing", call{method: del, path: "/uploads/source"}, nil, 0},
		{"one that does not fit: nothing", call{method: put, path: "/uploads/a", body: strings.Repeat("x", 1001)}, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t)
			g.backend.PutObject("uploads", "source", make([]byte, 70))
			k := g.mint("prod/uploads:read,write,delete")
			g.bound(k, allowing(1000, keystile.PerTotal))
			g.backend.Inject(tt.faults...)
			g.do(k, tt.call)
			spent, since, _ := g.quotas.Spent(k.id)
			e := g.events(keystile.EventFilter{})[0]
			var recorded int64
			if spends := e.Detail.Spends; spends != nil {
				recorded = spends.Bytes
				if spends.Per != keystile.PerTotal || !spends.Since.Equal(since) {
					t.Errorf("recorded: %+v", spends)
				}
			}
			if e.Open || recorded != tt.want || spent != tt.want {
				t.Errorf("%d bytes are spent, %d recorded by %+v", spent, recorded, e)
			}
		})
	}
}

func TestCeilingShutsABucketThatIsNotCounted(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write,delete")
	g.bound(k, keystile.CredentialLimits{Ceiling: hardBytes(10), Allowance: keystile.NoCap})
	g.backend.Reset()
	wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: "x"}), 503, "ServiceUnavailable")
	if n := len(g.backend.Requests()); n != 0 {
		t.Errorf("the backend saw %d requests", n)
	}
	wantStatus(t, g.do(k, call{method: del, path: "/uploads/a"}), 204, "")
}

func TestParallelWritesNeverPassAnAllowance(t *testing.T) {
	const most = 40_000
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write,delete")
	g.bound(k, allowing(most, keystile.PerTotal))
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses, written := map[int]int{}, int64(0)
	for i := range 100 {
		wg.Go(func() {
			size := rand.IntN(2000)
			r := g.do(k, call{method: put, path: fmt.Sprintf("/uploads/%d", i%7), body: strings.Repeat("x", size)})
			mu.Lock()
			defer mu.Unlock()
			if statuses[r.status]++; r.status == 200 {
				written += int64(size)
			}
		})
	}
	wg.Wait()
	if statuses[507] == 0 || statuses[200] == 0 || len(statuses) != 2 {
		t.Errorf("the allowance was not tried: %v", statuses)
	}
	if spent, _, _ := g.quotas.Spent(k.id); spent != written || written > most {
		t.Errorf("%d bytes were written, %d are spent of %d", written, spent, most)
	}
}
