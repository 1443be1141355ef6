package sigv4

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// sdkSign signs with the signer of the AWS SDK and returns the request as it
// would arrive.
func sdkSign(t *testing.T, method, path string, query url.Values, host string, header http.Header, length int64) Request {
	t.Helper()
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	u := &url.URL{Scheme: "https", Host: host, Path: path, RawQuery: query.Encode()}
	u.RawPath = string(mustPath(t, path))
	r := &http.Request{Method: method, URL: u, Host: host, Header: header, ContentLength: length}
	r.Header.Set("X-Amz-Content-Sha256", UnsignedPayload)
	credentials := aws.Credentials{AccessKeyID: exampleID, SecretAccessKey: exampleSecret}
	if err := signer.SignHTTP(t.Context(), credentials, r, UnsignedPayload, "s3", "us-east-1", exampleTime); err != nil {
		t.Fatal(err)
	}
	return Request{Method: method, Path: u.EscapedPath(), RawQuery: u.RawQuery, Host: host, Header: r.Header, ContentLength: length}
}

// sdkPresign is sdkSign for presigned requests.
func sdkPresign(t *testing.T, method, path string, query url.Values, host string, header http.Header) Request {
	t.Helper()
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	query.Set("X-Amz-Expires", "60")
	u := &url.URL{Scheme: "https", Host: host, Path: path, RawQuery: query.Encode()}
	u.RawPath = string(mustPath(t, path))
	r := &http.Request{Method: method, URL: u, Host: host, Header: header}
	credentials := aws.Credentials{AccessKeyID: exampleID, SecretAccessKey: exampleSecret}
	signed, send, err := signer.PresignHTTP(t.Context(), credentials, r, UnsignedPayload, "s3", "us-east-1", exampleTime)
	if err != nil {
		t.Fatal(err)
	}
	_, rawQuery, _ := strings.Cut(signed, "?")
	send.Del("Host")
	return Request{Method: method, Path: u.EscapedPath(), RawQuery: rawQuery, Host: host, Header: send, ContentLength: 0}
}

// mustPath escapes a path as the S3 clients of the SDKs do.
func mustPath(t *testing.T, path string) []byte {
	t.Helper()
	var escaped []byte
	for i := range len(path) {
		if path[i] == '/' {
			escaped = append(escaped, '/')
			continue
		}
		escaped = appendEncoded(escaped, path[i])
	}
	return escaped
}

func mustVerify(t *testing.T, r Request) Authorization {
	t.Helper()
	auth, err := Parse(r)
	if err != nil {
		t.Fatalf("%v\n%+v", err, r)
	}
	if err := auth.Verify(exampleKey()); err != nil {
		t.Fatalf("%v\n%+v", err, r)
	}
	return auth
}

// FuzzAgainstSDK signs with the AWS SDK and verifies here, then signs the same
// here and compares.
func FuzzAgainstSDK(f *testing.F) {
	f.Add("PUT", "bucket/key", "prefix", "a/b", "host:8090", "colour", "deep  blue", int64(3))
	f.Add("GET", "b/../a//b/%2F+~ é", "é!", "+ &=;%", "h", "m", "  a,  b ", int64(0))
	f.Add("GET", "b", "a", "b", "", "m", "\t \x0b", int64(0))
	f.Fuzz(func(t *testing.T, method, path, name, value, host, metaName, metaValue string, length int64) {
		meta := "x-amz-meta-" + strings.ToLower(metaName)
		if !headerName(meta) || !validOnTheWire(metaValue, host, method) || length < 0 {
			return
		}
		newHeader := func() http.Header {
			return http.Header{http.CanonicalHeaderKey(meta): {metaValue, "second"}, "Content-Type": {"text/plain"}}
		}
		query := url.Values{name: {value, name, ""}, "a-b": {"1"}, "a!b": {"2"}}
		if slices.ContainsFunc(slices.Collect(maps.Keys(query)), isAuthName) {
			return
		}
		path = "/" + path
		auth := mustVerify(t, sdkSign(t, method, path, query, host, newHeader(), length))

		r := sdkSign(t, method, path, query, host, newHeader(), 0) // without content-length, which ours leaves out
		ours := newHeader()
		s := NewSigner(exampleID, exampleSecret, "us-east-1", "s3")
		if err := s.Sign(method, r.Path, r.RawQuery, host, ours, UnsignedPayload, exampleTime); err != nil {
			t.Fatal(err)
		}
		if got, want := normal(ours.Get("Authorization")), normal(r.Header.Get("Authorization")); got != want {
			t.Errorf("ours %s\nSDK  %s", got, want)
		}
		if auth.AccessKeyID != exampleID || !auth.Time.Equal(exampleTime) {
			t.Errorf("read %+v", auth)
		}
		mustVerify(t, sdkPresign(t, method, path, query, host, newHeader()))
	})
}

func normal(authorization string) string { return strings.ReplaceAll(authorization, ", ", ",") }

func isAuthName(name string) bool {
	return hasPrefixFold(name, "x-amz-") || name == "AWSAccessKeyId"
}

// validOnTheWire leaves out what no HTTP server hands on, and what the signer
// of the SDK trims by other rules than HTTP.
func validOnTheWire(metaValue, host, method string) bool {
	for _, c := range []byte(metaValue) {
		if c < ' ' || c == 0x7f || c >= 0x80 {
			return false
		}
	}
	return host != "" && host == strings.TrimSpace(host) && printable(host) && !strings.ContainsAny(host, "/?#@\\%\"<>[]^`{|}") &&
		method != "" && printable(method)
}

func TestAgainstSDKPresignedWithHeaders(t *testing.T) {
	r := sdkPresign(t, "PUT", "/b/k", url.Values{"x-id": {"PutObject"}}, "h",
		headers("X-Amz-Meta-A: 1", "X-Amz-Checksum-Crc32: AAAAAA=="))
	auth := mustVerify(t, r)
	if auth.Expires != time.Minute || !slices.Contains(auth.SignedHeaders, "x-amz-meta-a") {
		t.Errorf("%+v", auth)
	}
}
