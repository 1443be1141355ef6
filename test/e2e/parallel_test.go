package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keystile/internal/sigv4"
)

// lightBackend is an S3 server that stores nothing: uploads are read and
// forgotten, and every object is size bytes of the pattern.
func lightBackend(t *testing.T, size int64) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut:
			n, err := io.Copy(io.Discard, r.Body)
			if err != nil || n != r.ContentLength {
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("ETag", fmt.Sprintf(`"%d"`, n))
		case r.Method == http.MethodGet && strings.Count(r.URL.Path, "/") == 2:
			w.Header().Set("ETag", `"light"`)
			w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
			_, _ = io.Copy(w, &pattern{size: size})
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestParallelTransfersInFlatMemory sends and fetches many large objects at
// once. KEYSTILE_SOAK_TRANSFER_MIB makes them larger than the 8 MiB that a test
// has time for.
func TestParallelTransfersInFlatMemory(t *testing.T) {
	const (
		parallel = 200
		bound    = 192 << 20 // of growth, for all of them
	)
	size := int64(8 << 20)
	if text := os.Getenv("KEYSTILE_SOAK_TRANSFER_MIB"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		must(t, err)
		size = n << 20
	}
	s := start(t, filepath.Join(t.TempDir(), "data"), "",
		"KEYSTILE_LIMITS_HEADER_TIMEOUT=1m") // the machine may be busy with so many
	o := run(t, append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+s.token), "secret-of-the-light-one",
		binary, "backend", "add", "light", "--endpoint", lightBackend(t, size), "--access-key-id", "AKLIGHT", "--secret-access-key-stdin")
	o.want(t, 0, "")
	s.BackendID = "light"
	c := s.mint("store:read,write")

	idle := resident(t, s.cmd.Process.Pid)
	must(t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0o600))
	began := time.Now()
	var all sync.WaitGroup
	for i := range parallel {
		all.Go(func() { s.transfer(t, c, fmt.Sprintf("/store/%d", i), size) })
	}
	all.Wait()
	peak := status(t, s.cmd.Process.Pid, "VmHWM:")
	t.Logf("%d parallel transfers of %d MiB up and down in %v: resident memory %d MiB idle, %d MiB at the peak",
		parallel, size>>20, time.Since(began).Round(time.Second), idle>>20, peak>>20)
	if t.Failed() {
		t.Logf("the server said:\n%s", s.stderr)
	}
	if grown := peak - idle; grown > bound {
		t.Errorf("memory grew by %d bytes, more than %d", grown, bound)
	}
}

// transfer sends an object and fetches it. It does not end the test: it runs
// beside others.
func (s *server) transfer(t *testing.T, c credential, path string, size int64) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10}}
	for _, tt := range []struct {
		method string
		length int64 // sent
	}{{http.MethodPut, size}, {http.MethodGet, 0}} {
		var body io.Reader
		if tt.length > 0 {
			body = &pattern{size: tt.length}
		}
		req, err := http.NewRequestWithContext(t.Context(), tt.method, s.S3Endpoint+path, body)
		if err != nil {
			t.Error(err)
			return
		}
		req.ContentLength = tt.length
		signer := sigv4.NewSigner(c.AccessKeyID, c.SecretAccessKey, "us-east-1", "s3")
		if err := signer.Sign(tt.method, path, "", req.URL.Host, req.Header, sigv4.UnsignedPayload, time.Now()); err != nil {
			t.Error(err)
			return
		}
		res, err := client.Do(req)
		if err != nil {
			t.Errorf("%s %s: %v", tt.method, path, err)
			return
		}
		n, err := io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || n != size-tt.length {
			t.Errorf("%s %s: status %d, %d bytes, %v", tt.method, path, res.StatusCode, n, err)
			return
		}
	}
}
