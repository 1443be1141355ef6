package abandoned_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keystile/internal/abandoned"
	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/freshstore"
)

var bucket = keystile.Bucket{Backend: "prod", Name: "uploads"}

// failing is a store that does not write while it is told to fail.
type failing struct {
	store.Store
	fail atomic.Bool
}

func (f *failing) Write(ctx context.Context, fn func(store.Tx) error) error {
	if f.fail.Load() {
		return errors.New("the disk is full")
	}
	return f.Store.Write(ctx, fn)
}

func openStore(t *testing.T) *failing {
	t.Helper()
	return &failing{Store: freshstore.Open(t)}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, s *failing, log *bytes.Buffer) *abandoned.Keeper {
	t.Helper()
	k, err := abandoned.Open(t.Context(), abandoned.Options{
		Store: s, Log: slog.New(slog.NewTextHandler(log, nil)), Now: time.Now, After: time.Hour,
	})
	must(t, err)
	return k
}

func kept(t *testing.T, s store.Store) (all []keystile.RefusedUpload) {
	t.Helper()
	must(t, s.Read(t.Context(), func(tx store.Tx) (err error) {
		all, err = tx.RefusedUploads()
		return err
	}))
	return all
}

func upload(n int) keystile.PendingUpload {
	return keystile.PendingUpload{Key: "key", UploadID: fmt.Sprintf("id-%d", n)}
}

func refuse(k *abandoned.Keeper, u keystile.PendingUpload, part int, key string) {
	w := k.Begin(bucket, u, part, "")
	w.Refused(key)
	w.Close()
}

// One key cannot have more remembered than its share, and takes nobody else's.
func TestRefusedUploadsOfAKeyAreBounded(t *testing.T) {
	s, log := openStore(t), &bytes.Buffer{}
	k := open(t, s, log)
	for n := range 1100 {
		refuse(k, upload(n), 1, "GREEDY")
	}
	refuse(k, upload(2000), 1, "MODEST")
	must(t, k.Flush(t.Context()))
	count := map[string]int{}
	for _, u := range kept(t, s) {
		count[u.AccessKeyID]++
	}
	if count["GREEDY"] != 1000 || count["MODEST"] != 1 {
		t.Errorf("kept are %v, want 1000 and 1", count)
	}
	if n := strings.Count(log.String(), "more uploads were refused"); n != 1 {
		t.Errorf("it was told %d times, want once", n)
	}
	ended := k.Begin(bucket, upload(7), 0, "")
	ended.Ended()
	ended.Close()
	refuse(k, upload(3000), 1, "GREEDY")
	must(t, k.Flush(t.Context()))
	if n := len(kept(t, s)); n != 1001 {
		t.Errorf("%d are kept once one has made room, want 1001", n)
	}
}

// The parts that were refused are those that were not stored since.
func TestPartsThatWereStoredAreNotRefused(t *testing.T) {
	s := openStore(t)
	k := open(t, s, &bytes.Buffer{})
	for _, part := range []int{7, 3, 0, 3, 10_000} {
		refuse(k, upload(1), part, "KEY")
	}
	w := k.Begin(bucket, upload(1), 7, "")
	w.Stored()
	w.Close()
	w = k.Begin(bucket, upload(1), 8, "") // which was never refused
	w.Stored()
	w.Close()
	must(t, k.Flush(t.Context()))
	all := kept(t, s)
	if len(all) != 1 || fmt.Sprint(all[0].Parts) != "[0 3 10000]" {
		t.Errorf("kept are %+v, want one with the parts 0, 3 and 10000", all)
	}
}

// What one user of a Ceph is told of an upload says nothing of what another is: whose
// it is the Ceph alone knows.
func TestUsersOfACephHaveTheirUploadsApart(t *testing.T) {
	s := openStore(t)
	k := open(t, s, &bytes.Buffer{})
	for _, user := range []string{"owner", "stranger"} {
		w := k.Begin(bucket, upload(1), 1, user)
		w.Refused("KEY-" + user)
		w.Close()
	}
	w := k.Begin(bucket, upload(1), 1, "owner")
	w.Stored()
	w.Close()
	must(t, k.Flush(t.Context()))
	all := kept(t, s)
	if len(all) != 1 || all[0].UserID != "stranger" || all[0].AccessKeyID != "KEY-stranger" {
		t.Errorf("kept are %+v, want the stranger's alone", all)
	}
}

// What could not be kept is kept later, and what ended meanwhile is not.
func TestStoreThatFailsIsTriedAgain(t *testing.T) {
	s := openStore(t)
	k := open(t, s, &bytes.Buffer{})
	refuse(k, upload(1), 1, "KEY")
	must(t, k.Flush(t.Context()))
	s.fail.Store(true)
	refuse(k, upload(2), 1, "KEY")
	for _, n := range []int{1, 2} {
		if err := k.Flush(t.Context()); err == nil {
			t.Fatal("no error of a store that fails")
		}
		w := k.Begin(bucket, upload(n), 0, "")
		if n == 1 {
			w.Ended()
		}
		w.Close()
	}
	s.fail.Store(false)
	must(t, k.Flush(t.Context()))
	if all := kept(t, s); len(all) != 1 || all[0].UploadID != "id-2" {
		t.Errorf("kept are %+v, want id-2", all)
	}
}

// Whatever the order in which requests and the writing of the store meet, the store
// has in the end what is refused.
func TestStoreFollowsRequests(t *testing.T) {
	s := openStore(t)
	k := open(t, s, &bytes.Buffer{})
	const uploads, writers = 6, 8
	var flushing, writing sync.WaitGroup
	done := make(chan struct{})
	flushing.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if err := k.Flush(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for range writers {
		writing.Go(func() {
			for range 300 {
				w := k.Begin(bucket, upload(rand.IntN(uploads)), rand.IntN(3), "")
				switch rand.IntN(4) {
				case 0, 1:
					w.Refused("KEY")
				case 2:
					w.Stored()
				default:
					w.Ended()
				}
				w.Close()
				w.Close() // once is enough, twice does no harm
			}
		})
	}
	writing.Wait()
	close(done)
	flushing.Wait()
	want := map[string]bool{}
	for n := range uploads {
		if n%2 == 0 {
			refuse(k, upload(n), 1, "KEY")
			want[upload(n).UploadID] = true
			continue
		}
		w := k.Begin(bucket, upload(n), 0, "")
		w.Ended()
		w.Close()
	}
	must(t, k.Flush(t.Context()))
	all := kept(t, s)
	if len(all) != len(want) {
		t.Errorf("%d are kept, want %d", len(all), len(want))
	}
	for _, u := range all {
		if !want[u.UploadID] {
			t.Errorf("%s is kept", u.UploadID)
		}
	}
	again := open(t, s, &bytes.Buffer{})
	for _, u := range all {
		w := again.Begin(u.Bucket, u.PendingUpload, 0, "")
		w.Ended()
		w.Close()
	}
	must(t, again.Flush(t.Context()))
	if all := kept(t, s); len(all) > 0 {
		t.Errorf("kept are %+v, want none", all)
	}
}

// Where nothing is to be ended nothing is noted.
func TestNoKeeperDoesNothing(t *testing.T) {
	var k *abandoned.Keeper
	w := k.Begin(bucket, upload(1), 1, "")
	w.Refused("KEY")
	w.Stored()
	w.Ended()
	w.Close()
	must(t, k.Flush(t.Context()))
}
