package s3proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
)

// site opens a bucket with an index document, below a prefix or not.
func site(t *testing.T, prefix string, mode keystile.BindingMode, index string) *gateway {
	t.Helper()
	g := newGateway(t)
	for _, key := range []string{"index.html", "docs/index.html", "docs/a.txt", "private/index.html"} {
		g.backend.PutObject("reports", key, []byte(key))
	}
	g.bind(keystile.Binding{
		Name: "site", Bucket: keystile.Bucket{Backend: "prod", Name: "reports"}, Prefix: prefix, Mode: mode, IndexDocument: index,
	})
	return g
}

func TestIndexDocument(t *testing.T) {
	const index = "index.html"
	read := func(path, query string) call { return call{method: get, path: path, query: query, unsigned: true} }
	for _, tt := range []struct {
		name   string
		prefix string
		mode   keystile.BindingMode
		index  string
		call   call
		status int
		body   string // a part of it
		asked  string // path at the backend; empty: it was not asked
	}{
		{"the bucket", "", keystile.ModeRead, index, read("/site", ""), 200, "index.html", "/reports/index.html"},
		{"the bucket with a slash", "", keystile.ModeRead, index, read("/site/", ""), 200, "index.html", "/reports/index.html"},
		{"a folder", "", keystile.ModeRead, index, read("/site/docs/", ""), 200, "docs/index.html", "/reports/docs/index.html"},
		{"an object", "", keystile.ModeRead, index, read("/site/docs/a.txt", ""), 200, "docs/a.txt", "/reports/docs/a.txt"},
		{"a folder without its slash is an object", "", keystile.ModeRead, index, read("/site/docs", ""), 404, "NoSuchKey", "/reports/docs"},
		{"a folder without an index", "", keystile.ModeRead, index, read("/site/none/", ""), 404, "NoSuchKey", "/reports/none/index.html"},
		{"the bucket, below a prefix", "docs/", keystile.ModeRead, index, read("/site", ""), 200, "docs/index.html", "/reports/docs/index.html"},
		{"a folder outside the prefix", "docs/", keystile.ModeRead, index, read("/site/private/", ""), 403, "AccessDenied", ""},
		{"a list stays a list", "", keystile.ModeReadList, index, read("/site", "list-type=2"), 200, "<ListBucketResult", "/reports"},
		{"and is refused where lists are", "", keystile.ModeRead, index, read("/site", "list-type=2"), 403, "AccessDenied", ""},
		{"other headers are refused here too", "", keystile.ModeRead, index, read("/site/docs/", "response-content-type=text%2Fhtml"), 400, "InvalidRequest", ""},
		{"so is an old version", "", keystile.ModeRead, index, read("/site/docs/", "versionId=1"), 403, "AccessDenied", ""},
		{"dots are refused here too", "", keystile.ModeRead, index, read("/site/docs/%2e%2e/private/", ""), 400, "InvalidArgument", ""},
		{"a write of a folder is refused", "", keystile.ModeRead, index, call{method: put, path: "/site/docs/", body: "x", unsigned: true}, 403, "AccessDenied", ""},
		{"the host names the bucket", "", keystile.ModeRead, index, call{method: get, path: "/docs/", unsigned: true, tamper: func(r *http.Request) { r.Host = "site.s3.test" }}, 200, "docs/index.html", "/reports/docs/index.html"},
		{"a range of it", "", keystile.ModeRead, index, call{method: get, path: "/site", unsigned: true, header: header("Range", "bytes=0-4")}, 206, "index", "/reports/index.html"},
		{"its head", "", keystile.ModeRead, index, call{method: head, path: "/site/docs/", unsigned: true}, 200, "", "/reports/docs/index.html"},
		{"the head of the bucket", "", keystile.ModeRead, index, call{method: head, path: "/site", unsigned: true}, 200, "", "/reports/index.html"},
		{"without one, a folder is an object", "", keystile.ModeRead, "", read("/site/docs/", ""), 404, "NoSuchKey", "/reports/docs/"},
		{"without one, the bucket is a list", "", keystile.ModeRead, "", read("/site", ""), 403, "AccessDenied", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := site(t, tt.prefix, tt.mode, tt.index)
			r := g.do(key{}, tt.call)
			if r.status != tt.status || !strings.Contains(r.body, tt.body) {
				t.Errorf("got %d %s, want %d with %q", r.status, r.body, tt.status, tt.body)
			}
			g.backend.Wait()
			asked := ""
			for _, seen := range g.backend.Requests() {
				asked += seen.Path
			}
			if asked != tt.asked {
				t.Errorf("the backend was asked for %q, want %q", asked, tt.asked)
			}
		})
	}
}

func TestAnIndexIsForAnonymousReadsOnly(t *testing.T) {
	g := site(t, "", keystile.ModeRead, "index.html")
	wantStatus(t, g.do(g.mint("prod/reports:read"), call{method: get, path: "/reports/docs/"}), 404, "NoSuchKey")
	g.backend.Reset()
	wantStatus(t, g.do(g.mint("prod/uploads:read"), call{method: get, path: "/site/docs/"}), 403, "AccessDenied")
	g.backendSaw(0)
}

func TestAnonymousConditions(t *testing.T) {
	g := site(t, "docs/", keystile.ModeRead, "")
	etag := g.do(key{}, call{method: head, path: "/site/docs/a.txt", unsigned: true}).header.Get("Etag")
	if etag == "" {
		t.Fatal("the answer has no ETag")
	}
	for _, tt := range []struct {
		name   string
		header http.Header
		status int
	}{
		{"not changed", header("If-None-Match", etag), 304},
		{"changed", header("If-None-Match", `"other"`), 200},
		{"the one that is meant", header("If-Match", etag), 200},
		{"another one", header("If-Match", `"other"`), 412},
		{"the end of it", header("Range", "bytes=-3"), 206},
		{"beyond its end", header("Range", "bytes=9999-"), 416},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := g.do(key{}, call{method: get, path: "/site/docs/a.txt", unsigned: true, header: tt.header}); r.status != tt.status {
				t.Errorf("got %d %s, want %d", r.status, r.code, tt.status)
			}
		})
	}
}

func TestAnonymousTotal(t *testing.T) {
	g := newGateway(t, func(o *s3proxy.Options) { o.AnonymousRate, o.AnonymousTotal = 1000, 2 })
	open(g, keystile.ModeRead, 0)
	g.bind(keystile.Binding{Name: "second", Bucket: keystile.Bucket{Backend: "prod", Name: "reports"}, Mode: keystile.ModeRead})
	read := call{method: get, path: "/public/2026/a.txt", unsigned: true}
	wantStatus(t, g.do(key{}, read), 200, "")
	wantStatus(t, g.do(key{}, read), 200, "")
	wantStatus(t, g.do(key{}, read), http.StatusServiceUnavailable, "SlowDown")
	read.path = "/second/2026/a.txt"
	wantStatus(t, g.do(key{}, read), 200, "")
	g.backendSaw(3)
}
