package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"keystile/internal/s3test"
)

// TestLostAnswersAreSettledWithoutACount: what a backend did of writes whose answers
// were lost is counted as it is seconds later, and the bucket is not counted for it.
// What a backend failed at goes on counting while it may still be carried out.
func TestLostAnswersAreSettledWithoutACount(t *testing.T) {
	t.Parallel() // it mostly waits
	backend := s3test.New(t)
	backend.CreateBucket("lost")
	backend.PutObject("lost", "there", make([]byte, 3000))
	s := start(t, t.TempDir()+"/data", "")
	s.addCounting(backend)
	key := s.mint("lost:read,write,delete")
	u := rgwUser{key: key.AccessKeyID, secret: key.SecretAccessKey}
	s.cliJSON(nil, "quota", "scan", "counting/lost", "--wait")
	s.cliJSON(nil, "quota", "set", "counting/lost", "--hard", "10000")
	var counted quotaShown
	s.cliJSON(&counted, "quota", "show", "counting/lost")

	for _, write := range []struct {
		method, key string
		size        int
	}{{http.MethodPut, "/lost/new", 2000}, {http.MethodPut, "/lost/there", 1000}, {http.MethodDelete, "/lost/new", 0}} {
		backend.Inject(s3test.NoAnswer().When(func(r *http.Request) bool { return r.Method == write.method }).Once())
		if got := s3(t, s.S3Endpoint, u, write.method, write.key, strings.Repeat("x", write.size)); got < 500 {
			t.Errorf("%s %s: answered with %d", write.method, write.key, got)
		}
		var q quotaShown
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
			size, objects := backend.Stored("lost")
			s.cliJSON(&q, "quota", "show", "counting/lost")
			if q.Usage.UsedBytes == size && q.Usage.UsedObjects == objects && q.Usage.UnknownBytes == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s %s: usage is %+v, %d bytes in %d objects are stored", write.method, write.key, q.Usage, size, objects)
			}
		}
		if !q.Usage.ScannedAt.Equal(*counted.Usage.ScannedAt) {
			t.Errorf("%s %s: the bucket was counted", write.method, write.key)
		}
	}

	backend.Inject(s3test.Answer(500, "<Error><Code>InternalError</Code></Error>").When(func(r *http.Request) bool { return r.Method == http.MethodPut }).Once())
	if got := s3(t, s.S3Endpoint, u, http.MethodPut, "/lost/failed", strings.Repeat("x", 5000)); got < 500 {
		t.Errorf("answered with %d", got)
	}
	if got := s3(t, s.S3Endpoint, u, http.MethodPut, "/lost/next", strings.Repeat("x", 5000)); got != http.StatusInsufficientStorage {
		t.Errorf("beside a write that may still be carried out: %d", got)
	}
	if got := s3(t, s.S3Endpoint, u, http.MethodPut, "/lost/next", strings.Repeat("x", 4000)); got != http.StatusOK {
		t.Errorf("what fits beside it: %d", got)
	}
}
