package upstream

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
)

// killed is a probe of a process that ends in the middle: it never cleans up.
func killed(t *testing.T, m *memStore, e Endpoint, f *fakeS3) (place scratch) {
	t.Helper()
	r := newTestRegistry(t, m, e)
	b, _ := r.Get(e.Backend.ID)
	tr := b.newTrial()
	place = scratch{Backend: e.Backend.ID, Fingerprint: fingerprint(b.info), Bucket: tr.bucket, Prefix: tr.prefix, At: time.Now()}
	must(t, r.begins(t.Context(), place))
	if tr.own {
		must(t, b.createBucket(t.Context(), tr.bucket))
	}
	for _, key := range []string{"a/b", "object", "c//d"} {
		if _, err := tr.put(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	return place
}

func (t *trial) put(ctx context.Context, key string) (outcome, error) {
	return t.send(ctx, http.MethodPut, key, nil, hashed([]byte("x")))
}

func TestWhatAKilledProbeLeftIsRemoved(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(m *memStore, e *Endpoint, f *fakeS3, place scratch)
		alone  bool
		gone   bool
	}{
		{"its bucket", func(*memStore, *Endpoint, *fakeS3, scratch) {}, true, true},
		{"not while another replica may be at it", func(*memStore, *Endpoint, *fakeS3, scratch) {}, false, false},
		{"not what nobody noted", func(m *memStore, _ *Endpoint, _ *fakeS3, _ scratch) { m.settings = map[string]string{} }, true, false},
		{"not at another endpoint", func(m *memStore, _ *Endpoint, _ *fakeS3, _ scratch) {
			m.settings[scratchSetting] = strings.ReplaceAll(m.settings[scratchSetting], `"fingerprint":"`, `"fingerprint":"0`)
		}, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, m := newFakeS3(t), newMemStore()
			e := f.endpoint("fake")
			f.change(func() {
				f.buckets["precious"] = map[string]bool{"a/b": true}
				f.buckets[scratchPrefix+"somebodys"] = map[string]bool{}
			})
			place := killed(t, m, e, f)
			tt.change(m, &e, f, place)
			r := newTestRegistry(t, m, e)
			r.opts.Alone = tt.alone
			run(t, r)
			eventually(t, "a saved proof", func() bool { return keeps(m.proof("fake").Abilities) })
			eventually(t, "the end of the probe", func() bool { return len(f.names()) == 2 || !tt.gone && len(f.names()) == 3 })
			if gone := !slices.Contains(f.names(), place.Bucket); gone != tt.gone {
				t.Errorf("gone: %v; there are %v", gone, f.names())
			}
			if !slices.Contains(f.names(), "precious") || !slices.Contains(f.names(), scratchPrefix+"somebodys") {
				t.Errorf("what is somebody's is gone: %v", f.names())
			}
			eventually(t, "the end of its note", func() bool { return !tt.gone || !strings.Contains(m.setting(scratchSetting), place.Bucket) })
		})
	}
}

// What cannot be noted is not made.
func TestAProbeThatCannotBeNotedMakesNothing(t *testing.T) {
	f, m := newFakeS3(t), newMemStore()
	r := newTestRegistry(t, m, f.endpoint("fake"))
	m.fail = errors.New("the store is gone")
	b, _ := r.Get("fake")
	found := b.probe(t.Context(), r, nil)
	if found.complete || found.abilities[keystile.KeepsKeys].Verdict != keystile.Unknown || len(f.seen()) != 0 {
		t.Errorf("found %+v, seen %+v", found, f.seen())
	}
	m.fail = nil
	if b.probe(t.Context(), r, nil); len(f.seen()) == 0 || len(f.names()) != 0 {
		t.Errorf("seen %+v, left %v", f.seen(), f.names())
	}
	if m.settings[scratchSetting] != "[]" {
		t.Errorf("noted: %s", m.settings[scratchSetting])
	}
}
