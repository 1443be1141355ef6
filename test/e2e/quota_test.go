package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/s3test"
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
		ReservedObjects int64      `json:"reserved_objects"`
		UnknownBytes    int64      `json:"unknown_bytes"`
		UnknownObjects  int64      `json:"unknown_objects"`
		NeedsScan       bool       `json:"needs_scan"`
		ScannedAt       *time.Time `json:"scanned_at"`
		Scan            *struct {
			Objects int64 `json:"objects"`
			Resumed bool  `json:"resumed"`
		} `json:"scan"`
	} `json:"usage"`
}

// counts is all that counts against a cap, in bytes.
func (q quotaShown) counts() int64 {
	return q.Usage.UsedBytes + q.Usage.ReservedBytes + q.Usage.UnknownBytes
}

func (s *server) quota(bucket string) (q quotaShown) {
	s.t.Helper()
	s.cliJSON(&q, "quota", "show", s.BackendID+"/"+bucket)
	return q
}

// addCounting adds a backend that counts, and makes it the one of what follows.
func (s *server) addCounting(backend *s3test.Server) {
	s.t.Helper()
	s.addBackend("counting", backend.URL, "COUNTING", "a secret of the tests")
	s.BackendID = "counting"
}

func (s *server) addBackend(id, endpoint, accessKeyID, secret string) {
	s.t.Helper()
	run(s.t, append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+s.token), secret, binary, "backend", "add", id,
		"--endpoint", endpoint, "--access-key-id", accessKeyID, "--secret-access-key-stdin").want(s.t, 0, "")
}

// Of the test below: the cap of a bucket, what a key's allowance begins with and
// grows by before each kill, and the cap of an owner of two buckets.
const (
	bucketCap     = 6 << 20
	allowanceStep = 3 << 20
	ownerCap      = 2 << 20
	embeddedCap   = 512 << 10 // of an owner of one bucket at the embedded backend
)

// capped is a server with four limits, and a load against each of them.
type capped struct {
	*server
	data      string
	backend   *s3test.Server
	load      *mixed
	plain     credential // writes into a bucket with a cap
	spender   credential // has an allowance
	allowance int64
	owner     credential // an RGW user's, with two buckets
	embedded  credential // one's whose bucket is at the embedded backend
	atHome    int64      // the most that was found there
}

func startCapped(t *testing.T) *capped {
	t.Helper()
	backend := s3test.New(t)
	for _, name := range []string{"capped", "spent", "sources"} {
		backend.CreateBucket(name)
	}
	for n := range 10 {
		backend.PutObject("sources", fmt.Sprint(n), make([]byte, rand.IntN(largest)))
	}
	slow := func(r *http.Request) bool {
		return r.Header.Get("X-Amz-Copy-Source") != "" || r.Method == http.MethodPost && strings.Contains(r.URL.RawQuery, "uploadId=")
	}
	backend.Inject(s3test.Delay(40 * time.Millisecond).When(slow))
	data := t.TempDir() + "/data"
	k := &capped{server: start(t, data, ""), data: data, backend: backend}
	k.addCounting(backend)
	k.plain = k.mint("capped:read,list,write,delete", "sources:read")
	k.cliJSON(nil, "quota", "scan", "counting/capped", "--wait")
	k.cliJSON(nil, "quota", "set", "counting/capped", "--hard", fmt.Sprint(bucketCap))
	k.spender = k.mint("spent:read,list,write,delete", "sources:read")

	site := &rgwSite{server: k.server, tokens: map[string]string{"admin": k.token}, secrets: map[string]bool{}}
	site.project = site.must(201, site.call("admin", "POST", "/api/projects", `{"name":"Data"}`)).text("id")
	k.owner = site.cappedOwner("counting", ownerCap, "owned-a", "owned-b")
	k.embedded = site.cappedOwner("local", embeddedCap, "at-home")
	k.load = newMixed("")
	return k
}

// cappedOwner makes an RGW user with a cap at a backend, and its buckets.
func (s *rgwSite) cappedOwner(backend string, bytes int64, buckets ...string) credential {
	s.t.Helper()
	s.backend = backend
	u := s.user("owner-" + backend)
	s.must(200, s.call("admin", "PATCH", u.path(""), fmt.Sprintf(`{"quota":{"max_size_kb":%d,"enabled":true}}`, bytes/1024)))
	for _, bucket := range buckets {
		if got := s3(s.t, s.S3Endpoint, u, "PUT", "/"+bucket, ""); got != 200 {
			s.t.Fatalf("making %s: %d", bucket, got)
		}
	}
	return credential{AccessKeyID: u.key, SecretAccessKey: u.secret}
}

// stored is what the backend holds of buckets.
func (k *capped) stored(buckets ...string) (size, objects int64) {
	for _, name := range buckets {
		s, o := k.backend.Stored(name)
		size, objects = size+s, objects+o
	}
	return size, objects
}

// watch looks at the backend all the time until ctx ends. It returns how often it
// did, and the most that it saw below each limit.
func (k *capped) watch(ctx context.Context) (samples int, most [3]int64) {
	for ; ctx.Err() == nil; time.Sleep(500 * time.Microsecond) {
		bucket, _ := k.stored("capped")
		owned, _ := k.stored("owned-a", "owned-b")
		most = [3]int64{max(most[0], bucket), max(most[1], k.backend.Written("spent")), max(most[2], owned)}
		samples++
		if most[0] > bucketCap || most[1] > k.allowance || most[2] > ownerCap {
			k.t.Errorf("%v bytes are stored; the limits are %d, %d and %d", most, bucketCap, k.allowance, ownerCap)
			break
		}
	}
	return samples, most
}

// underLoad writes against all limits, with so many clients against the cap,
// until so many more changes have been stored and refused, some of each kind; then
// it calls end.
func (k *capped) underLoad(parallel, stored, over int, end func()) (samples int, most [3]int64) {
	k.t.Helper()
	m := k.load
	m.endpoint = k.S3Endpoint
	m.abortLeft(k.t.Context())
	stored, over = stored+m.outcomes("stored"), over+m.outcomes("over")
	k.allowance += allowanceStep
	k.cliJSON(nil, "credential", "edit", k.spender.AccessKeyID, "--allowance", fmt.Sprint(k.allowance))
	ctx, stop := context.WithCancel(k.t.Context())
	defer stop()
	var watching, clients sync.WaitGroup
	watched, unwatch := context.WithCancel(k.t.Context())
	watching.Go(func() { samples, most = k.watch(watched) })
	m.writer(k.t, k.plain, "sources", "capped").run(ctx, &clients, parallel)
	m.writer(k.t, k.spender, "sources", "spent").run(ctx, &clients, 20)
	m.writer(k.t, k.owner, "", "owned-a", "owned-b").run(ctx, &clients, 30)
	m.writer(k.t, k.embedded, "", "at-home").run(ctx, &clients, 10)
	for deadline := time.Now().Add(10 * time.Minute); m.outcomes("stored") < stored || m.outcomes("over") < over || !m.hasAll(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			k.t.Errorf("only so much in ten minutes: %v", m.tally)
			break
		}
	}
	end()
	stop()
	clients.Wait()
	k.backend.Wait()
	unwatch()
	watching.Wait()
	k.backend.Reset() // it keeps what it was sent
	return samples, most
}

// checkUsage wants that no less counts than is stored, and no more is than may be,
// and after a count exactly that.
func (k *capped) checkUsage(what string) {
	k.t.Helper()
	var counts int64
	for _, bucket := range []string{"capped", "owned-a", "owned-b"} {
		size, _ := k.stored(bucket)
		q := k.quota(bucket)
		if counts += q.counts(); q.counts() < size {
			k.t.Errorf("%s: %d bytes are stored in %s, only %d count", what, size, bucket, q.counts())
		}
		k.cliJSON(nil, "quota", "scan", "counting/"+bucket, "--wait")
		size, objects := k.stored(bucket)
		if q = k.quota(bucket); q.Usage.UsedBytes != size || q.Usage.UsedObjects != objects {
			k.t.Errorf("%s: %d bytes in %d objects are stored in %s, the count is %+v", what, size, objects, bucket, q.Usage)
		}
	}
	var before, after quotaShown
	k.cliJSON(&before, "quota", "show", "local/at-home")
	k.cliJSON(&after, "quota", "scan", "local/at-home", "--wait")
	found := after.Usage.UsedBytes
	k.atHome = max(k.atHome, found)
	if before.counts() < found || found > embeddedCap {
		k.t.Errorf("%s: the embedded backend holds %d bytes, %d counted; the cap is %d", what, found, before.counts(), embeddedCap)
	}
	k.checkSpent(what)
	if k.t.Failed() {
		k.t.Fatalf("the server said:\n%s", k.stderr)
	}
}

// checkSpent wants that what is spent of the allowance is what the trail tells, and
// beside what was written nothing but that of which nobody knows.
func (k *capped) checkSpent(what string) {
	k.t.Helper()
	var recorded, unsure int64
	for _, e := range k.audit("--access-key-id", k.spender.AccessKeyID, "--limit", "0") {
		if recorded += e.Detail.Spends.Bytes; e.Result != "ok" {
			unsure += e.Detail.Spends.Bytes
		}
	}
	spent, written := k.spent(k.spender), k.backend.Written("spent")
	if spent != recorded || spent < written || spent-unsure > written || spent > k.allowance {
		k.t.Errorf("%s: %d bytes were written, of %d more nobody knows, %d are recorded and %d of %d spent",
			what, written, unsure, recorded, spent, k.allowance)
	}
}

// spent is what counts of a key's allowance.
func (s *server) spent(c credential) int64 {
	s.t.Helper()
	var shown struct {
		Quota struct {
			Used int64 `json:"allowance_used_bytes"`
		} `json:"quota"`
	}
	s.cliJSON(&shown, "credential", "show", c.AccessKeyID)
	return shown.Quota.Used
}

// TestCapHoldsAcrossKills kills the server in the middle of 260 slow changes of all
// kinds beside the cap of a bucket, the allowance of a key and the caps of owners.
// Whenever one looks at the backend no more is stored than may be; after a restart
// no less counts than is stored, and a count finds exactly that. In the end
// no client dies and the server stops in order: then usage is exact without a count.
func TestCapHoldsAcrossKills(t *testing.T) {
	k := startCapped(t)
	samples, most := 0, [3]int64{}
	note := func(n int, seen [3]int64) {
		samples += n
		for i := range most {
			most[i] = max(most[i], seen[i])
		}
	}
	for round := range quotaCrashes(t) {
		note(k.underLoad(200, 150+rand.IntN(100), 100+rand.IntN(100), k.kill))
		k.server = start(t, k.data, k.token)
		k.BackendID = "counting"
		k.checkUsage(fmt.Sprint("kill ", round+1))
	}
	k.load.gentle = true
	note(k.underLoad(30, 100, 50, func() {}))
	k.interrupt()
	k.server = start(t, k.data, k.token)
	k.BackendID = "counting"
	for _, bucket := range []string{"capped", "owned-a", "owned-b"} {
		size, objects := k.stored(bucket)
		u := k.quota(bucket).Usage
		if u.UsedBytes != size || u.UsedObjects != objects {
			t.Errorf("%s holds %d bytes in %d objects; without a count usage is %+v", bucket, size, objects, u)
		}
	}
	k.checkUsage("in the end")
	if len(k.load.tally) != mixedKinds || k.load.outcomes("cut") == 0 || most[0] < bucketCap/2 || most[2] < ownerCap/4 || k.atHome < embeddedCap/4 {
		t.Errorf("the load was not what it was to be: %v, at most %v stored", k.load.tally, most)
	}
	t.Logf("%d kills; %d samples, at most %d of %d bytes in the bucket, %d of %d of the owner; %d of %d of the allowance written; at most %d of %d at the embedded backend\nwhat came of changes: %v",
		quotaCrashes(t), samples, most[0], bucketCap, most[2], ownerCap, most[1], k.allowance, k.atHome, embeddedCap, k.load.tally)
}

// send sends one signed request with these headers, names and values by turns, and
// returns the answer's status, 0 for none.
func (s *server) send(c credential, method, path, body string, header ...string) int {
	req, err := http.NewRequest(method, s.S3Endpoint+path, strings.NewReader(body))
	if err != nil {
		return 0
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
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
