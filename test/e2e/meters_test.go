package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// metered is what "keystile usage" says of a credential.
type metered struct {
	Items []struct {
		AccessKeyID string `json:"access_key_id"`
		BytesIn     int64  `json:"bytes_in"`
		Reads       int64  `json:"reads"`
		Writes      int64  `json:"writes"`
		Deletes     int64  `json:"deletes"`
	} `json:"items"`
}

// TestMetersEqualTheTrailAfterAKill kills the server under a mixed load. Writes,
// deletes and bytes in are then those of the trail; reads that were written down
// are there, and none is there that was not made.
func TestMetersEqualTheTrailAfterAKill(t *testing.T) {
	data := t.TempDir() + "/data"
	s := start(t, data, "")
	c := s.mint("uploads:read,list,write,delete")
	usage := func() (u metered) {
		s.cliJSON(&u, "usage", "--by", "credential", "--access-key-id", c.AccessKeyID)
		return u
	}
	if code := s.send(c, http.MethodPut, "/uploads/read", "text"); code != http.StatusOK {
		t.Fatalf("put: %d", code)
	}
	const kept = 20
	for range kept {
		if code := s.send(c, http.MethodGet, "/uploads/read", ""); code != http.StatusOK {
			t.Fatalf("get: %d", code)
		}
	}
	for end := time.Now().Add(time.Minute); len(usage().Items) == 0 || usage().Items[0].Reads < kept; time.Sleep(500 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("reads are not written down: %+v", usage())
		}
	}
	reads := kept + s.mixedUntilKilled(c)
	s = start(t, data, s.token)
	var writes, deletes, bytesIn int64
	for _, e := range s.audit("--action", "s3.proxy.", "--access-key-id", c.AccessKeyID, "--limit", "0") {
		switch {
		case e.Result != "ok":
		case e.Action == "s3.proxy.putobject":
			writes++
			bytesIn += e.Detail.Bytes
		case e.Action == "s3.proxy.deleteobject":
			deletes++
		}
	}
	all := usage().Items
	if len(all) != 1 || writes < 2 || deletes < 1 {
		t.Fatalf("%d writes and %d deletes in the trail, usage %+v", writes, deletes, all)
	}
	if u := all[0]; u.Writes != writes || u.Deletes != deletes || u.BytesIn != bytesIn {
		t.Errorf("metered %d writes, %d deletes, %d bytes in; the trail has %d, %d, %d", u.Writes, u.Deletes, u.BytesIn, writes, deletes, bytesIn)
	}
	if u := all[0]; u.Reads < kept || u.Reads > int64(reads) {
		t.Errorf("%d reads are metered: %d were written down before, %d were made", u.Reads, kept, reads)
	}
	t.Logf("%d writes, %d deletes, %d bytes in; %d of %d reads", writes, deletes, bytesIn, all[0].Reads, reads)
}

// mixedUntilKilled writes, reads and deletes from several clients, kills the
// server in the middle and returns how many reads were begun.
func (s *server) mixedUntilKilled(c credential) int {
	var mu sync.Mutex
	var clients sync.WaitGroup
	reads, deleted := 0, make(chan struct{})
	stop, once := make(chan struct{}), sync.Once{}
	for w := range 4 {
		clients.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				path := fmt.Sprintf("/uploads/mixed/%d-%d", w, i)
				s.send(c, http.MethodPut, path, strings.Repeat("x", i%1000))
				mu.Lock()
				reads++
				mu.Unlock()
				s.send(c, http.MethodGet, path, "")
				if i%3 == 2 && s.send(c, http.MethodDelete, path, "") == http.StatusNoContent {
					once.Do(func() { close(deleted) })
				}
			}
		})
	}
	select {
	case <-deleted:
	case <-time.After(time.Minute):
	}
	time.Sleep(500 * time.Millisecond) // some more of each; when exactly does not matter
	s.kill()
	close(stop)
	clients.Wait()
	return reads
}
