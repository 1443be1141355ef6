package s3proxy_test

import (
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
