package s3proxy_test

import (
	"bufio"
	"crypto/md5" //nolint:gosec // S3 defines ETags by it
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3proxy"
	"keystile/internal/s3test"
)

// across is a gateway with a key that may copy from the backend "other", which
// has an object with everything that a copy keeps.
func across(t *testing.T, change ...func(*s3proxy.Options)) (*gateway, key) {
	t.Helper()
	g := newGateway(t, change...)
	g.prove(keystile.StoresOnlyWhole, keystile.ChecksCRC32, keystile.IfNoneMatch, keystile.IfMatch)
	k := g.mint("prod/uploads:read,write", "other/reports:read,write")
	source := header("Content-Type", "text/csv", "Cache-Control", "no-cache", "X-Amz-Meta-Colour", "red",
		"X-Amz-Tagging", "a=b%20c&d=%26", "X-Amz-Checksum-Crc32", crc32Of("hello"))
	wantStatus(t, g.do(k, call{method: put, path: "/reports/a.csv", body: "hello", header: source}), 200, "")
	g.backend.Reset()
	return g, k
}

func copyOf(source string, headers ...string) call {
	c := call{method: put, path: "/uploads/copy", header: header(headers...)}
	c.header.Set("X-Amz-Copy-Source", source)
	return c
}

func TestACopyBetweenBackendsKeepsEverything(t *testing.T) {
	g, k := across(t)
	r := g.do(k, copyOf("reports/a.csv"))
	wantStatus(t, r, 200, "")
	if !strings.Contains(r.body, "<CopyObjectResult") || !strings.Contains(r.body, "<ETag>&#34;5d41402abc4b2a76b9719d911017c592&#34;</ETag>") {
		t.Errorf("answered with %s", r.body)
	}
	got := g.do(k, call{method: get, path: "/uploads/copy", header: header("X-Amz-Checksum-Mode", "ENABLED")})
	if got.body != "hello" {
		t.Errorf("the copy is %q", got.body)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/csv", "Cache-Control": "no-cache", "X-Amz-Meta-Colour": "red", "X-Amz-Checksum-Crc32": crc32Of("hello"),
	} {
		if v := got.header.Get(name); v != want {
			t.Errorf("%s of the copy is %q, not %q", name, v, want)
		}
	}
	tags := g.do(k, call{method: get, path: "/uploads/copy", query: "tagging="})
	if !strings.Contains(tags.body, "<Key>a</Key><Value>b c</Value>") || !strings.Contains(tags.body, "<Key>d</Key><Value>&amp;</Value>") {
		t.Errorf("the tags are %s", tags.body)
	}
	for _, seen := range g.backend.Requests() {
		if seen.Header.Get("X-Amz-Copy-Source") != "" || seen.Header.Get("X-Amz-Metadata-Directive") != "" {
			t.Errorf("a backend was asked to copy: %v", seen.Header)
		}
	}
	e := g.events(keystile.EventFilter{ActionPrefix: "s3.proxy.copyobject"})
	if len(e) != 1 || e[0].Result != keystile.ResultOK || e[0].Open || e[0].Detail.CopySource != "other/reports/a.csv" || e[0].Detail.Bytes != 5 {
		t.Errorf("recorded: %+v", e)
	}
}

func TestACopyBetweenBackendsReplacesWhatItIsTold(t *testing.T) {
	g, k := across(t)
	wantStatus(t, g.do(k, copyOf("reports/a.csv", "X-Amz-Metadata-Directive", "REPLACE", "X-Amz-Tagging-Directive", "REPLACE",
		"X-Amz-Meta-Size", "big", "Content-Type", "text/plain", "X-Amz-Tagging", "x=y")), 200, "")
	got := g.do(k, call{method: get, path: "/uploads/copy"})
	if got.header.Get("X-Amz-Meta-Size") != "big" || got.header.Get("X-Amz-Meta-Colour") != "" || got.header.Get("Content-Type") != "text/plain" {
		t.Errorf("the copy has %v", got.header)
	}
	if tags := g.do(k, call{method: get, path: "/uploads/copy", query: "tagging="}); strings.Count(tags.body, "<Key>") != 1 || !strings.Contains(tags.body, "<Key>x</Key>") {
		t.Errorf("the tags are %s", tags.body)
	}
	wantStatus(t, g.do(k, copyOf("reports/a.csv", "X-Amz-Meta-Size", "ignored")), 200, "")
	if got := g.do(k, call{method: head, path: "/uploads/copy"}); got.header.Get("X-Amz-Meta-Size") != "" || got.header.Get("X-Amz-Meta-Colour") != "red" {
		t.Errorf("the copy that keeps metadata has %v", got.header)
	}
}

func TestAPartIsCopiedBetweenBackends(t *testing.T) {
	g, k := across(t)
	begun := g.do(k, call{method: post, path: "/uploads/big", query: "uploads="})
	_, rest, _ := strings.Cut(begun.body, "<UploadId>")
	id, _, _ := strings.Cut(rest, "<")
	part := copyOf("reports/a.csv", "X-Amz-Copy-Source-Range", "bytes=1-3")
	part.path, part.query = "/uploads/big", "partNumber=1&uploadId="+id
	r := g.do(k, part)
	wantStatus(t, r, 200, "")
	if !strings.Contains(r.body, "<CopyPartResult") {
		t.Errorf("answered with %s", r.body)
	}
	_, rest, _ = strings.Cut(r.body, "<ETag>&#34;")
	etag, _, _ := strings.Cut(rest, "&#34;")
	complete := "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + etag + "</ETag></Part></CompleteMultipartUpload>"
	wantStatus(t, g.do(k, call{method: post, path: "/uploads/big", query: "uploadId=" + id, body: complete}), 200, "")
	if got := g.do(k, call{method: get, path: "/uploads/big"}); got.body != "ell" {
		t.Errorf("the part is %q", got.body)
	}
	for spec, code := range map[string]string{
		"bytes=3-9": "InvalidArgument", "bytes=9-12": "InvalidRange", "bytes=3-1": "InvalidArgument", "bytes=-2": "InvalidArgument",
		"bytes=1-": "InvalidArgument", "1-3": "InvalidArgument", "bytes=1-2,3-4": "InvalidArgument",
	} {
		part.header.Set("X-Amz-Copy-Source-Range", spec)
		if r := g.do(k, part); r.status < 400 || r.code != code {
			t.Errorf("%s: %d %s, want %s", spec, r.status, r.code, code)
		}
	}
}

// TestCopiesBetweenBackendsKeepToTheirPrefixes on both sides.
func TestCopiesBetweenBackendsKeepToTheirPrefixes(t *testing.T) {
	g := newGateway(t)
	g.backend.PutObject("reports", "2026/a.txt", []byte("mine"))
	g.backend.PutObject("reports", "2025/a.txt", []byte("not mine"))
	k := g.mint("prod/uploads/in/:read,write@inbox", "other/reports/2026/:read@year")
	c := call{method: put, path: "/inbox/b.txt", header: header("X-Amz-Copy-Source", "year/a.txt")}
	r := g.do(k, c)
	wantStatus(t, r, 200, "")
	if got := string(g.backend.Objects("uploads")["in/b.txt"]); got != "mine" {
		t.Errorf("the copy is %q", got)
	}
	for source, want := range map[string]int{"year/../2025/a.txt": 400, "reports/2025/a.txt": 403, "year/2025/a.txt": 404} {
		g.backend.Reset()
		c.header = header("X-Amz-Copy-Source", source)
		r := g.do(k, c)
		if r.status != want || strings.Contains(r.body, "2026") || strings.Contains(r.body, "reports/2026") {
			t.Errorf("%s: %d %s", source, r.status, r.body)
		}
		for _, seen := range g.backend.Requests() {
			if seen.Method == put || !strings.HasPrefix(seen.Path, "/reports/2026/") {
				t.Errorf("%s: the backend saw %s %s", source, seen.Method, seen.Path)
			}
		}
	}
}

const helloETag = `"5d41402abc4b2a76b9719d911017c592"`

func TestCopiesBetweenBackendsAreConditional(t *testing.T) {
	g, k := across(t)
	for _, tt := range []struct {
		name, header, value string
		status              int
		code                string
	}{
		{"the ETag", "X-Amz-Copy-Source-If-Match", helloETag, 200, ""},
		{"another ETag", "X-Amz-Copy-Source-If-Match", `"00"`, 412, "PreconditionFailed"},
		{"unless it is this ETag", "X-Amz-Copy-Source-If-None-Match", helloETag, 412, "PreconditionFailed"},
		{"unless it is another ETag", "X-Amz-Copy-Source-If-None-Match", `"00"`, 200, ""},
		{"an unknown directive", "X-Amz-Metadata-Directive", "MERGE", 400, "InvalidArgument"},
		{"an unknown tagging directive", "X-Amz-Tagging-Directive", "MERGE", 400, "InvalidArgument"},
		{"no object there yet", "If-None-Match", "*", 412, "PreconditionFailed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g.backend.Reset()
			if tt.header == "If-None-Match" {
				g.backend.PutObject("uploads", "copy", []byte("there"))
			}
			wantStatus(t, g.do(k, copyOf("reports/a.csv", tt.header, tt.value)), tt.status, tt.code)
			for _, seen := range g.backend.Requests() {
				if seen.Method == put && tt.status != 200 && tt.header != "If-None-Match" {
					t.Errorf("it was written: %v", seen)
				}
			}
		})
	}
	wantStatus(t, g.do(k, copyOf("reports/nosuch")), 404, "NoSuchKey")
	wantStatus(t, g.do(k, copyOf("reports/a.csv?versionId=v9")), 404, "NoSuchVersion")
}

// TestCustomerKeysOfACopyGoToTheirSides: each backend gets its own object's key.
func TestCustomerKeysOfACopyGoToTheirSides(t *testing.T) {
	g, k := across(t)
	wantStatus(t, g.do(k, copyOf("reports/a.csv", "X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key", "source-key",
		"X-Amz-Server-Side-Encryption-Customer-Key", "target-key")), 200, "")
	for _, seen := range g.backend.Requests() {
		want := map[string]string{get: "source-key", put: "target-key"}[seen.Method]
		if strings.Contains(seen.Query, "tagging") {
			want = ""
		}
		if got := seen.Header.Get("X-Amz-Server-Side-Encryption-Customer-Key"); got != want {
			t.Errorf("%s %s has the key %q", seen.Method, seen.Path, got)
		}
	}
	g.nowhere("source-key")
	g.nowhere("target-key")
}

func TestABrokenSourceLeavesNoCopy(t *testing.T) {
	big := make([]byte, 3<<20)
	read := func(r *http.Request) bool { return r.Method == get && r.URL.RawQuery == "" }
	for _, tt := range []struct {
		name   string
		fault  s3test.Fault
		before func(*gateway)
		status int
		code   string
	}{
		{"a source that is cut", s3test.CutAnswerAfter(2 << 20).When(read), nil, 503, "ServiceUnavailable"},
		{"a source that hangs up", s3test.HangUpAfter(0).When(read), nil, 503, "ServiceUnavailable"},
		{"a source that refuses the admin's key", s3test.Answer(403, "<Error><Code>InvalidAccessKeyId</Code></Error>").When(read), nil, 503, "ServiceUnavailable"},
		{"a source that redirects", s3test.Answer(301, "").When(read), nil, 502, "InternalError"},
		{"a source whose checksum is wrong", s3test.Delay(0), func(g *gateway) {
			g.backend.SetHeader("reports", "big", header("X-Amz-Checksum-Crc32", crc32Of("other")))
		}, 502, "InternalError"},
		{"a source whose checksum is none", s3test.Delay(0), func(g *gateway) {
			g.backend.SetHeader("reports", "big", header("X-Amz-Checksum-Crc32", "?"))
		}, 502, "InternalError"},
		{"tags that are none", s3test.Answer(200, "<Tagging").When(func(r *http.Request) bool { return r.URL.RawQuery == "tagging=" }), nil, 502, "InternalError"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, k := across(t)
			g.backend.PutObject("reports", "big", big)
			if tt.before != nil {
				tt.before(g)
			}
			g.backend.Inject(tt.fault)
			r := g.do(k, copyOf("reports/big"))
			wantStatus(t, r, tt.status, tt.code)
			g.backend.Wait()
			if _, there := g.backend.Objects("uploads")["copy"]; there {
				t.Error("a copy was stored")
			}
			e := g.events(keystile.EventFilter{ActionPrefix: "s3.proxy.copyobject"})
			if len(e) != 1 || e[0].Open || e[0].Result != keystile.ResultError {
				t.Errorf("recorded: %+v", e)
			}
		})
	}
}

func TestRevocationCutsACopyBetweenBackends(t *testing.T) {
	g, k := across(t)
	g.backend.PutObject("reports", "big", make([]byte, 1<<20))
	g.backend.Inject(s3test.Delay(20 * time.Second).When(func(r *http.Request) bool { return r.Method == get && strings.HasSuffix(r.URL.Path, "big") }))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if res, err := (&http.Transport{}).RoundTrip(g.request(k, copyOf("reports/big"))); err == nil {
			_ = res.Body.Close()
		}
	}()
	g.until("the source is asked", func() bool { return g.backend.Count() == 1 })
	g.change(k, func(c *keystile.Credential) { c.RevokedAt = time.Now() })
	<-done
	g.backend.Wait()
	if _, there := g.backend.Objects("uploads")["copy"]; there {
		t.Error("a copy was stored")
	}
	g.backendSaw(1)
}

// TestALongCopyKeepsItsClientWaiting: a 200 and white space, then the document;
// what went wrong after that stands in it, and is a failure.
func TestALongCopyKeepsItsClientWaiting(t *testing.T) {
	written := func(r *http.Request) bool { return r.Method != get }
	slow := s3test.Delay(900 * time.Millisecond).When(written)
	failing := s3test.Answer(200, "   \n<?xml version=\"1.0\"?>\n<Error><Code>SlowDown</Code><Message>later</Message></Error>").When(written)
	for _, tt := range []struct {
		name   string
		call   call
		fault  s3test.Fault
		waits  bool
		want   string
		result keystile.Result
		status int
	}{
		{"between backends", copyOf("reports/a.csv"), slow, true, "<CopyObjectResult", keystile.ResultOK, 200},
		{"within a backend", copyOf("uploads/a.csv"), slow, true, "<CopyObjectResult", keystile.ResultOK, 200},
		{"an error between backends", copyOf("reports/a.csv"), failing, false, "<Error><Code>SlowDown</Code>", keystile.ResultError, 500},
		{"an error within a backend", copyOf("uploads/nosuch"), slow, true, "<Error><Code>NoSuchKey</Code>", keystile.ResultError, 404},
		{"an answer that is lost", copyOf("uploads/a.csv"), s3test.HangUpAfter(0).When(written), false, "<Error><Code>ServiceUnavailable</Code>", keystile.ResultUnknown, 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, k := across(t, func(o *s3proxy.Options) { o.KeepAlive = 50 * time.Millisecond })
			g.backend.PutObject("uploads", "a.csv", []byte("hello"))
			g.backend.Inject(tt.fault)
			answer := g.rawAnswer(k, tt.call)
			head, body, _ := strings.Cut(answer, "\r\n\r\n")
			if tt.waits && (!strings.HasPrefix(head, "HTTP/1.1 200 ") || !strings.Contains(body, "?>\n   ")) {
				t.Errorf("the client was not kept waiting: %s", answer)
			}
			if !strings.Contains(body, tt.want) || strings.Count(body, "<?xml") != 1 || strings.HasPrefix(body, " ") {
				t.Errorf("answered with %s", answer)
			}
			e := g.events(keystile.EventFilter{ActionPrefix: "s3.proxy.copyobject"})
			if len(e) != 1 || e[0].Open || e[0].Result != tt.result || e[0].Status != tt.status {
				t.Errorf("recorded: %+v", e)
			}
		})
	}
}

// rawAnswer is an answer over a connection of its own, its chunks undone.
func (g *gateway) rawAnswer(k key, c call) string {
	g.t.Helper()
	signed := c.header.Clone()
	g.sign(k, c, signed)
	conn, err := net.Dial("tcp", g.addr)
	must(g.t, err)
	defer conn.Close()
	must(g.t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\n%s\r\n", c.method, c.path, g.addr, lines(signed))
	must(g.t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(g.t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	must(g.t, err)
	return fmt.Sprintf("%s %s\r\n\r\n%s", res.Proto, res.Status, data)
}

// TestPartsOfKeysWithEscapes: the source of a part is read by its one name, also
// where a backend that decodes it twice would copy another object, and never by a
// copy that the backend makes.
func TestPartsOfKeysWithEscapes(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:read,write", "prod/reports/a%2F/:read", "prod/reports/hidden%2F/:read@team-a")
	for _, key := range []string{"a%2F/x", "a%2F/x%20y", "a%2F/100%", "a%2F/b?versionId=1", "a%2F/+", "hidden%2F/x"} {
		g.backend.PutObject("reports", key, []byte("this: "+key))
	}
	for _, outside := range []string{"a//x", "a%2F/x y", "a%2F/b", "hidden//x"} {
		g.backend.PutObject("reports", outside, []byte("another"))
	}
	_, id, _ := strings.Cut(g.do(k, call{method: post, path: "/uploads/big", query: "uploads="}).body, "<UploadId>")
	id, _, _ = strings.Cut(id, "<")
	for _, tt := range []struct{ source, read string }{
		{"reports/a%252F/x", "a%2F/x"},
		{"reports%2Fa%252F%2Fx", "a%2F/x"},
		{"reports/a%252F/x%2520y", "a%2F/x%20y"},
		{"reports/a%252F/100%25", "a%2F/100%"},
		{"reports/a%252F/b%3FversionId%3D1", "a%2F/b?versionId=1"},
		{"reports/a%252F/x?versionId=null", "a%2F/x"},
		{"reports/a%252F/%2B", "a%2F/+"},
		{"team-a/x", "hidden%2F/x"},
	} {
		g.backend.Reset()
		c := call{method: put, path: "/uploads/big", query: "partNumber=1&uploadId=" + id, header: header("X-Amz-Copy-Source", tt.source)}
		r := g.do(k, c)
		wantStatus(t, r, 200, "")
		sum := md5.Sum([]byte("this: " + tt.read)) //nolint:gosec // S3's ETag
		if !strings.Contains(r.body, "<CopyPartResult") || !strings.Contains(r.body, hex.EncodeToString(sum[:])) {
			t.Errorf("%s: copied as %s", tt.source, r.body)
		}
		for _, seen := range g.backend.Requests() {
			if seen.Header.Get("X-Amz-Copy-Source") != "" {
				t.Errorf("%s: the backend is to copy %s", tt.source, seen.Header.Get("X-Amz-Copy-Source"))
			}
		}
	}
	for _, source := range []string{"reports/a%2F/x", "reports/a%25252F/x", "reports/a/x", "reports/hidden%252Fx", "team-b/x"} {
		g.backend.Reset()
		c := call{method: put, path: "/uploads/big", query: "partNumber=1&uploadId=" + id, header: header("X-Amz-Copy-Source", source)}
		wantStatus(t, g.do(k, c), 403, "AccessDenied")
		g.backendSaw(0)
	}
}
