package audit_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keystile/internal/audit"
	"keystile/internal/journal"
	"keystile/internal/store"
)

// sustainedWriters record at once, each waiting for its record.
const sustainedWriters = 512

// TestSustainedRecording records intents and their outcomes as fast as the disk
// makes them durable, for KEYSTILE_SOAK_RECORDING (a duration; without it for a
// moment), while old segments are compressed and the index follows. Nothing that
// was acknowledged may be missing. It prints the rate beside how often the same
// disk can sync.
func TestSustainedRecording(t *testing.T) {
	length, segment := 300*time.Millisecond, int64(64<<10)
	if text := os.Getenv("KEYSTILE_SOAK_RECORDING"); text != "" {
		var err error
		length, err = time.ParseDuration(text)
		must(t, err)
		segment = 0
	}
	syncs := syncsASecond(t, length/10)
	j := newJournaled(t, func(o *audit.Options) {
		o.GroupWait, o.SegmentBytes, o.Retention.Every, o.Now = time.Millisecond, segment, 50*time.Millisecond, time.Now
	})
	var events atomic.Int64
	var writers sync.WaitGroup
	began := time.Now()
	for w := range sustainedWriters {
		writers.Go(func() {
			for n := 0; time.Since(began) < length; n++ {
				e := intent(j.event("s3.proxy.putobject"))
				e.Key, e.UserAgent = fmt.Sprintf("2026/11/%d/photo-%d.jpg", w, n), "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.1 md/arch#x86_64"
				if err := j.Trail.Append(e).Wait(t.Context()); err != nil {
					t.Error(err)
					return
				}
				o := outcome(e)
				o.Detail.ETag, o.Detail.AccessKeyID = `"`+e.ID+`"`, fmt.Sprintf("AKIA%016d", w)
				if err := j.Trail.Settle(o).Wait(t.Context()); err != nil {
					t.Error(err)
					return
				}
				events.Add(2)
			}
		})
	}
	writers.Wait()
	took, lag := time.Since(began), j.Trail.Lag()
	rate := float64(events.Load()) / took.Seconds()
	t.Logf("%d records in %s: %.0f/s made durable by %d writers, where the disk alone syncs %.0f times a second: %.1f for each sync; %d not indexed yet",
		events.Load(), took.Round(time.Millisecond), rate, sustainedWriters, syncs, rate/syncs, lag)
	indexing, cancel := context.WithTimeout(t.Context(), max(10*length, time.Minute))
	defer cancel()
	must(t, j.Trail.CaughtUp(indexing))
	t.Logf("all of them indexed %s later", time.Since(began).Round(time.Millisecond)-took.Round(time.Millisecond))
	must(t, j.Trail.Close(t.Context()))
	r, err := journal.Verify(j.dir)
	must(t, err)
	if len(r.Faults) > 0 || r.Last != uint64(events.Load()) {
		t.Errorf("%d records were acknowledged, the journal has %d; faults %v", events.Load(), r.Last, r.Faults)
	}
	must(t, j.disk.Read(t.Context(), func(tx store.Tx) error {
		open, err := tx.OpenEvents()
		if len(open) > 0 {
			t.Errorf("%d events have no outcome", len(open))
		}
		return err
	}))
	plain, packed := segmentBytes(t, j.dir)
	t.Logf("%d segments; %d MiB are compressed to, %d MiB not yet", r.Segments, packed>>20, plain>>20)
}

// syncsASecond appends a small record and syncs it, over and over.
func syncsASecond(t *testing.T, length time.Duration) float64 {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "synced"))
	must(t, err)
	defer func() { must(t, f.Close()) }()
	n, began := 0, time.Now()
	for ; time.Since(began) < length; n++ {
		_, err := f.Write(make([]byte, 512))
		must(t, err)
		must(t, f.Sync())
	}
	return float64(n) / time.Since(began).Seconds()
}

func segmentBytes(t *testing.T, dir string) (plain, packed int64) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case strings.HasSuffix(entry.Name(), ".zst"):
			packed += info.Size()
		case strings.HasSuffix(entry.Name(), ".journal"):
			plain += info.Size()
		}
		return nil
	}))
	return plain, packed
}
