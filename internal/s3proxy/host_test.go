package s3proxy_test

import (
	"bufio"
	"cmp"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
)

// hostPairs are about buckets that the host names.
var hostPairs = []pair{
	{
		"another bucket by its host is refused",
		[]string{"prod/uploads:read"},
		call{method: get, host: "uploads.s3.test", path: "/a.txt"},
		call{method: get, host: "payroll.s3.test", path: "/a.txt"}, 403, "AccessDenied",
	},
	{
		"the real name behind an alias is refused as a host",
		[]string{"prod/uploads:read@inbox"},
		call{method: get, host: "inbox.s3.test:80", path: "/a.txt"},
		call{method: get, host: "uploads.s3.test:80", path: "/a.txt"}, 403, "AccessDenied",
	},
	{
		"a path that names a bucket is a key under a bucket's host",
		[]string{"prod/reports/2026/:read", "prod/uploads:read"},
		call{method: get, host: "reports.s3.test", path: "/2026/a.txt"},
		call{method: get, host: "reports.s3.test", path: "/uploads/a.txt"}, 403, "AccessDenied",
	},
	{
		"a host outside the prefix is refused",
		[]string{"prod/reports/2026/:read"},
		call{method: get, host: "reports.s3.test", path: "/2026/a.txt"},
		call{method: get, host: "reports.s3.test", path: "/20260/a.txt"}, 403, "AccessDenied",
	},
	{
		"dots do not leave a bucket's host",
		[]string{"prod/uploads:read"},
		call{method: get, host: "uploads.s3.test", path: "/a.txt"},
		call{method: get, host: "uploads.s3.test", path: "/%2E%2E/payroll/a.txt"}, 400, "InvalidArgument",
	},
	{
		"dots do not leave a prefix that is a bucket by its host",
		[]string{"prod/reports/2026/:read@team-a"},
		call{method: get, host: "team-a.s3.test", path: "/a.txt"},
		call{method: get, host: "team-a.s3.test", path: "/..%2F2025%2Fa.txt"}, 400, "InvalidArgument",
	},
	{
		"a reserved name is never a host",
		[]string{"prod/uploads:read"},
		call{method: get, host: "uploads.s3.test", path: "/a.txt"},
		call{method: get, host: "admin.s3.test", path: "/user", query: "uid=x"}, 400, "InvalidBucketName",
	},
	{
		"a host without a name is refused",
		[]string{"prod/uploads:read"},
		call{method: get, host: "uploads.s3.test", path: "/a.txt"},
		call{method: get, host: ".s3.test", path: "/uploads/a.txt"}, 400, "InvalidBucketName",
	},
	{
		"a host that ends alike names no bucket",
		[]string{"prod/uploads:read,list"},
		call{method: get, host: "uploads.s3.test", path: "/a.txt"},
		call{method: get, host: "uploads.s3.test.evil", path: "/payroll/a.txt"}, 403, "AccessDenied",
	},
	{
		"a changed host is refused",
		[]string{"prod/uploads:read", "prod/payroll:read"},
		call{method: get, host: "uploads.s3.test", path: "/a.txt"},
		call{
			method: get, host: "uploads.s3.test", path: "/a.txt",
			tamper: func(r *http.Request) { r.Host = "payroll.s3.test" },
		}, 403, "SignatureDoesNotMatch",
	},
	{
		"a copy source is never named by the host",
		[]string{"prod/uploads:read,write"},
		call{method: put, host: "uploads.s3.test", path: "/copy", header: header("X-Amz-Copy-Source", "uploads/a.txt")},
		call{method: put, host: "uploads.s3.test", path: "/copy", header: header("X-Amz-Copy-Source", "/a.txt")}, 400, "InvalidArgument",
	},
	{
		"a multi-delete by another bucket's host is refused",
		[]string{"prod/uploads:delete"},
		call{method: post, host: "uploads.s3.test", path: "/", query: "delete="}.post(deleteTwo),
		call{method: post, host: "payroll.s3.test", path: "/", query: "delete="}.post(deleteTwo), 403, "AccessDenied",
	},
	{
		"making a bucket by its host is refused",
		[]string{"prod/uploads:read,list,write,delete"},
		call{method: head, host: "uploads.s3.test", path: "/"},
		call{method: put, host: "uploads.s3.test", path: "/"}, 409, "BucketAlreadyOwnedByYou",
	},
}

// TestAHostAnswersAsAPath: which of the two names the bucket, answers are the
// same.
func TestAHostAnswersAsAPath(t *testing.T) {
	byPath := newGateway(t)
	byHost := newGateway(t)
	for _, g := range []*gateway{byPath, byHost} {
		g.backend.CreateBucket("team-a")
	}
	path := &player{g: byPath, k: byPath.mint("prod/team-a:read,list,write,delete,acl"), values: map[string]string{}}
	host := &player{g: byHost, k: byHost.mint("prod/team-a:read,list,write,delete,acl"), values: map[string]string{}}
	for i, s := range script() {
		if strings.Contains(s.call.query+s.call.body, "{") {
			continue // it needs what an earlier answer told
		}
		want := path.play(s).plain()
		name, key, named := strings.Cut(s.call.path[1:], "/")
		if name != "" {
			s.call.host, s.call.path = name+".s3.test", "/"+key
		}
		got := host.play(s).plain()
		if named {
			want = strings.Replace(want, "<Resource>/team-a/", "<Resource>/", 1)
		} else {
			want = strings.Replace(want, "<Resource>/team-a<", "<Resource>/<", 1)
		}
		if lengthless(got) != lengthless(want) {
			t.Errorf("%d: %s %s?%s\nby host\n%s\nby path\n%s", i, s.op, s.call.path, s.call.query, got, want)
		}
	}
}

// lengthless leaves out the length, where the resource's differs.
func lengthless(answer string) string {
	if !strings.Contains(answer, "<Resource>") {
		return answer
	}
	var kept []string
	for line := range strings.SplitSeq(answer, "\n") {
		if !strings.HasPrefix(line, "Content-Length: ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// TestLocationsAreWhereTheClientAsked: the URL of what was made is by host where
// the request was, and by path where that was; with an alias, never by the real
// name.
func TestLocationsAreWhereTheClientAsked(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:write@inbox")
	for _, tt := range []struct{ name, host, path, want string }{
		{"by path", "", "/inbox", "http://gateway.test/inbox/a%20b"},
		{"by a suffix itself", "s3.test", "/inbox", "http://gateway.test/inbox/a%20b"},
		{"by host", "inbox.s3.test", "", "http://inbox.s3.test/a%20b"},
		{"by host and port", "inbox.s3.test:8443", "", "http://inbox.s3.test:8443/a%20b"},
	} {
		path := tt.path + "/a%20b"
		_, id, _ := strings.Cut(g.do(k, call{method: post, host: tt.host, path: path, query: "uploads="}).body, "<UploadId>")
		id, _, _ = strings.Cut(id, "<")
		part := g.do(k, call{method: put, host: tt.host, path: path, query: "partNumber=1&uploadId=" + id, body: "x"})
		named := "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + part.header.Get("Etag") + "</ETag></Part></CompleteMultipartUpload>"
		r := g.do(k, call{method: post, host: tt.host, path: path, query: "uploadId=" + id, body: named})
		wantStatus(t, r, 200, "")
		if !strings.Contains(r.body, "<Location>"+tt.want+"</Location>") || strings.Contains(r.body, "uploads") {
			t.Errorf("%s: completed as %s", tt.name, r.body)
		}
		f := inUploads("a b")
		f.bucket = "inbox"
		c := f.call(k, g.clock())
		c.host, c.path = tt.host, cmp.Or(tt.path, "/")
		if r := g.do(k, c); r.status != 204 || r.header.Get("Location") != tt.want {
			t.Errorf("%s: a form is answered %d with %q", tt.name, r.status, r.header.Get("Location"))
		}
	}
}

// TestNewBucketsAreWhereTheClientAsked is the same for a bucket.
func TestNewBucketsAreWhereTheClientAsked(t *testing.T) {
	g := newGateway(t, func(o *s3proxy.Options) { o.RGW = &ownBuckets{} })
	u := g.rgwUser("u1", keystile.StatusActive)
	for host, want := range map[string]string{"": "/fresh", "fresh.s3.test": "http://fresh.s3.test/"} {
		c := call{method: put, host: host, path: "/fresh"}
		if host != "" {
			c.path = "/"
		}
		if r := g.do(u, c); r.status != 200 || r.header.Get("Location") != want {
			t.Errorf("by host %q: %d, made at %q", host, r.status, r.header.Get("Location"))
		}
	}
}

func TestTheHealthPathIsAKeyOfABucketsHost(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("uploads", "-/healthz", []byte("mine"))
	k := g.mint("prod/uploads:read")
	if r := g.do(k, call{method: get, host: "uploads.s3.test", path: "/-/healthz"}); r.status != 200 || r.body != "mine" {
		t.Errorf("by a bucket's host: %d %s", r.status, r.body)
	}
	g.backend.Reset()
	for _, host := range []string{"", "s3.test", "s3.test:80", "elsewhere.test"} {
		if r := g.do(key{}, call{method: get, host: host, path: "/-/healthz", unsigned: true}); r.status != 200 || r.body != "ok\n" {
			t.Errorf("by host %q: %d %s", host, r.status, r.body)
		}
	}
	wantStatus(t, g.do(key{}, call{method: get, host: "uploads.s3.test", path: "/-/healthz", unsigned: true}), 403, "AccessDenied")
	g.backendSaw(0)
}

func TestABindingIsReadByItsHost(t *testing.T) {
	g := newGateway(t)
	open(g, keystile.ModeRead, 0)
	if r := g.do(key{}, call{method: get, host: "public.s3.test", path: "/2026/a.txt", unsigned: true}); r.status != 200 || r.body != "public" {
		t.Errorf("%d %s", r.status, r.body)
	}
	g.backend.Reset()
	wantStatus(t, g.do(key{}, call{method: get, host: "reports.s3.test", path: "/2026/a.txt", unsigned: true}), 403, "AccessDenied")
	g.backendSaw(0)
}

// TestAbsoluteTargets: a proxy's way of asking. What was signed is the path as it
// stands in the target, and the Host, which must be the target's.
func TestAbsoluteTargets(t *testing.T) {
	for _, tt := range []struct {
		name, target, host string // as they are sent
		path, query        string // as they are signed
		status             int
	}{
		{"a bucket by host", "http://uploads.s3.test/a.txt", "uploads.s3.test", "/a.txt", "", 200},
		{"with a port", "http://uploads.s3.test:8090/a.txt", "uploads.s3.test:8090", "/a.txt", "", 200},
		{"with escapes", "http://uploads.s3.test/b%2Bc%20%22d%22", "uploads.s3.test", "/b%2Bc%20%22d%22", "", 200},
		{"with a query", "http://uploads.s3.test/?list-type=2", "uploads.s3.test", "/", "list-type=2", 200},
		{"without a path", "http://uploads.s3.test?list-type=2", "uploads.s3.test", "/", "list-type=2", 200},
		{"a bucket by path", "http://s3.test/uploads/a.txt", "s3.test", "/uploads/a.txt", "", 200},
		{"https behind a proxy", "https://s3.test/uploads/a.txt", "s3.test", "/uploads/a.txt", "", 200},
		{"another Host", "http://uploads.s3.test/a.txt", "payroll.s3.test", "/a.txt", "", 400},
		{"another port", "http://uploads.s3.test:1/a.txt", "uploads.s3.test", "/a.txt", "", 400},
		{"a Host in another case", "http://Uploads.s3.test/a.txt", "uploads.s3.test", "/a.txt", "", 400},
		{"a user in the target", "http://payroll.s3.test@uploads.s3.test/a.txt", "uploads.s3.test", "/a.txt", "", 400},
		{"another path than was signed", "http://uploads.s3.test/b.txt", "uploads.s3.test", "/a.txt", "", 403},
		{"another scheme", "ftp://uploads.s3.test/a.txt", "uploads.s3.test", "/a.txt", "", 400},
		{"an authority alone", "uploads.s3.test:80", "uploads.s3.test:80", "/", "", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			g.backend.PutObject("uploads", "a.txt", []byte("hello"))
			g.backend.PutObject("uploads", `b+c "d"`, []byte("hello"))
			k := g.mint("prod/uploads:read,list", "prod/payroll:read")
			signed := http.Header{}
			g.sign(k, call{method: get, host: tt.host, path: tt.path, query: tt.query}, signed)
			conn, err := net.Dial("tcp", g.addr)
			must(t, err)
			defer conn.Close()
			must(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
			send(t, conn, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", tt.target, tt.host, lines(signed))
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			must(t, err)
			body, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if res.StatusCode != tt.status {
				t.Errorf("%d %s", res.StatusCode, body)
			}
			if tt.status != 200 {
				g.backendSaw(0)
			}
		})
	}
}
