package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"keystile/internal/sigv4"
)

// crashes is how often the server is killed: a few times, or as often as
// KEYSTILE_SOAK_CRASHES says.
func crashes(t *testing.T) int {
	text := os.Getenv("KEYSTILE_SOAK_CRASHES")
	if text == "" {
		return 3
	}
	n, err := strconv.Atoi(text)
	must(t, err)
	return n
}

// TestNoWriteIsUnrecordedAfterAKill kills the server under a load of writes.
// Afterwards each object that is stored, and each write that was acknowledged,
// stands in the trail.
func TestNoWriteIsUnrecordedAfterAKill(t *testing.T) {
	data := t.TempDir() + "/data"
	s := start(t, data, "")
	c := s.mint("uploads:read,list,write")
	acknowledged := map[string]bool{}
	for round := range crashes(t) {
		for key := range s.writeUntilKilled(t, c, round) {
			acknowledged[key] = true
		}
		s = start(t, data, s.token)
	}
	recorded := s.writes(t, c)
	stored := s.keys(t, c, "crash/")
	if len(acknowledged) == 0 || len(stored) < len(acknowledged) {
		t.Fatalf("%d writes acknowledged, %d stored", len(acknowledged), len(stored))
	}
	unknown := 0
	for _, key := range stored {
		switch recorded[key] {
		case "ok":
		case "unknown":
			unknown++
		default:
			t.Errorf("%s is stored and recorded as %q", key, recorded[key])
		}
	}
	for key := range acknowledged {
		if recorded[key] != "ok" {
			t.Errorf("%s was acknowledged and is recorded as %q", key, recorded[key])
		}
	}
	t.Logf("%d crashes, %d writes acknowledged, %d stored, %d of them with an unknown outcome",
		crashes(t), len(acknowledged), len(stored), unknown)
}

// writeUntilKilled writes from several clients, kills the server in the middle
// and returns the keys whose writes were acknowledged.
func (s *server) writeUntilKilled(t *testing.T, c credential, round int) map[string]bool {
	t.Helper()
	var mu sync.Mutex
	done := map[string]bool{}
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for w := range 8 {
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				key := fmt.Sprintf("crash/%d-%d-%d", round, w, i)
				if s.put(c, key) {
					mu.Lock()
					done[key] = true
					mu.Unlock()
				}
			}
		})
	}
	time.Sleep(time.Duration(600+37*round%400) * time.Millisecond)
	s.kill()
	close(stop)
	writers.Wait()
	return done
}

// put writes one small object and reports whether it was acknowledged.
func (s *server) put(c credential, key string) bool {
	req, err := http.NewRequest(http.MethodPut, s.S3Endpoint+"/uploads/"+key, bytes.NewReader([]byte(key)))
	if err != nil {
		return false
	}
	signer := sigv4.NewSigner(c.AccessKeyID, c.SecretAccessKey, "us-east-1", "s3")
	if signer.Sign(req.Method, "/uploads/"+key, "", req.URL.Host, req.Header, sigv4.UnsignedPayload, time.Now()) != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// writes reads the whole trail of a credential's writes: key to result.
func (s *server) writes(t *testing.T, c credential) map[string]string {
	t.Helper()
	results := map[string]string{}
	for _, e := range s.audit("--action", "s3.proxy.putobject", "--access-key-id", c.AccessKeyID, "--limit", "1000000") {
		results[e.Key] = e.Result
	}
	return results
}

// keys lists what is stored.
func (s *server) keys(t *testing.T, c credential, prefix string) []string {
	t.Helper()
	o := s.aws(c, "s3api", "list-objects-v2", "--bucket", "uploads", "--prefix", prefix,
		"--query", "Contents[].Key", "--output", "text")
	if o.code != 0 {
		t.Fatalf("listing: %s", o.stderr)
	}
	var keys []string
	for _, f := range bytes.Fields([]byte(o.stdout)) {
		keys = append(keys, string(f))
	}
	return keys
}
