package e2e_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"keystile/internal/sigv4"
)

// objects is how many keys are listed: some, or as many as
// KEYSTILE_SOAK_OBJECTS says.
func objects(t *testing.T) int {
	text := os.Getenv("KEYSTILE_SOAK_OBJECTS")
	if text == "" {
		return 50_000
	}
	n, err := strconv.Atoi(text)
	must(t, err)
	return n
}

// hugeBucket is a backend with one bucket of n keys that exist only in lists.
func hugeBucket(t *testing.T, n int) *httptest.Server {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		switch {
		case r.URL.Path == "/":
			fmt.Fprint(w, `<ListAllMyBucketsResult><Buckets><Bucket><Name>huge</Name></Bucket></Buckets></ListAllMyBucketsResult>`)
		case r.Method == http.MethodGet && r.URL.Query().Get("list-type") == "2":
			from, _ := strconv.Atoi(r.URL.Query().Get("continuation-token"))
			writePage(w, from, n)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(backend.Close)
	return backend
}

func writePage(w io.Writer, from, n int) {
	end := min(from+1000, n)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>huge</Name><IsTruncated>%v</IsTruncated>`, end < n)
	if end < n {
		fmt.Fprintf(w, `<NextContinuationToken>%d</NextContinuationToken>`, end)
	}
	for i := from; i < end; i++ {
		fmt.Fprintf(w, `<Contents><Key>%s</Key><Size>1</Size><ETag>"0"</ETag><Owner><ID>backend-admin</ID></Owner></Contents>`, hugeKey(i))
	}
	fmt.Fprint(w, `</ListBucketResult>`)
}

func hugeKey(i int) string { return fmt.Sprintf("logs/2026/%08d.gz", i) }

// TestListingAHugeBucket pages through it by an alias: every key comes once, in
// order, under the client's names, and the gateway's memory stays flat.
func TestListingAHugeBucket(t *testing.T) {
	n := objects(t)
	backend := hugeBucket(t, n)
	s := start(t, t.TempDir()+"/data", "")
	env := append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+s.token)
	run(t, env, "backend-secret\n", binary, "backend", "add", "big", "--kind", "s3", "--endpoint", backend.URL,
		"--region", "us-east-1", "--access-key-id", "backend-key", "--secret-access-key-stdin").want(t, 0, "")
	var c credential
	s.cliJSON(&c, "credential", "create", "--description", "lists", "--grant", "big/huge:list@archive")

	s.page(t, c, "archive", "")
	idle := resident(t, s.cmd.Process.Pid)
	must(t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0o600))
	seen, began := 0, time.Now()
	for token, more := "", true; more; {
		p := s.page(t, c, "archive", token)
		if p.Name != "archive" {
			t.Fatalf("a page of %q", p.Name)
		}
		for _, o := range p.Contents {
			if o.Key != hugeKey(seen) || o.Owner.ID == "backend-admin" {
				t.Fatalf("key %d is %q of %q", seen, o.Key, o.Owner.ID)
			}
			seen++
		}
		token, more = p.NextContinuationToken, p.IsTruncated
	}
	if seen != n {
		t.Errorf("%d keys of %d", seen, n)
	}
	grown := status(t, s.cmd.Process.Pid, "VmHWM:") - idle
	t.Logf("%d keys in %s, memory grew by %d MiB", seen, time.Since(began).Round(time.Millisecond), grown>>20)
	if grown > 32<<20 {
		t.Errorf("memory grew by %d bytes", grown)
	}
}

type listPage struct {
	Name                  string
	IsTruncated           bool
	NextContinuationToken string
	Contents              []struct {
		Key   string
		Owner struct{ ID string }
	}
}

func (s *server) page(t *testing.T, c credential, bucket, token string) listPage {
	t.Helper()
	query := url.Values{"list-type": {"2"}}
	if token != "" {
		query.Set("continuation-token", token)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.S3Endpoint+"/"+bucket+"?"+query.Encode(), nil)
	must(t, err)
	signer := sigv4.NewSigner(c.AccessKeyID, c.SecretAccessKey, "us-east-1", "s3")
	must(t, signer.Sign(req.Method, req.URL.Path, req.URL.RawQuery, req.URL.Host, req.Header, sigv4.EmptySHA256, time.Now()))
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	var p listPage
	must(t, xml.NewDecoder(res.Body).Decode(&p))
	if res.StatusCode != http.StatusOK {
		t.Fatalf("a page got %d", res.StatusCode)
	}
	return p
}
