package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/s3test"
)

// TestAllowanceIsExactAcrossKills kills the server in the middle of writes whose keys
// tell their sizes. After each restart exactly that is spent which was acknowledged,
// and what the trail names as unknown.
func TestAllowanceIsExactAcrossKills(t *testing.T) {
	t.Parallel() // it mostly waits
	backend := s3test.New(t)
	backend.CreateBucket("spent")
	backend.PutObject("spent", "source-40000", make([]byte, 40_000))
	backend.Inject(s3test.Delay(5 * time.Millisecond))
	data := t.TempDir() + "/data"
	s := start(t, data, "")
	s.addCounting(backend)
	c := s.mint("spent:read,write")
	s.cliJSON(nil, "credential", "edit", c.AccessKeyID, "--allowance", "1GiB/day")
	acknowledged := map[string]bool{}
	for round := range quotaCrashes(t) {
		s.spendUntilKilled(c, round, acknowledged)
		backend.Wait()
		s = start(t, data, s.token)
		var sure, unsure int64
		named := map[string]bool{}
		for _, e := range s.audit("--access-key-id", c.AccessKeyID, "--limit", "0") {
			named[e.Key] = true
			switch {
			case acknowledged[e.Key] && e.Result == "ok":
				sure += sizeIn(e.Key)
			case acknowledged[e.Key]:
				t.Errorf("%s was acknowledged; it is recorded as %s", e.Key, e.Result)
			case e.Result == "ok" || e.Result == "unknown":
				unsure += sizeIn(e.Key)
			default:
				t.Errorf("%s is recorded as %s with status %d", e.Key, e.Result, e.Status)
			}
		}
		for key := range acknowledged {
			if !named[key] {
				t.Errorf("%s was acknowledged and is not recorded", key)
			}
		}
		if spent := s.spent(c); spent != sure+unsure {
			t.Errorf("kill %d: %d bytes are spent; %d were acknowledged, of %d nobody knows", round+1, spent, sure, unsure)
		}
		if written := backend.Written("spent"); written < sure || written > sure+unsure {
			t.Errorf("kill %d: %d bytes were written; %d were acknowledged, of %d nobody knows", round+1, written, sure, unsure)
		}
		t.Logf("kill %d: %d writes acknowledged, %d bytes of them spent, and %d of which nobody knows", round+1, len(acknowledged), sure, unsure)
	}
	before := s.spent(c)
	s.interrupt()
	s = start(t, data, s.token)
	if after := s.spent(c); after != before {
		t.Errorf("%d bytes were spent before an orderly stop, %d after it", before, after)
	}
}

// sizeIn is the size that a key of this test's tells.
func sizeIn(key string) int64 {
	n, _ := strconv.ParseInt(key[strings.LastIndexByte(key, '-')+1:], 10, 64)
	return n
}

// spendUntilKilled writes and copies from several clients, kills the server in the
// middle and adds what was acknowledged.
func (s *server) spendUntilKilled(c credential, round int, acknowledged map[string]bool) {
	s.t.Helper()
	var mu sync.Mutex
	var clients sync.WaitGroup
	enough := len(acknowledged) + 100 + rand.IntN(100)
	for n := range 8 {
		clients.Go(func() {
			for i := 0; ; i++ {
				size, header := rand.IntN(30_000), []string(nil)
				body := strings.Repeat("x", size)
				if i%5 == 0 {
					size, body, header = 40_000, "", []string{"X-Amz-Copy-Source", "spent/source-40000"}
				}
				key := fmt.Sprintf("%d-%d-%d-%d", round, n, i, size)
				status := s.send(c, http.MethodPut, "/spent/"+key, body, header...)
				if status == 0 {
					return // killed
				}
				mu.Lock()
				acknowledged[key] = status == http.StatusOK
				mu.Unlock()
			}
		})
	}
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(time.Millisecond) {
		mu.Lock()
		n := len(acknowledged)
		mu.Unlock()
		if n >= enough {
			break
		}
		if time.Now().After(deadline) {
			s.t.Errorf("only %d writes in five minutes", n)
			break
		}
	}
	s.kill()
	clients.Wait()
}
