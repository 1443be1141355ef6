package e2e_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/s3test"
	"keystile/internal/sigv4"
)

// crashes is how often the server is killed, and how many mutations the backend
// sees before each kill: a few, or as KEYSTILE_SOAK_CRASHES says, so many that 50
// kills make more than 50,000.
func crashes(t *testing.T) (times, mutations int) {
	text := os.Getenv("KEYSTILE_SOAK_CRASHES")
	if text == "" {
		return 5, 150
	}
	n, err := strconv.Atoi(text)
	must(t, err)
	return n, 1100
}

// mutation is one change of one key, as the audit trail names it. The load makes
// each at most once.
type mutation struct{ action, key string }

// TestNoMutationIsUnrecordedAfterAKill kills the server under a load of writes,
// copies and deletions, at random. What counts is the backend's own record:
// afterwards every mutation that came to it whole is in the trail, each that was
// acknowledged with its outcome, and the journal's chain is sound. (A body
// without its last byte changes nothing, and may come before its intent.)
func TestNoMutationIsUnrecordedAfterAKill(t *testing.T) {
	backend := s3test.New(t)
	backend.CreateBucket("load")
	data := t.TempDir() + "/data"
	s := start(t, data, "")
	env := append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+s.token)
	run(t, env, "a secret of the tests", binary, "backend", "add", "counting", "--endpoint", backend.URL,
		"--access-key-id", "COUNTING", "--secret-access-key-stdin").want(t, 0, "")
	s.BackendID = "counting"
	c := s.mint("load:read,list,write,delete")
	times, each := crashes(t)
	seen, acknowledged := map[mutation]bool{}, map[mutation]bool{}
	for round := range times {
		backend.Reset()
		maps.Copy(acknowledged, s.loadUntilKilled(c, backend, round, each+rand.IntN(each/2)))
		backend.Wait()
		for _, r := range backend.Requests() {
			for _, m := range mutationsOf(r) {
				seen[m] = true
			}
		}
		s = start(t, data, s.token)
	}
	if len(acknowledged) < times*each/2 || len(seen) < len(acknowledged) {
		t.Fatalf("%d mutations acknowledged, %d seen by the backend", len(acknowledged), len(seen))
	}
	if times >= 50 && len(seen) < 50_000 {
		t.Errorf("%d mutations are too few for %d kills to prove much", len(seen), times)
	}
	unrecorded, unknown := s.unrecorded(c, seen, acknowledged)
	for m, result := range unrecorded {
		t.Errorf("%s of %s: acknowledged %v, recorded as %q", m.action, m.key, acknowledged[m], result)
	}
	for m := range acknowledged {
		if !seen[m] {
			t.Errorf("%s of %s was acknowledged and never came to the backend", m.action, m.key)
		}
	}
	s.cli("audit", "verify", "--data", data).want(t, 0, "records 1 to ")
	t.Logf("%d kills, %d mutations seen by the backend, %d acknowledged; %d missing in the trail, %d with an unknown outcome",
		times, len(seen), len(acknowledged), len(unrecorded), unknown)
}

// loadUntilKilled changes things from several clients until the backend has seen
// enough, kills the server in the middle, and returns what was acknowledged.
func (s *server) loadUntilKilled(c credential, backend *s3test.Server, round, enough int) map[mutation]bool {
	s.t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	defer transport.CloseIdleConnections()
	l := &load{
		client: &http.Client{Transport: transport, Timeout: time.Minute}, endpoint: s.S3Endpoint, done: map[mutation]bool{},
		signer: sigv4.NewSigner(c.AccessKeyID, c.SecretAccessKey, "us-east-1", "s3"),
	}
	var clients sync.WaitGroup
	for n := range 12 {
		clients.Go(func() {
			for i := 0; l.step(fmt.Sprintf("%d-%d-%d", round, n, i), i); i++ {
			}
		})
	}
	for deadline := time.Now().Add(5 * time.Minute); backend.Count() < enough; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Errorf("the backend saw %d requests in 5 minutes", backend.Count())
			break
		}
	}
	s.kill()
	clients.Wait()
	return l.done
}

// load is what the clients of one round share.
type load struct {
	client   *http.Client
	endpoint string
	signer   *sigv4.Signer

	mu   sync.Mutex
	done map[mutation]bool
}

// step writes a key and then, by turns, leaves it, copies it, deletes it, or
// deletes it together with another. It reports whether the server still answers.
func (l *load) step(key string, turn int) bool {
	if !l.do(http.MethodPut, "/load/"+key, "", strings.Repeat("x", rand.IntN(2000)), "", mutation{"putobject", key}) {
		return false
	}
	switch turn % 4 {
	case 1:
		return l.do(http.MethodPut, "/load/"+key+"-copy", "", "", "load/"+key, mutation{"copyobject", key + "-copy"})
	case 2:
		return l.do(http.MethodDelete, "/load/"+key, "", "", "", mutation{"deleteobject", key})
	case 3:
		body := "<Delete><Object><Key>" + key + "</Key></Object><Object><Key>" + key + "-none</Key></Object></Delete>"
		return l.do(http.MethodPost, "/load", "delete=", body, "", mutation{"deleteobjects", key}, mutation{"deleteobjects", key + "-none"})
	}
	return true
}

// do makes one request; what it means counts as acknowledged if the answer came
// whole and is a success.
func (l *load) do(method, path, query, body, source string, means ...mutation) bool {
	req, err := http.NewRequest(method, strings.TrimSuffix(l.endpoint+path+"?"+query, "?"), strings.NewReader(body))
	if err != nil {
		return false
	}
	if source != "" {
		req.Header.Set("X-Amz-Copy-Source", source)
	}
	sum := sha256.Sum256([]byte(body))
	if l.signer.Sign(method, path, query, req.URL.Host, req.Header, hex.EncodeToString(sum[:]), time.Now()) != nil {
		return false
	}
	res, err := l.client.Do(req)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, res.Body)
	if cmp.Or(err, res.Body.Close()) != nil {
		return false
	}
	if res.StatusCode < 300 {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, m := range means {
			l.done[m] = true
		}
	}
	return true
}

var keyElement = regexp.MustCompile(`<Key>([^<]*)</Key>`)

// mutationsOf is what a request that the backend recorded changes there.
func mutationsOf(r s3test.Request) (all []mutation) {
	key, inBucket := strings.CutPrefix(r.Path, "/load/")
	switch {
	case !r.Complete:
	case r.Method == http.MethodPost && r.Path == "/load":
		for _, found := range keyElement.FindAllSubmatch(r.Body, -1) {
			all = append(all, mutation{"deleteobjects", string(found[1])})
		}
	case inBucket && r.Method == http.MethodDelete:
		all = append(all, mutation{"deleteobject", key})
	case inBucket && r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") != "":
		all = append(all, mutation{"copyobject", key})
	case inBucket && r.Method == http.MethodPut:
		all = append(all, mutation{"putobject", key})
	}
	return all
}

// unrecorded are the mutations that are not in the trail, or not with the
// outcome that was acknowledged, once the index has had its time. It also counts
// those whose outcome is recorded as unknown.
func (s *server) unrecorded(c credential, seen, acknowledged map[mutation]bool) (missing map[mutation]string, unknown int) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		results := map[mutation]string{}
		for _, e := range s.audit("--access-key-id", c.AccessKeyID, "--limit", "10000000") {
			for _, key := range append(e.Detail.Keys, e.Key) {
				results[mutation{strings.TrimPrefix(e.Action, "s3.proxy."), key}] = e.Result
			}
		}
		missing, unknown = map[mutation]string{}, 0
		for m := range seen {
			switch result := results[m]; {
			case result == "" || acknowledged[m] && result != "ok":
				missing[m] = result
			case result == "unknown":
				unknown++
			}
		}
		if len(missing) == 0 || time.Now().After(deadline) {
			return missing, unknown
		}
	}
}
