package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

const index = `<!doctype html><meta property="csp-nonce" nonce="%CSP-NONCE%"><script type="module" src="/assets/a-1.js"></script>`

var script = strings.Repeat("console.log(1);", 200)

func handler(t *testing.T, build fstest.MapFS) *Handler {
	t.Helper()
	h, err := New(build, func(host string) bool { return host == "keys.test" })
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func built(t *testing.T) *Handler {
	return handler(t, fstest.MapFS{
		"index.html":    {Data: []byte(index)},
		"favicon.svg":   {Data: []byte("<svg/>")},
		"assets/a-1.js": {Data: []byte(script)},
		".gitkeep":      {},
	})
}

func get(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://keys.test"+target, nil)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestWhatIsServedWhere(t *testing.T) {
	h := built(t)
	for _, tt := range []struct {
		name, method, target string
		header               []string
		status               int
		kind, cache          string
	}{
		{"sign-in", "GET", "/", nil, 200, "text/html; charset=utf-8", "no-store"},
		{"a page", "GET", "/admin/s3-proxy", nil, 200, "text/html; charset=utf-8", "no-store"},
		{"a page with a dot", "GET", "/admin/s3-proxy/a.b", nil, 200, "text/html; charset=utf-8", "no-store"},
		{"projects", "GET", "/projects", nil, 200, "text/html; charset=utf-8", "no-store"},
		{"a project", "GET", "/projects/0197c5a0-0000-4000-8000-000000000001", nil, 200, "text/html; charset=utf-8", "no-store"},
		{"what only begins like projects", "GET", "/projectsx", nil, 404, "text/plain; charset=utf-8", "no-store"},
		{"RGW users", "GET", "/rgw/users", nil, 200, "text/html; charset=utf-8", "no-store"},
		{"an RGW user", "GET", "/rgw/users/0197c5a0-0000-4000-8000-000000000001", nil, 200, "text/html; charset=utf-8", "no-store"},
		{"below an RGW user", "GET", "/rgw/users/0197c5a0-0000-4000-8000-000000000001/buckets", nil, 404, "text/plain; charset=utf-8", "no-store"},
		{"a job", "GET", "/rgw/jobs/x", nil, 404, "text/plain; charset=utf-8", "no-store"},
		{"the pages' root", "HEAD", "/admin", nil, 200, "text/html; charset=utf-8", "no-store"},
		{"an asset is kept for good", "GET", "/assets/a-1.js", nil, 200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		{"a file without hash is not", "GET", "/favicon.svg", nil, 200, "image/svg+xml", "public, max-age=3600"},
		{"an asset that is gone is no page", "GET", "/assets/a-0.js", nil, 404, "text/plain; charset=utf-8", "no-store"},
		{"the index has no name of its own", "GET", "/index.html", nil, 404, "text/plain; charset=utf-8", "no-store"},
		{"hidden files", "GET", "/.gitkeep", nil, 404, "text/plain; charset=utf-8", "no-store"},
		{"a directory", "GET", "/assets/", nil, 404, "text/plain; charset=utf-8", "no-store"},
		{"out of the build", "GET", "/assets/../../web.go", nil, 404, "text/plain; charset=utf-8", "no-store"},
		{"elsewhere", "GET", "/administrator", nil, 404, "text/plain; charset=utf-8", "no-store"},
		{"a post", "POST", "/admin/s3-proxy", nil, 405, "text/plain; charset=utf-8", "no-store"},
		{"a foreign name", "GET", "/", []string{"Host", "evil.test"}, 421, "text/plain; charset=utf-8", "no-store"},
		{"a foreign name for an asset", "GET", "/assets/a-1.js", []string{"Host", "evil.test"}, 421, "text/plain; charset=utf-8", "no-store"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := get(h, tt.method, tt.target, tt.header...)
			if w.Code != tt.status || w.Header().Get("Content-Type") != tt.kind || w.Header().Get("Cache-Control") != tt.cache {
				t.Errorf("%d, %s, %s", w.Code, w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"))
			}
			policy := w.Header().Get("Content-Security-Policy")
			if !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
				t.Errorf("policy %q", policy)
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Error("may be sniffed")
			}
		})
	}
}

func TestEachIndexHasItsOwnNonce(t *testing.T) {
	h := built(t)
	seen := map[string]bool{}
	for range 3 {
		w := get(h, "GET", "/")
		nonce := regexp.MustCompile(`nonce="([A-Z2-7]{26,})"`).FindStringSubmatch(w.Body.String())
		if nonce == nil || seen[nonce[1]] {
			t.Fatalf("nonce %q in %s", nonce, w.Body)
		}
		seen[nonce[1]] = true
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, "style-src 'self' 'nonce-"+nonce[1]+"';") || !strings.Contains(policy, "script-src 'self';") {
			t.Errorf("policy %q does not allow %s for styles alone", policy, nonce[1])
		}
	}
}

func TestCompressedForWhoTakesIt(t *testing.T) {
	h := built(t)
	for accept, want := range map[string]string{
		"": "", "br": "", "gzip;q=0": "", "gzip": "gzip", "br, gzip": "gzip", "gzip; q=1.0": "gzip",
	} {
		w := get(h, "GET", "/assets/a-1.js", "Accept-Encoding", accept)
		if got := w.Header().Get("Content-Encoding"); got != want || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q got %q", accept, got)
			continue
		}
		body := io.Reader(w.Body)
		if want == "gzip" {
			unpacked, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = unpacked
		}
		if content, err := io.ReadAll(body); err != nil || string(content) != script {
			t.Errorf("%q: %d bytes, %v", accept, len(content), err)
		}
	}
}

func TestWithoutABuildAPageTellsHow(t *testing.T) {
	h := handler(t, fstest.MapFS{".gitkeep": {}})
	if w := get(h, "GET", "/"); w.Code != 200 || !strings.Contains(w.Body.String(), "make build") || !strings.Contains(w.Body.String(), "/api/docs") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := get(h, "GET", "/assets/a-1.js"); w.Code != 404 {
		t.Errorf("asset: %d", w.Code)
	}
}

func TestABrokenBuildIsRefused(t *testing.T) {
	for name, build := range map[string]fstest.MapFS{
		"no place for a nonce": {"index.html": {Data: []byte("<!doctype html>")}},
		"a file of no type":    {"index.html": {Data: []byte(index)}, "assets/a.exe": {}},
	} {
		if _, err := New(build, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTheEmbeddedBuildLoads(t *testing.T) {
	build, err := Built()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(build, nil); err != nil {
		t.Error(err)
	}
}
