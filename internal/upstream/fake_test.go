package upstream

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/sigv4"
	"keystile/internal/store"
)

const (
	testKeyID  = "AKIATESTBACKENDADMIN"
	testSecret = "the backend's own secret"
	testRegion = "us-east-1"
)

// seen is a request as it was on the wire.
type seen struct{ method, target, host, payloadHash string }

// fakeS3 is a small S3 server that verifies every signature and remembers every
// request line.
type fakeS3 struct {
	*httptest.Server

	mu        sync.Mutex
	region    string
	buckets   map[string]map[string]bool
	requests  []seen
	faults    []string                                 // what was wrong with signatures and digests
	resolve   func(key string) string                  // nil: keys are kept
	intervene func(w http.ResponseWriter, s seen) bool // true: it has answered
}

func newFakeS3(t *testing.T) *fakeS3 {
	t.Helper()
	f := &fakeS3{buckets: map[string]map[string]bool{}, region: testRegion}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// change alters the fake between requests.
func (f *fakeS3) change(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn()
}

func (f *fakeS3) seen() []seen {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

func (f *fakeS3) names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for name := range f.buckets {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// noFaults fails the test if a signature or digest was wrong.
func (f *fakeS3) noFaults(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range f.faults {
		t.Error(fault)
	}
}

func (f *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // a cut body stores nothing
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := seen{r.Method, r.RequestURI, r.Host, r.Header.Get("X-Amz-Content-Sha256")}
	f.requests = append(f.requests, s)
	if f.intervene != nil && f.intervene(w, s) {
		return
	}
	path, query, _ := strings.Cut(r.RequestURI, "?")
	if code := f.authenticate(r, path, query, body); code != "" {
		f.faults = append(f.faults, fmt.Sprintf("%s %s: %s", r.Method, r.RequestURI, code))
		s3Error(w, 403, code)
		return
	}
	if path, err = url.PathUnescape(path); err != nil {
		s3Error(w, 400, "InvalidURI")
		return
	}
	f.serve(w, r, strings.TrimPrefix(path, "/"), string(body))
}

func (f *fakeS3) authenticate(r *http.Request, path, query string, body []byte) string {
	auth, err := sigv4.Parse(sigv4.Request{Method: r.Method, Path: path, RawQuery: query, Host: r.Host, Header: r.Header, ContentLength: r.ContentLength})
	switch {
	case err != nil:
		return err.Error()
	case auth.AccessKeyID != testKeyID:
		return "InvalidAccessKeyId"
	case auth.Check(time.Now(), f.region) != nil:
		return "RequestTimeTooSkewed"
	case auth.Verify(sigv4.DeriveKey(testSecret, auth.Scope)) != nil:
		return "SignatureDoesNotMatch"
	case auth.PayloadHash != sigv4.UnsignedPayload && auth.PayloadHash != sigv4.HashHex(body):
		return "XAmzContentSHA256Mismatch"
	}
	return ""
}

func (f *fakeS3) serve(w http.ResponseWriter, r *http.Request, path, body string) {
	name, key, _ := strings.Cut(path, "/")
	if host := strings.TrimPrefix(f.URL, "http://"); r.Host != host {
		name, key = strings.TrimSuffix(r.Host, "."+host), path
	}
	if f.resolve != nil {
		key = f.resolve(key)
	}
	bucket, ok := f.buckets[name]
	switch {
	case name == "":
		f.listBuckets(w)
	case key == "" && r.Method == http.MethodPut:
		f.createBucket(w, name, body)
	case !ok:
		s3Error(w, 404, "NoSuchBucket")
	case key == "" && r.Method == http.MethodDelete && len(bucket) > 0:
		s3Error(w, 409, "BucketNotEmpty")
	case key == "" && r.Method == http.MethodDelete:
		delete(f.buckets, name)
		w.WriteHeader(204)
	case key == "" && r.Method == http.MethodGet:
		listKeys(w, bucket)
	case key == "":
	case r.Method == http.MethodPut:
		bucket[key] = true
	case r.Method == http.MethodDelete:
		delete(bucket, key)
		w.WriteHeader(204)
	case !bucket[key]:
		s3Error(w, 404, "NoSuchKey")
	}
}

func (f *fakeS3) createBucket(w http.ResponseWriter, name, body string) {
	switch {
	case f.buckets[name] != nil:
		s3Error(w, 409, "BucketAlreadyOwnedByYou")
	case strings.Contains(body, "<LocationConstraint>nowhere<"):
		s3Error(w, 400, "InvalidLocationConstraint")
	default:
		f.buckets[name] = map[string]bool{}
	}
}

func (f *fakeS3) listBuckets(w http.ResponseWriter) {
	_, _ = io.WriteString(w, xml.Header+`<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>x</ID></Owner><Buckets>`)
	for name := range f.buckets {
		_, _ = fmt.Fprintf(w, "<Bucket><Name>%s</Name><CreationDate>2026-01-02T03:04:05.000Z</CreationDate></Bucket>", name)
	}
	_, _ = io.WriteString(w, "</Buckets></ListAllMyBucketsResult>")
}

func listKeys(w http.ResponseWriter, bucket map[string]bool) {
	_, _ = io.WriteString(w, xml.Header+"<ListBucketResult>")
	for key := range bucket {
		_, _ = fmt.Fprintf(w, "<Contents><Key>%s</Key></Contents>", key)
	}
	_, _ = io.WriteString(w, "</ListBucketResult>")
}

func s3Error(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "%s<Error><Code>%s</Code><Message>at 10.1.2.3 in /srv/secret</Message></Error>", xml.Header, code)
}

// describe is the fake as an admin would describe it.
func (f *fakeS3) describe(id string) keystile.Backend {
	return keystile.Backend{
		ID: id, Kind: keystile.KindS3, Endpoint: f.URL, Region: f.region, PathStyle: true, AccessKeyID: testKeyID,
	}
}

func (f *fakeS3) endpoint(id string) Endpoint {
	return Endpoint{Backend: f.describe(id), Secret: keystile.NewSecret(testSecret)}
}

// backend is a runtime backend on the fake.
func (f *fakeS3) backend(t *testing.T, alter func(*keystile.Backend)) *Backend {
	t.Helper()
	e := f.endpoint("fake")
	if alter != nil {
		alter(&e.Backend)
	}
	b := newBackend(e, NewDialer(), nil, time.Now)
	t.Cleanup(b.client.Close)
	return b
}

// prove gives the backend a proof in force.
func prove(b *Backend) {
	b.adopt(keystile.Probe{BackendID: b.info.ID, Fingerprint: fingerprint(b.info), Abilities: keepsKeys(), ProbedAt: time.Now()})
}

func keeps(a keystile.Abilities) bool { return a[keystile.KeepsKeys].Verdict == keystile.Yes }

func keepsKeys() (a keystile.Abilities) {
	a[keystile.KeepsKeys] = keystile.Finding{Verdict: keystile.Yes, At: time.Now()}
	return a
}

// memStore keeps backends and proofs in memory.
type memStore struct {
	mu       sync.Mutex
	backends map[string]Endpoint
	proofs   map[string]keystile.Probe
	cors     []keystile.BucketCORS
	settings map[string]string
	fail     error
}

func newMemStore() *memStore {
	return &memStore{backends: map[string]Endpoint{}, proofs: map[string]keystile.Probe{}, settings: map[string]string{}}
}

func (m *memStore) put(e Endpoint) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.backends[e.Backend.ID] = e
}

func (m *memStore) remove(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.backends, id)
}

func (m *memStore) proof(id string) keystile.Probe {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.proofs[id]
}

func (m *memStore) setting(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.settings[name]
}

func (m *memStore) Read(_ context.Context, fn func(store.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	return fn(memTx{m: m})
}

func (m *memStore) Write(ctx context.Context, fn func(store.Tx) error) error { return m.Read(ctx, fn) }

// memTx has only what a registry uses of a transaction; the rest would panic.
type memTx struct {
	store.Tx
	m *memStore
}

func (x memTx) Backends() ([]keystile.Backend, error) {
	var list []keystile.Backend
	for _, e := range x.m.backends {
		list = append(list, e.Backend)
	}
	return list, nil
}

func (x memTx) AllBucketCORS() ([]keystile.BucketCORS, error) { return x.m.cors, nil }

func (x memTx) BackendSecret(id string) (keystile.Secret, error) { return x.m.backends[id].Secret, nil }

func (x memTx) Probe(id string) (keystile.Probe, error) {
	p, ok := x.m.proofs[id]
	if !ok {
		return p, keystile.ErrNotFound
	}
	return p, nil
}

func (x memTx) SaveProbe(p keystile.Probe) error {
	x.m.proofs[p.BackendID] = p
	return nil
}

func (x memTx) Setting(name string) (string, error) {
	value, ok := x.m.settings[name]
	if !ok {
		return "", keystile.ErrNotFound
	}
	return value, nil
}

func (x memTx) SetSetting(name, value string) error {
	x.m.settings[name] = value
	return nil
}

// noBook notes nothing.
type noBook struct{}

func (noBook) begins(context.Context, scratch) error { return nil }
func (noBook) ended(context.Context, scratch)        {}

func newTestRegistry(t *testing.T, m *memStore, declared ...Endpoint) *Registry {
	t.Helper()
	r := NewRegistry(Options{
		Declared: declared, Store: m, Dialer: NewDialer(),
		Log: slog.New(slog.DiscardHandler), CheckEvery: 20 * time.Millisecond,
	})
	t.Cleanup(r.Close)
	return r
}

// run runs the registry until the test ends.
func run(t *testing.T, r *Registry) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// eventually waits for what a goroutine brings about.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("in vain: %s", what)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
