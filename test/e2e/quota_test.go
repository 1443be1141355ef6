package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/sigv4"
)

// quotaCrashes is how often the server is killed beside a cap: twice, or as often
// as KEYSTILE_SOAK_CRASHES says.
func quotaCrashes(t *testing.T) int {
	text := os.Getenv("KEYSTILE_SOAK_CRASHES")
	if text == "" {
		return 2
	}
	n, err := strconv.Atoi(text)
	must(t, err)
	return n
}

type quotaShown struct {
	HardBytes int64 `json:"hard_bytes"`
	Usage     struct {
		UsedBytes       int64      `json:"used_bytes"`
		UsedObjects     int64      `json:"used_objects"`
		ReservedBytes   int64      `json:"reserved_bytes"`
		UnknownBytes    int64      `json:"unknown_bytes"`
		UnknownObjects  int64      `json:"unknown_objects"`
		ScannedAt       *time.Time `json:"scanned_at"`
		ReservedObjects int64      `json:"reserved_objects"`
	} `json:"usage"`
}

func (s *server) quota() (q quotaShown) {
	s.t.Helper()
	s.cliJSON(&q, "quota", "show", "local/uploads")
	return q
}

// stored is what the bucket holds, by a listing of all versions.
func (s *server) stored(t *testing.T, c credential) (size, objects int64) {
	t.Helper()
	o := s.aws(c, "s3api", "list-objects-v2", "--bucket", "uploads", "--query", "Contents[].Size", "--output", "json")
	if o.code != 0 {
		t.Fatalf("listing: %s", o.stderr)
	}
	var sizes []int64
	must(t, json.Unmarshal([]byte(o.stdout), &sizes))
	for _, n := range sizes {
		size += n
	}
	return size, int64(len(sizes))
}

// TestCapHoldsAcrossKills kills the server in the middle of parallel writes,
// overwrites and deletes beside a cap. What is stored never goes beyond it, what
// counts after a restart is never less than what is stored, and a count finds
// exactly that.
func TestCapHoldsAcrossKills(t *testing.T) {
	const most = 6 << 20
	data := t.TempDir() + "/data"
	s := start(t, data, "")
	c := s.mint("uploads:read,list,write,delete")
	s.cliJSON(nil, "quota", "scan", "local/uploads", "--wait")
	s.cliJSON(nil, "quota", "set", "local/uploads", "--hard", "6MiB")
	refused, passed := 0, 0
	for round := range quotaCrashes(t) {
		full, fine := s.fillUntilKilled(c)
		refused, passed = refused+full, passed+fine
		s = start(t, data, s.token)
		size, _ := s.stored(t, c)
		q := s.quota()
		if counts := q.Usage.UsedBytes + q.Usage.UnknownBytes + q.Usage.ReservedBytes; size > most || counts < size {
			t.Fatalf("round %d: %d bytes are stored, %d count, the cap is %d", round, size, counts, most)
		}
		s.cliJSON(nil, "quota", "scan", "local/uploads", "--wait")
		size, objects := s.stored(t, c)
		if q = s.quota(); q.Usage.UsedBytes != size || q.Usage.UsedObjects != objects {
			t.Fatalf("round %d: %d bytes in %d objects are stored, the count is %+v", round, size, objects, q.Usage)
		}
	}
	if passed == 0 {
		t.Fatal("nothing was written")
	}
	t.Logf("%d crashes, %d writes passed, %d were over the cap", quotaCrashes(t), passed, refused)
}

// fillUntilKilled changes the bucket from several clients and kills the server in
// the middle.
func (s *server) fillUntilKilled(c credential) (refused, passed int) {
	var mu sync.Mutex
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for range 8 {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				method, body := http.MethodPut, strings.Repeat("x", rand.IntN(200_000))
				if rand.IntN(4) == 0 {
					method, body = http.MethodDelete, ""
				}
				status := s.send(c, method, fmt.Sprintf("/uploads/fill/%d", rand.IntN(40)), body)
				mu.Lock()
				switch status {
				case http.StatusInsufficientStorage:
					refused++
				case http.StatusOK, http.StatusNoContent:
					passed++
				}
				mu.Unlock()
			}
		})
	}
	time.Sleep(time.Duration(700+rand.IntN(600)) * time.Millisecond)
	s.kill()
	close(stop)
	writers.Wait()
	return refused, passed
}

// send sends one signed request and returns the answer's status, 0 for none.
func (s *server) send(c credential, method, path, body string) int {
	req, err := http.NewRequest(method, s.S3Endpoint+path, strings.NewReader(body))
	if err != nil {
		return 0
	}
	signer := sigv4.NewSigner(c.AccessKeyID, c.SecretAccessKey, "us-east-1", "s3")
	if signer.Sign(method, path, "", req.URL.Host, req.Header, sigv4.UnsignedPayload, time.Now()) != nil {
		return 0
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}
