package control

import (
	"errors"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// What was chosen for a bucket dies with it: who makes the next one of that name
// gets none of it. A deletion that fails ends nothing.
func TestADeletedBucketLeavesNothingBehind(t *testing.T) {
	b := newBench(t)
	gone, other := keystile.Bucket{Backend: "main", Name: "site"}, keystile.Bucket{Backend: "main", Name: "other"}
	for _, bucket := range []keystile.Bucket{gone, other} {
		_, err := b.Buckets.SetCORS(t.Context(), b.admin, keystile.BucketCORS{Bucket: bucket, Mode: keystile.CORSBackend})
		must(t, err)
		_, err = b.Bindings.Create(t.Context(), b.admin, NewBinding{
			Name: bucket.Name, Bucket: bucket, Mode: keystile.ModeRead, IndexDocument: "index.html",
		})
		must(t, err)
	}
	left := func() (cors, bindings int) {
		must(t, b.store.Read(t.Context(), func(tx store.Tx) error {
			all, err := tx.AllBucketCORS()
			must(t, err)
			open, err := tx.Bindings()
			cors, bindings = len(all), len(open)
			return err
		}))
		return cors, bindings
	}
	if err := b.Buckets.Delete(t.Context(), b.admin, gone, false); !errors.Is(err, keystile.ErrConflict) {
		t.Errorf("deleted though a binding names it: %v", err)
	}
	if cors, bindings := left(); cors != 2 || bindings != 2 {
		t.Errorf("after a deletion that failed: %d and %d are left", cors, bindings)
	}
	must(t, b.Buckets.Delete(t.Context(), b.admin, gone, true))
	if cors, bindings := left(); cors != 1 || bindings != 1 {
		t.Errorf("%d rules and %d bindings are left, want those of the other bucket", cors, bindings)
	}
	if n := len(b.events(t, "binding.remove")); n != 1 {
		t.Errorf("%d events of bindings that ended, want 1", n)
	}
	before := len(b.events(t, ""))
	must(t, b.Buckets.Delete(t.Context(), b.admin, keystile.Bucket{Backend: "main", Name: "plain"}, false))
	if n := len(b.events(t, "")) - before; n != 1 {
		t.Errorf("%d events of the deletion of a bucket that had nothing, want 1", n)
	}
}
