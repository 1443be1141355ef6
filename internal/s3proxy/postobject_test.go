package s3proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
)

// postPair is a form that is let through and the nearest one that is refused.
type postPair struct {
	name               string
	allowed, forbidden form
	status             int
	code               string
}

var policyPairs = []postPair{
	{
		"an exact match in an object",
		inUploads("a", "x-amz-meta-colour", "red").given(`{"x-amz-meta-colour":"red"}`),
		inUploads("a", "x-amz-meta-colour", "blue").given(`{"x-amz-meta-colour":"red"}`), 403, "AccessDenied",
	},
	{
		"an exact match as eq",
		inUploads("a", "x-amz-meta-colour", "red").given(`["eq","$x-amz-meta-colour","red"]`),
		inUploads("a", "x-amz-meta-colour", "reddish").given(`["eq","$x-amz-meta-colour","red"]`), 403, "AccessDenied",
	},
	{
		"a prefix of the key",
		inUploads("user/eric/a").given(`["starts-with","$key","user/eric/"]`),
		inUploads("user/erica/a").given(`["starts-with","$key","user/eric/"]`), 403, "AccessDenied",
	},
	{
		"an exact key",
		inUploads("a").given(`["eq","$key","a"]`),
		inUploads("b").given(`["eq","$key","a"]`), 403, "AccessDenied",
	},
	{
		"the bucket",
		inUploads("a").given(`["eq","$bucket","uploads"]`),
		inUploads("a").given(`["eq","$bucket","reports"]`), 403, "AccessDenied",
	},
	{
		"a list of types in which one is not allowed",
		inUploads("a", "Content-Type", "image/png,image/jpeg").given(`["starts-with","$Content-Type","image/"]`),
		inUploads("a", "Content-Type", "image/png,text/html").given(`["starts-with","$Content-Type","image/"]`), 403, "AccessDenied",
	},
	{
		"a condition on a field that is not there",
		inUploads("a", "Content-Type", "text/plain").given(`["starts-with","$Content-Type",""]`),
		inUploads("a").given(`["starts-with","$Content-Type",""]`), 403, "AccessDenied",
	},
	{
		"a field without a condition",
		inUploads("a", "x-ignore-utm", "1"),
		inUploads("a", "x-amz-meta-utm", "1"), 403, "AccessDenied",
	},
	{
		"an unknown field without a condition",
		inUploads("a", "name", "x").given(`["starts-with","$name",""]`),
		inUploads("a", "name", "x"), 403, "AccessDenied",
	},
	{
		"a policy without a condition on the bucket",
		inUploads("a"),
		inUploads("a").with(func(f *form) {
			f.policy = `{"expiration":"2999-01-01T00:00:00Z","conditions":[["starts-with","$key",""],["starts-with","$x-amz-algorithm",""],` +
				`["starts-with","$x-amz-credential",""],["starts-with","$x-amz-date",""]]}`
		}), 403, "AccessDenied",
	},
	{
		"of two conditions on a field both must hold",
		inUploads("ab").given(`["starts-with","$key","a"]`, `["eq","$key","ab"]`),
		inUploads("ab").given(`["starts-with","$key","a"]`, `["eq","$key","ac"]`), 403, "AccessDenied",
	},
	{
		"a file as large as the range, and one byte more",
		inUploads("a").given(`["content-length-range",0,5]`),
		inUploads("a").given(`["content-length-range",0,4]`), 400, "EntityTooLarge",
	},
	{
		"a file as small as the range, and one byte less",
		inUploads("a").given(`["content-length-range",5,10]`),
		inUploads("a").given(`["content-length-range",6,10]`), 400, "EntityTooSmall",
	},
	{
		"of two ranges both must hold",
		inUploads("a").given(`["content-length-range",0,5]`, `["content-length-range",5,10]`),
		inUploads("a").given(`["content-length-range",0,10]`, `["content-length-range",0,4]`), 400, "EntityTooLarge",
	},
	{
		"a large file beyond the range",
		inUploads("a").given(`["content-length-range",0,200000]`).with(func(f *form) { f.file = strings.Repeat("x", 200_000) }),
		inUploads("a").given(`["content-length-range",0,200000]`).with(func(f *form) { f.file = strings.Repeat("x", 200_001) }),
		400, "EntityTooLarge",
	},
	{
		"the variable is replaced before the conditions are looked at",
		inUploads("in/${filename}").given(`["eq","$key","in/photo.jpg"]`),
		inUploads("in/${filename}").given(`["eq","$key","in/${filename}"]`), 403, "AccessDenied",
	},
	{
		"a file name does not lead out of the prefix",
		inUploads("in/${filename}").with(func(f *form) { f.filename = `C:\photos\photo.jpg` }),
		inUploads("in/${filename}").with(func(f *form) { f.filename = ".." }), 400, "InvalidArgument",
	},
	{
		"an expired policy",
		inUploads("a").with(func(f *form) { f.expires = time.Minute }),
		inUploads("a").with(func(f *form) { f.expires = -time.Minute }), 403, "AccessDenied",
	},
	{
		"an ACL other than private",
		inUploads("a", "acl", "private").given(`["starts-with","$acl",""]`),
		inUploads("a", "acl", "public-read").given(`["starts-with","$acl",""]`), 403, "AccessDenied",
	},
	{
		"an x-amz- field that is not listed",
		inUploads("a", "x-amz-storage-class", "STANDARD").given(`["starts-with","$x-amz-storage-class",""]`),
		inUploads("a", "x-amz-copy-source", "/payroll/a.txt").given(`["starts-with","$x-amz-copy-source",""]`), 501, "NotImplemented",
	},
	{
		"a grant as a field",
		inUploads("a"),
		inUploads("a", "x-amz-grant-read", "uri=all").given(`["starts-with","$x-amz-grant-read",""]`), 501, "NotImplemented",
	},
	{
		"the bypass of retention as a field",
		inUploads("a"),
		inUploads("a", "x-amz-bypass-governance-retention", "true").given(`["starts-with","$x-amz-bypass-governance-retention",""]`),
		501, "NotImplemented",
	},
	{
		"a line break in a field that becomes a header",
		inUploads("a", "Content-Type", "text/plain").given(`["starts-with","$Content-Type",""]`),
		inUploads("a", "Content-Type", "text/plain\r\nX-Amz-Acl: public-read").given(`["starts-with","$Content-Type",""]`),
		400, "InvalidArgument",
	},
	{
		"a wrong checksum",
		inUploads("a", "x-amz-checksum-crc32", crc32Of("hello")).given(`["starts-with","$x-amz-checksum-crc32",""]`),
		inUploads("a", "x-amz-checksum-crc32", crc32Of("jello")).given(`["starts-with","$x-amz-checksum-crc32",""]`), 400, "BadDigest",
	},
	{
		"a checksum of another algorithm than the form says",
		inUploads("a", "x-amz-checksum-algorithm", "CRC32", "x-amz-checksum-crc32", crc32Of("hello")).
			given(`["starts-with","$x-amz-checksum-crc32",""]`, `["starts-with","$x-amz-checksum-algorithm",""]`),
		inUploads("a", "x-amz-checksum-algorithm", "SHA1", "x-amz-checksum-crc32", crc32Of("hello")).
			given(`["starts-with","$x-amz-checksum-crc32",""]`, `["starts-with","$x-amz-checksum-algorithm",""]`), 400, "InvalidRequest",
	},
	{
		"a wrong Content-MD5",
		inUploads("a", "Content-MD5", md5Of("hello")).given(`["starts-with","$Content-MD5",""]`),
		inUploads("a", "Content-MD5", md5Of("jello")).given(`["starts-with","$Content-MD5",""]`), 400, "BadDigest",
	},
	{
		"a tag twice",
		inUploads("a", "tagging", `<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>`).
			given(`["starts-with","$tagging",""]`),
		inUploads("a", "tagging", `<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag><Tag><Key>a</Key><Value>c</Value></Tag></TagSet></Tagging>`).
			given(`["starts-with","$tagging",""]`), 400, "InvalidTag",
	},
	{
		"another bucket in a field",
		inUploads("a", "bucket", "uploads"),
		inUploads("a", "bucket", "payroll"), 400, "InvalidArgument",
	},
}

func policyText(text string) func(*form) { return func(f *form) { f.policy = text } }

var formPairs = []postPair{
	{
		"another bucket", inUploads("a"),
		inUploads("a").with(func(f *form) { f.bucket = "payroll" }), 403, "AccessDenied",
	},
	{
		"a key outside the prefix",
		inUploads("2026/a").with(func(f *form) { f.bucket = "reports" }),
		inUploads("20260/a").with(func(f *form) { f.bucket = "reports" }), 403, "AccessDenied",
	},
	{
		"a key that leaves the prefix by dots",
		inUploads("2026/a").with(func(f *form) { f.bucket = "reports" }),
		inUploads("2026/../2025/a").with(func(f *form) { f.bucket = "reports" }), 400, "InvalidArgument",
	},
	{
		"a key that is too long", inUploads(strings.Repeat("k", 1024)), inUploads(strings.Repeat("k", 1025)), 400, "KeyTooLongError",
	},
	{"no key", inUploads("a"), inUploads("a").with(func(f *form) { f.drop = "key" }), 400, "InvalidArgument"},
	{"an empty key", inUploads("a"), inUploads(""), 400, "InvalidArgument"},
	{"a field twice", inUploads("a"), inUploads("a", "KEY", "b"), 400, "InvalidArgument"},
	{"a NUL in a field", inUploads("a"), inUploads("a\x00b"), 400, "InvalidArgument"},
	{"a field that is not UTF-8", inUploads("a"), inUploads("a\xff"), 400, "InvalidArgument"},
	{
		"a tampered policy", inUploads("a"),
		inUploads("a").with(func(f *form) { f.set = &field{name: "policy", value: "e30="} }), 403, "SignatureDoesNotMatch",
	},
	{
		"a tampered signature", inUploads("a"),
		inUploads("a").with(func(f *form) { f.set = &field{name: "x-amz-signature", value: strings.Repeat("0", 64)} }), 403, "SignatureDoesNotMatch",
	},
	{
		"another key's secret", inUploads("a"),
		inUploads("a").with(func(f *form) { f.secret = keystile.NewSecret("another") }), 403, "SignatureDoesNotMatch",
	},
	{
		"an unknown key", inUploads("a"),
		inUploads("a").with(func(f *form) {
			day := time.Now().UTC().Format("20060102")
			f.set = &field{name: "x-amz-credential", value: "AKIAUNKNOWNUNKNOWN00/" + day + "/eu-test-1/s3/aws4_request"}
		}), 401, "InvalidAccessKeyId",
	},
	{
		"another region", inUploads("a").with(func(f *form) { f.region = "us-east-1" }),
		inUploads("a").with(func(f *form) { f.region = "mars-west-1" }), 400, "AuthorizationHeaderMalformed",
	},
	{
		"another service", inUploads("a"),
		inUploads("a").with(func(f *form) { f.service = "sts" }), 400, "AuthorizationHeaderMalformed",
	},
	{
		"the date of another day", inUploads("a"),
		inUploads("a").with(func(f *form) { f.set = &field{name: "x-amz-date", value: "20200101T000000Z"} }), 400, "AuthorizationHeaderMalformed",
	},
	{
		"a date to come", inUploads("a").with(func(f *form) { f.date = time.Now().Add(-time.Hour) }),
		inUploads("a").with(func(f *form) { f.date = time.Now().Add(time.Hour) }), 403, "RequestTimeTooSkewed",
	},
	{
		"a malformed date", inUploads("a"),
		inUploads("a").with(func(f *form) { f.set = &field{name: "x-amz-date", value: "2026-11-25"} }), 400, "InvalidArgument",
	},
	{
		"a malformed credential", inUploads("a"),
		inUploads("a").with(func(f *form) { f.set = &field{name: "x-amz-credential", value: "AKIA/20261125"} }), 400, "InvalidArgument",
	},
	{
		"SigV4A", inUploads("a"),
		inUploads("a").with(func(f *form) { f.algorithm = "AWS4-ECDSA-P256-SHA256" }), 400, "InvalidRequest",
	},
	{
		"the old signature", inUploads("a"),
		inUploads("a", "AWSAccessKeyId", "AKIA", "signature", "c2ln").with(func(f *form) { f.drop = "x-amz-signature" }), 400, "InvalidRequest",
	},
	{"no signature", inUploads("a"), inUploads("a").with(func(f *form) { f.drop = "x-amz-signature" }), 400, "InvalidArgument"},
	{"no policy", inUploads("a"), inUploads("a").with(func(f *form) { f.drop = "policy" }), 400, "InvalidArgument"},
	{
		"a session token", inUploads("a"),
		inUploads("a", "x-amz-security-token", "t").given(`["starts-with","$x-amz-security-token",""]`), 400, "InvalidToken",
	},
	{
		"a signature in the headers too", inUploads("a"),
		inUploads("a").with(func(f *form) { f.header = header("Authorization", "AWS AKIA:c2ln") }), 400, "InvalidRequest",
	},
	{
		"a signature in the query too", inUploads("a"),
		inUploads("a").with(func(f *form) { f.query = "X-Amz-Signature=00" }), 400, "AuthorizationQueryParametersError",
	},
	{
		"an x-amz- header", inUploads("a").with(func(f *form) { f.header = header("Range", "bytes=0-1", "If-Match", "*") }),
		inUploads("a").with(func(f *form) { f.header = header("X-Amz-Acl", "public-read") }), 501, "NotImplemented",
	},
	{
		"a query parameter", inUploads("a"),
		inUploads("a").with(func(f *form) { f.query = "keys=" }), 501, "NotImplemented",
	},
	{"a policy that is not JSON", inUploads("a"), inUploads("a").with(policyText("no")), 400, "InvalidPolicyDocument"},
	{"a policy without conditions", inUploads("a"), inUploads("a").with(policyText(`{"expiration":"2999-01-01T00:00:00Z"}`)), 400, "InvalidPolicyDocument"},
	{
		"another type of body", inUploads("a"),
		inUploads("a").with(func(f *form) { f.header = header("Content-Type", "application/x-www-form-urlencoded") }), 412, "PreconditionFailed",
	},
	{
		"another boundary", inUploads("a").with(func(f *form) {
			f.header = header("Content-Type", `multipart/form-data; charset=utf-8; boundary="`+boundary+`"`)
		}),
		inUploads("a").with(func(f *form) { f.header = header("Content-Type", "multipart/form-data; boundary=other") }), 400, "MalformedPOSTRequest",
	},
	{
		"no boundary", inUploads("a"),
		inUploads("a").with(func(f *form) { f.header = header("Content-Type", "multipart/form-data") }), 400, "MalformedPOSTRequest",
	},
	{
		"fields that are too large", inUploads("a", "x-ignore-a", strings.Repeat("x", 15_000)),
		inUploads("a", "x-ignore-a", strings.Repeat("x", 21_000)), 400, "MaxPostPreDataLengthExceededError",
	},
	{
		"no file", inUploads("a"),
		inUploads("a").with(func(f *form) {
			f.edit = func(body string) string {
				before, _, _ := strings.Cut(body, "\r\n--"+boundary+"\r\nContent-Disposition: form-data; name=\"file\"")
				return before + "\r\n--" + boundary + "--\r\n"
			}
		}), 400, "IncorrectNumberOfFilesInPostRequest",
	},
	{
		"a second file", inUploads("a").with(func(f *form) { f.after = []field{{name: "submit", value: "Upload"}} }),
		inUploads("a").with(func(f *form) { f.after = []field{{"file", "again", "b.jpg"}} }), 400, "IncorrectNumberOfFilesInPostRequest",
	},
	{
		"a form that is not closed", inUploads("a").with(func(f *form) { f.end = "--" }),
		inUploads("a").with(func(f *form) { f.end = "\r\n" }), 400, "MalformedPOSTRequest",
	},
	{"a form with something behind its end", inUploads("a"), inUploads("a").with(func(f *form) { f.end = "--\r\nmore" }), 400, "MalformedPOSTRequest"},
	{
		"a part that is encoded for transfer", inUploads("a"),
		inUploads("a").with(func(f *form) {
			f.edit = func(body string) string {
				return strings.Replace(body, "application/octet-stream", "text/plain\r\nContent-Transfer-Encoding: base64", 1)
			}
		}), 400, "MalformedPOSTRequest",
	},
}

func TestPostRefusals(t *testing.T) {
	for _, p := range append(append([]postPair{}, policyPairs...), formPairs...) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			k := g.mint("prod/uploads:write", "prod/reports/2026/:write")
			if r := g.post(k, p.allowed); r.status != 204 {
				t.Fatalf("the allowed form got %d %s %s", r.status, r.code, r.message)
			}
			g.backendSaw(1)
			g.backend.Reset()
			r := g.post(k, p.forbidden)
			if r.status != p.status || r.code != p.code {
				t.Errorf("the forbidden form got %d %s %q, want %d %s", r.status, r.code, r.message, p.status, p.code)
			}
			if r.message == "" || strings.Contains(r.message, k.secret.Reveal()) {
				t.Errorf("the message is %q", r.message)
			}
			if stored := g.stored("payroll"); stored != 0 {
				t.Errorf("payroll has %d objects", stored)
			}
			g.nothingStored()
			g.refusalIsRecorded(p.status)
			if e := g.events(keystile.EventFilter{ActionPrefix: "s3.proxy."})[0]; e.Action != "s3.proxy.postobject" {
				t.Errorf("it is recorded as %s", e.Action)
			}
		})
	}
}

func (g *gateway) stored(bucket string) int { return len(g.backend.Objects(bucket)) }

// nothingStored fails if the backend got a whole request since the last Reset.
func (g *gateway) nothingStored() {
	g.t.Helper()
	g.backend.Wait()
	for _, r := range g.backend.Requests() {
		g.t.Errorf("the backend saw %s %s, complete: %v", r.Method, r.Path, r.Complete)
	}
}

func TestPostDeadKeys(t *testing.T) {
	hourAgo := time.Now().Add(-time.Hour)
	for name, change := range map[string]func(*keystile.Credential){
		"revoked":  func(c *keystile.Credential) { c.RevokedAt = hourAgo },
		"expired":  func(c *keystile.Credential) { c.ExpiresAt = hourAgo },
		"disabled": func(c *keystile.Credential) { c.DisabledAt = hourAgo },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			k := g.mint("prod/uploads:write")
			if r := g.post(k, inUploads("a")); r.status != 204 {
				t.Fatalf("a live key got %d %s", r.status, r.code)
			}
			g.backend.Reset()
			g.change(k, change)
			if r := g.post(k, inUploads("a")); r.status != 401 || r.code != "InvalidAccessKeyId" {
				t.Errorf("got %d %s", r.status, r.code)
			}
			g.nothingStored()
		})
	}
}

func TestPostWithoutPermission(t *testing.T) {
	g := newGateway(t)
	g.bind(keystile.Binding{Name: "open", Bucket: keystile.Bucket{Backend: "prod", Name: "uploads"}, Mode: keystile.ModeReadList})
	reader := g.mint("prod/uploads:read,list,delete")
	if r := g.post(reader, inUploads("a")); r.status != 403 || r.code != "AccessDenied" {
		t.Errorf("a reader got %d %s", r.status, r.code)
	}
	anonymous := inUploads("a").with(func(f *form) {
		f.edit = func(string) string {
			return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na\r\n--" + boundary +
				"\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhello\r\n--" + boundary + "--\r\n"
		}
	})
	for _, bucket := range []string{"uploads", "open"} {
		anonymous.bucket = bucket
		if r := g.post(reader, anonymous); r.status != 403 || r.code != "AccessDenied" {
			t.Errorf("an unsigned form to %s got %d %s", bucket, r.status, r.code)
		}
	}
	g.nothingStored()
}

func TestPostedACLNeedsItsPermission(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	must(t, g.post(g.mint("prod/uploads:write,acl"), inUploads("a", "acl", "public-read").given(`{"acl":"public-read"}`)).is(204))
	if got := g.backend.Requests()[0].Header.Get("X-Amz-Acl"); got != "public-read" {
		t.Errorf("the backend saw the ACL %q", got)
	}
	g.backend.Reset()
	must(t, g.post(g.mint("prod/uploads:write"), inUploads("a", "acl", "public-read").given(`{"acl":"public-read"}`)).is(403))
	g.nothingStored()
}

func (r result) is(status int) error {
	if r.status != status {
		return fmt.Errorf("got %d %s %s, want %d", r.status, r.code, r.message, status)
	}
	return nil
}

func TestPostGoesOnAsAnUpload(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	k := g.mint("prod/uploads:write@inbox")
	f := inUploads("user/${filename}", "acl", "private", "Content-Type", "image/jpeg", "Cache-Control", "no-cache",
		"Content-Disposition", `attachment; filename="${filename}"`, "x-amz-meta-Colour", "red", "x-amz-storage-class", "STANDARD_IA",
		"x-amz-server-side-encryption", "AES256", "x-amz-checksum-crc32", crc32Of("hello"), "submit", "Go",
		"tagging", `<Tagging><TagSet><Tag><Key>a b</Key><Value>c&amp;d</Value></Tag></TagSet></Tagging>`,
	).with(func(f *form) { f.bucket, f.header = "inbox", header("Cache-Control", "max-age=0") })
	for _, name := range []string{
		"acl", "Content-Type", "Cache-Control", "Content-Disposition", "x-amz-meta-colour", "X-Amz-Storage-Class",
		"x-amz-server-side-encryption", "x-amz-checksum-crc32", "submit", "tagging",
	} {
		f = f.given(fmt.Sprintf(`["Starts-With","$%s",""]`, name))
	}
	r := g.post(k, f)
	if r.status != 204 || r.header.Get("Etag") == "" || r.header.Get("Location") != "http://gateway.test/inbox/user/photo.jpg" || r.body != "" {
		t.Fatalf("got %d %s %v", r.status, r.body, r.header)
	}
	g.backendSaw(1)
	seen := g.backend.Requests()[0]
	if seen.Method != put || seen.Path != "/uploads/user/photo.jpg" || seen.Query != "" || string(seen.Body) != "hello" || seen.ContentLength != 5 {
		t.Errorf("the backend saw %s %s?%s %q", seen.Method, seen.Path, seen.Query, seen.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/jpeg", "Cache-Control": "no-cache", "Content-Disposition": `attachment; filename="photo.jpg"`,
		"X-Amz-Meta-Colour": "red", "X-Amz-Storage-Class": "STANDARD_IA", "X-Amz-Server-Side-Encryption": "AES256",
		"X-Amz-Checksum-Crc32": crc32Of("hello"), "X-Amz-Tagging": "a%20b=c%26d", "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD",
		"X-Amz-Acl": "", "X-Amz-Credential": "", "X-Amz-Signature": "", "Policy": "", "Submit": "", "X-Amz-Algorithm": "",
	} {
		if got := seen.Header.Get(name); got != want {
			t.Errorf("the backend saw %s: %q, want %q", name, got, want)
		}
	}
	e := g.events(keystile.EventFilter{ActionPrefix: "s3.proxy."})[0]
	if e.Action != "s3.proxy.postobject" || e.Result != keystile.ResultOK || e.Key != "user/photo.jpg" || e.Bucket != "uploads" ||
		e.Detail.Bytes != 5 || e.Detail.AccessKeyID != k.id || !e.Detail.Authenticated || e.Open {
		t.Errorf("recorded %+v", e)
	}
}

func TestPostToAPrefixAsABucket(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	k := g.mint("prod/reports/2026/:write@team-a")
	f := inUploads("in/${filename}", "success_action_status", "201").given(`{"success_action_status":"201"}`, `["eq","$key","in/photo.jpg"]`)
	f.bucket = "team-a"
	r := g.post(k, f)
	must(t, r.is(201))
	if !strings.Contains(r.body, "<Bucket>team-a</Bucket><Key>in/photo.jpg</Key>") || strings.Contains(r.body, "2026") ||
		strings.Contains(r.header.Get("Location"), "2026") {
		t.Errorf("answered %s, %v", r.body, r.header)
	}
	if got := string(g.backend.Objects("reports")["2026/in/photo.jpg"]); got != "hello" {
		t.Errorf("stored %q", got)
	}
	g.backend.Reset()
	for _, key := range []string{"../2025/a", "/../2025/a"} {
		f.fields[0].value, f.conditions = key, `,{"success_action_status":"201"}`
		if r := g.post(k, f); r.status != 400 || r.code != "InvalidArgument" {
			t.Errorf("the key %q got %d %s", key, r.status, r.code)
		}
	}
	g.nothingStored()
}

func TestPostAnswers(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	k := g.mint("prod/uploads:write@inbox")
	const etag = "%225d41402abc4b2a76b9719d911017c592%22"
	xml := `<PostResponse><Location>http://gateway.test/inbox/a%20b</Location><Bucket>inbox</Bucket><Key>a b</Key>` +
		`<ETag>&#34;5d41402abc4b2a76b9719d911017c592&#34;</ETag></PostResponse>`
	own := "http://gateway.test/inbox/a%20b"
	for _, tt := range []struct {
		name, field, value string
		status             int
		location, body     string
	}{
		{"none asked for", "x-ignore-a", "", 204, own, ""},
		{"200", "success_action_status", "200", 200, own, ""},
		{"201", "success_action_status", "201", 201, own, xml},
		{"204", "success_action_status", "204", 204, own, ""},
		{"a status that S3 does not know", "success_action_status", "404", 204, own, ""},
		{"a redirect", "success_action_redirect", "https://shop.test/thanks", 303, "https://shop.test/thanks?bucket=inbox&key=a%20b&etag=" + etag, ""},
		{"a redirect with a query", "Success_Action_Redirect", "http://shop.test/?n=1#top", 303, "http://shop.test/?n=1&bucket=inbox&key=a%20b&etag=" + etag + "#top", ""},
		{"the old name", "redirect", "https://shop.test", 303, "https://shop.test?bucket=inbox&key=a%20b&etag=" + etag, ""},
		{"a script", "success_action_redirect", "javascript:alert(1)", 204, own, ""},
		{"a path", "success_action_redirect", "//shop.test/", 204, own, ""},
		{"a line break", "success_action_redirect", "https://shop.test/\r\nSet-Cookie: a=b", 204, own, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := inUploads("a b", tt.field, tt.value).given(fmt.Sprintf(`["starts-with","$%s",""]`, tt.field))
			f.bucket = "inbox"
			c := f.call(k, g.clock())
			client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			res, err := client.Do(g.request(k, c))
			must(t, err)
			defer res.Body.Close()
			data, err := io.ReadAll(res.Body)
			must(t, err)
			if res.StatusCode != tt.status || res.Header.Get("Location") != tt.location || res.Header.Get("Set-Cookie") != "" {
				t.Errorf("got %d to %q", res.StatusCode, res.Header.Get("Location"))
			}
			if !strings.HasSuffix(string(data), tt.body) || (tt.body == "") != (len(data) == 0) {
				t.Errorf("got the body %s", data)
			}
		})
	}
}

// TestPostBodies sends forms of every size and checks what becomes of them: a
// file is stored byte by byte, or not at all.
func TestPostBodies(t *testing.T) {
	almost := "\r\n--" + boundary[:len(boundary)-1] + "_"
	for _, size := range []int{0, 1, 5, 60_000, 70_000, 3_000_000} {
		file := strings.Repeat("\r\n--"+boundary[:7]+almost+"\r\n", size/30+1)[:size]
		large := size > 64<<10
		whole := inUploads("a").with(func(f *form) { f.file = file })
		for _, tt := range []struct {
			name   string
			form   form
			stored bool
		}{
			{"whole", whole, true},
			{"an empty line before it", whole.with(func(f *form) { f.edit = func(b string) string { return "\r\n" + b } }), true},
			{"a field behind the file", whole.with(func(f *form) { f.after = []field{{name: "submit", value: "Go"}} }), !large},
			{"without the last line end", whole.with(func(f *form) { f.end = "--" }), !large},
			{"not closed", whole.with(func(f *form) { f.end = "\r\n" }), false},
			{"closed by one hyphen", whole.with(func(f *form) { f.end = "-\r\n" }), false},
			{"something behind it", whole.with(func(f *form) { f.end = "--\r\n\r\n" }), false},
			{"no boundary behind the file", whole.with(func(f *form) {
				f.edit = func(b string) string { return strings.TrimSuffix(b, "\r\n--"+boundary+"--\r\n") }
			}), false},
		} {
			t.Run(fmt.Sprintf("%d bytes, %s", size, tt.name), func(t *testing.T) {
				t.Parallel()
				g := newGateway(t)
				k := g.mint("prod/uploads:write")
				r := g.post(k, tt.form)
				g.backend.Wait()
				got, there := g.backend.Objects("uploads")["a"]
				if there != tt.stored || (there && string(got) != file) || (r.status == 204) != tt.stored {
					t.Errorf("got %d %s %s; stored %v, %d bytes", r.status, r.code, r.message, there, len(got))
				}
			})
		}
	}
}

// TestPostThatIsCutOff sends a part of a form and hangs up.
func TestPostThatIsCutOff(t *testing.T) {
	for _, size := range []int{5, 50_000, 500_000} {
		f := inUploads("a").with(func(f *form) { f.file = strings.Repeat("x", size) })
		for _, missing := range []int{1, 2, 4, 30, 700} {
			t.Run(fmt.Sprintf("%d bytes, %d missing", size, missing), func(t *testing.T) {
				t.Parallel()
				g := newGateway(t)
				k := g.mint("prod/uploads:write")
				c := f.call(k, g.clock())
				conn, err := net.Dial("tcp", g.addr)
				must(t, err)
				defer conn.Close()
				_, err = fmt.Fprintf(conn, "POST /uploads HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
					g.addr, c.header.Get("Content-Type"), len(c.body), c.body[:len(c.body)-missing])
				must(t, err)
				must(t, conn.(*net.TCPConn).CloseWrite())
				if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
					res.Body.Close()
					if res.StatusCode < 400 {
						t.Errorf("got %d", res.StatusCode)
					}
				}
				g.backend.Wait()
				if n := g.stored("uploads"); n != 0 {
					t.Errorf("%d objects are stored", n)
				}
			})
		}
	}
}

func TestPostWithoutALength(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	c := inUploads("a").call(k, g.clock())
	c.tamper = func(r *http.Request) { r.ContentLength = -1 }
	if r := g.do(k, c); r.status != 411 || r.code != "MissingContentLength" {
		t.Errorf("got %d %s", r.status, r.code)
	}
	g.nothingStored()
}

// TestPostBeyondTheLargestFile declares 5 GiB and sends no more than the fields.
func TestPostBeyondTheLargestFile(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	c := inUploads("a").call(k, g.clock())
	status, answer := g.rawForm(c, 5<<30+int64(len(c.body))-4)
	if status != 400 || !strings.Contains(answer, "EntityTooLarge") {
		t.Errorf("got %d %s", status, answer)
	}
	g.nothingStored()
}

// rawForm sends a form under a length that is not its own.
func (g *gateway) rawForm(c call, length int64) (int, string) {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.addr)
	must(g.t, err)
	defer conn.Close()
	must(g.t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = fmt.Fprintf(conn, "POST /uploads HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		g.addr, c.header.Get("Content-Type"), length, c.body)
	must(g.t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(g.t, err)
	defer res.Body.Close()
	data, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(data)
}

// TestRevokingCutsAPost revokes the key while its form is on the way.
func TestRevokingCutsAPost(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	c := inUploads("a").with(func(f *form) { f.file = strings.Repeat("x", 1<<20) }).call(k, g.clock())
	conn, err := net.Dial("tcp", g.addr)
	must(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /uploads HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		g.addr, c.header.Get("Content-Type"), len(c.body), c.body[:len(c.body)-10])
	must(t, err)
	for g.backend.Count() == 0 {
		time.Sleep(time.Millisecond)
	}
	g.change(k, func(cr *keystile.Credential) { cr.RevokedAt = time.Now() })
	_, _ = io.WriteString(conn, c.body[len(c.body)-10:])
	g.backend.Wait()
	if n := g.stored("uploads"); n != 0 {
		t.Error("the upload was completed with a revoked key")
	}
}
