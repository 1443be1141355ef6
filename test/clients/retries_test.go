package clients

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"keystile/internal/s3wire"
)

var update = flag.Bool("update", false, "write what was measured into docs/clients.md")

const clientsPage = "../../docs/clients.md"

// refusals are what a client is answered, in the order of the columns.
var refusals = []s3wire.Error{
	*s3wire.InvalidAccessKeyID.Err(),
	*s3wire.AccessDenied.Err(),
	{Code: "QuotaExceeded", Status: http.StatusInsufficientStorage, Message: "The quota is used up."},
	*s3wire.SlowDown.Err(),
}

// refuser lets a client look around and refuses every write, in the gateway's
// words.
type refuser struct {
	with   s3wire.Error
	writes atomic.Int64
}

func (f *refuser) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, key, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodGet && r.URL.Query().Has("location"):
		_, _ = fmt.Fprint(w, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>`)
	case r.Method == http.MethodGet && key == "":
		_, _ = fmt.Fprint(w, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>retried</Name><IsTruncated>false</IsTruncated></ListBucketResult>`)
	case r.Method == http.MethodHead && key == "":
	case r.Method == http.MethodHead, r.Method == http.MethodGet:
		w.WriteHeader(http.StatusNotFound)
	default:
		f.writes.Add(1)
		f.refuse(w, r)
	}
}

func (f *refuser) refuse(w http.ResponseWriter, r *http.Request) {
	switch f.with.Status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "AWS4-HMAC-SHA256")
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(f.with.Status)
	_, _ = w.Write(f.with.ErrorDocument(r.URL.Path, "retried", "", "0"))
}

// TestRetries counts how often each client tries a refused write, and compares
// with the page. The short run leaves out 503, which clients wait out.
func TestRetries(t *testing.T) {
	var mu sync.Mutex
	measured := map[string][]string{}
	t.Run("of", func(t *testing.T) {
		for _, c := range all() {
			if c.name == "s3fs" {
				continue // its writes are the kernel's to try again
			}
			counts := make([]string, len(refusals))
			measured[c.name] = counts
			for i, with := range refusals {
				if with.Status == http.StatusServiceUnavailable && !full {
					continue
				}
				t.Run(fmt.Sprintf("%s at %d", c.name, with.Status), func(t *testing.T) {
					t.Parallel()
					count := countWrites(t, c, with)
					mu.Lock()
					defer mu.Unlock()
					counts[i] = count
				})
			}
		}
	})
	if *update {
		writeRetries(t, measured)
	}
	page, err := os.ReadFile(clientsPage)
	must(t, err)
	for name, counts := range measured {
		told := retriesOf(string(page), name)
		for i, count := range counts {
			if count != "" && (told == nil || told[i] != count) {
				t.Errorf("%s makes %s requests of a write refused with %s; the page tells %q", name, count, refusals[i].Code, told)
			}
		}
	}
}

// countWrites lets a client upload once.
func countWrites(t *testing.T, c client, with s3wire.Error) string {
	f := &refuser{with: with}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	to := target{Endpoint: server.URL, AccessKeyID: "AKIAAAAAAAAAAAAAAAAA", SecretAccessKey: "secret-of-the-tests", Region: "us-east-1", Bucket: "retried", Home: t.TempDir()}
	s := c.open(t, to)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	trial := &trial{ctx: ctx, client: s, to: to, dir: t.TempDir(), seen: map[string]string{}}
	var err error
	if c.alone {
		err = trial.run("init")
	} else {
		path, _, failed := trial.file(1000, 1)
		must(t, failed)
		_, err = trial.do(call{Op: opPut, Key: "refused", Path: path})
	}
	if err == nil {
		t.Fatal("a refused write was taken for done")
	}
	if ctx.Err() != nil {
		return "+"
	}
	if f.writes.Load() == 0 {
		t.Fatalf("no write came: %v", err)
	}
	return fmt.Sprint(f.writes.Load())
}

// retriesOf is a client's line of the page.
func retriesOf(page, client string) []string {
	line := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(client) + ` \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$`).FindStringSubmatch(page)
	if line == nil {
		return nil
	}
	return line[1:]
}

// writeRetries replaces the table; what was not measured stays.
func writeRetries(t *testing.T, measured map[string][]string) {
	old, err := os.ReadFile(clientsPage)
	must(t, err)
	head, rest, ok := strings.Cut(string(old), "|---|---|---|---|---|\n")
	_, end, ends := strings.Cut(rest, "<!-- end of the table -->")
	if !ok || !ends {
		t.Fatal("the page has no table of retries")
	}
	var table strings.Builder
	for _, c := range all() {
		counts, told := measured[c.name], retriesOf(string(old), c.name)
		if counts == nil {
			continue
		}
		cells := make([]string, len(counts))
		for i := range counts {
			cells[i] = cmp.Or(counts[i], "?")
			if counts[i] == "" && told != nil {
				cells[i] = told[i]
			}
		}
		fmt.Fprintf(&table, "| %s | %s |\n", c.name, strings.Join(cells, " | "))
	}
	must(t, os.WriteFile(clientsPage, []byte(head+"|---|---|---|---|---|\n"+table.String()+"<!-- end of the table -->"+end), 0o600))
}
