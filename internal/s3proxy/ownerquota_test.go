package s3proxy_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

var reports = keystile.Bucket{Backend: "prod", Name: "reports"}

// owned makes an RGW user that owns uploads and reports, which may hold so many
// KiB together, and waits until both are counted.
func (g *gateway) owned(sizeKB int64) key {
	g.t.Helper()
	k := g.rgwUser("u1", keystile.StatusActive, "uploads", "reports")
	g.write(func(tx store.Tx, generation int64) error {
		u, err := tx.RGWUser("u1")
		if err != nil {
			return err
		}
		u.Quota, u.Generation = keystile.SizeQuota{MaxSizeKB: sizeKB, Enabled: true}, generation
		if err := tx.UpdateRGWUser(u); err != nil {
			return err
		}
		return tx.SaveBucketQuota(keystile.BucketQuota{Bucket: reports, Soft: noCaps, Hard: noCaps, TrackedAt: g.clock()})
	})
	g.cap(noCaps, noCaps)
	g.until("both are counted", func() bool {
		u, _ := g.quotas.Usage(reports)
		return !u.CountedAt.IsZero()
	})
	g.backend.Reset()
	return k
}

// What fits to the byte passes, whoever writes it; one byte more is refused, and
// nothing of it reaches the backend.
func TestOwnersBucketsAreHeldToOneCap(t *testing.T) {
	for _, tt := range []struct {
		name string
		by   func(g *gateway, owner key) key
	}{
		{"the owner", func(_ *gateway, owner key) key { return owner }},
		{"a credential for the bucket", func(g *gateway, _ key) key { return g.mint("prod/uploads:read,write") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t)
			g.backend.PutObject("reports", "there", make([]byte, 1024))
			owner := g.owned(2)
			k := tt.by(g, owner)
			g.backend.Reset()
			r := g.do(k, call{method: put, path: "/uploads/a", body: strings.Repeat("x", 1025)})
			wantStatus(t, r, 507, "QuotaExceeded")
			for _, word := range []string{"owner", "uploads", "2048 bytes", "1024 are used", "1025 more"} {
				if !strings.Contains(r.message, word) {
					t.Errorf("%q does not tell %q", r.message, word)
				}
			}
			if seen := g.changed(); len(seen) > 0 {
				t.Errorf("the backend saw %v", seen)
			}
			e := g.events(keystile.EventFilter{})[0]
			if e.Result != keystile.ResultDenied || e.Status != 507 || e.Detail.Code != "QuotaExceeded" || e.Bucket != "uploads" {
				t.Errorf("the refusal is recorded as %+v", e)
			}
			wantStatus(t, g.do(k, call{method: put, path: "/uploads/a", body: strings.Repeat("x", 1024)}), 200, "")
			g.isCounted()
			wantStatus(t, g.do(owner, call{method: del, path: "/reports/there"}), 204, "")
			wantStatus(t, g.do(k, call{method: put, path: "/uploads/b", body: strings.Repeat("x", 1024)}), 200, "")
		})
	}
}

func TestParallelWritesNeverPassTheOwnersCap(t *testing.T) {
	g := newGateway(t)
	k := g.owned(20)
	const most = 20 << 10
	names := []string{"uploads", "reports"}
	done := make(chan struct{})
	var looking, wg sync.WaitGroup
	looking.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			one, _ := g.backend.Stored("uploads")
			two, _ := g.backend.Stored("reports") // not of one moment: too small, never too large, as nothing is deleted
			if one+two > most {
				t.Errorf("%d bytes are stored", one+two)
				return
			}
		}
	})
	var mu sync.Mutex
	statuses := map[int]int{}
	for i := range 60 {
		wg.Go(func() {
			r := g.do(k, call{method: put, path: fmt.Sprintf("/%s/%d", names[i%2], i), body: strings.Repeat("x", rand.IntN(2000))})
			mu.Lock()
			defer mu.Unlock()
			statuses[r.status]++
		})
	}
	wg.Wait()
	close(done)
	looking.Wait()
	if statuses[507] == 0 || statuses[200] == 0 || len(statuses) != 2 {
		t.Errorf("the cap was not tried: %v", statuses)
	}
	g.isCounted()
}
