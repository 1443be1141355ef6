package s3wire_test

import (
	"bufio"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"keystile/internal/s3wire"
)

// read makes of a request line and headers what net/http's server makes of
// them. It fails the test if the server would refuse the request itself.
func read(t testing.TB, line string, headers ...string) *http.Request {
	t.Helper()
	r, err := tryRead(line, headers...)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return r
}

func tryRead(line string, headers ...string) (*http.Request, error) {
	head := line + " HTTP/1.1\r\nHost: gateway\r\n"
	for _, h := range headers {
		head += h + "\r\n"
	}
	return http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\r\n")))
}

const (
	source = "X-Amz-Copy-Source: photos/a"
	chunks = "Transfer-Encoding: chunked"
)

func TestParseFindsTheOperation(t *testing.T) {
	for _, tt := range []struct {
		line        string
		headers     []string
		op          string
		bucket, key string
	}{
		{"GET /", nil, "ListBuckets", "", ""},
		{"GET /?x-id=ListBuckets&max-buckets=1&prefix=a", nil, "ListBuckets", "", ""},
		{"HEAD /photos", nil, "HeadBucket", "photos", ""},
		{"HEAD /photos/", nil, "HeadBucket", "photos", ""},
		{"GET /photos", nil, "ListObjects", "photos", ""},
		{"GET /photos/?prefix=a&delimiter=/&marker=m&max-keys=3&encoding-type=url", nil, "ListObjects", "photos", ""},
		{"GET /photos?list-type=2&prefix=", nil, "ListObjectsV2", "photos", ""},
		{"GET /photos?location", nil, "GetBucketLocation", "photos", ""},
		{"GET /photos?location=", nil, "GetBucketLocation", "photos", ""},
		{"GET /photos?versions&prefix=a", nil, "ListObjectVersions", "photos", ""},
		{"GET /photos?uploads&prefix=a", nil, "ListMultipartUploads", "photos", ""},
		{"POST /photos?delete", nil, "DeleteObjects", "photos", ""},
		{"POST /photos", []string{"Content-Type: multipart/form-data; boundary=x"}, "PostObject", "photos", ""},
		{"PUT /photos", nil, "CreateBucket", "photos", ""},
		{"DELETE /photos", nil, "DeleteBucket", "photos", ""},
		{"GET /photos?policy", nil, "GetBucketPolicy", "photos", ""},
		{"PUT /photos?acl", nil, "PutBucketAcl", "photos", ""},
		{"GET /photos?analytics", nil, "ListBucketAnalyticsConfigurations", "photos", ""},
		{"GET /photos?analytics&id=x", nil, "GetBucketAnalyticsConfiguration", "photos", ""},
		{"GET /photos/a", nil, "GetObject", "photos", "a"},
		{"GET /photos/a?x-id=GetObject&versionId=v&partNumber=1&response-content-type=text/plain", nil, "GetObject", "photos", "a"},
		{"HEAD /photos/a?versionId=v", nil, "HeadObject", "photos", "a"},
		{"PUT /photos/a", []string{chunks}, "PutObject", "photos", "a"},
		{"PUT /photos/a?x-id=PutObject", []string{"Content-Length: 3"}, "PutObject", "photos", "a"},
		{"PUT /photos/a", []string{source}, "CopyObject", "photos", "a"},
		{"PUT /photos/a?partNumber=1&uploadId=u", []string{"Content-Length: 3"}, "UploadPart", "photos", "a"},
		{"PUT /photos/a?partNumber=10000&uploadId=u", []string{source}, "UploadPartCopy", "photos", "a"},
		{"DELETE /photos/a?versionId=v", nil, "DeleteObject", "photos", "a"},
		{"DELETE /photos/a?uploadId=u", nil, "AbortMultipartUpload", "photos", "a"},
		{"DELETE /photos/a?tagging", nil, "DeleteObjectTagging", "photos", "a"},
		{"GET /photos/a?tagging", nil, "GetObjectTagging", "photos", "a"},
		{"GET /photos/a?uploadId=u&max-parts=2", nil, "ListParts", "photos", "a"},
		{"GET /photos/a?attributes", []string{"X-Amz-Object-Attributes: ETag", "X-Amz-Object-Attributes: ObjectSize"}, "GetObjectAttributes", "photos", "a"},
		{"GET /photos/a?acl", nil, "GetObjectAcl", "photos", "a"},
		{"GET /photos/a?annotation&annotationName=n", nil, "GetObjectAnnotation", "photos", "a"},
		{"POST /photos/a?uploads", nil, "CreateMultipartUpload", "photos", "a"},
		{"POST /photos/a?uploadId=u", nil, "CompleteMultipartUpload", "photos", "a"},
		{"POST /photos/a?select&select-type=2", nil, "SelectObjectContent", "photos", "a"},
		{"PUT /photos/a?X-Amz-Acl=private", nil, "PutObject", "photos", "a"},

		{"GET /photos//", nil, "GetObject", "photos", "/"},
		{"GET /photos//a", nil, "GetObject", "photos", "/a"},
		{"GET /photos/a//b/", nil, "GetObject", "photos", "a//b/"},
		{"GET /photos/../payroll/a", nil, "GetObject", "photos", "../payroll/a"},
		{"GET /photos/%2e%2e/payroll", nil, "GetObject", "photos", "../payroll"},
		{"GET /photos/./a", nil, "GetObject", "photos", "./a"},
		{"GET /photos/a%2Fb", nil, "GetObject", "photos", "a/b"},
		{"GET /photos/a%252Fb", nil, "GetObject", "photos", "a%2Fb"},
		{"GET /photos/a+b%20c", nil, "GetObject", "photos", "a+b c"},
		{"GET /photos/%C3%BC", nil, "GetObject", "photos", "ü"},
		{"GET /photos/a%3Facl", nil, "GetObject", "photos", "a?acl"},
		{"GET /photos/a%0Ab", nil, "GetObject", "photos", "a\nb"},
		{"GET /%70hotos/a", nil, "GetObject", "photos", "a"},
		{"GET /photos/admin/x", nil, "GetObject", "photos", "admin/x"},
		{"GET http://other.example/photos/a", nil, "GetObject", "photos", "a"},
		{"GET /photos/" + strings.Repeat("k", 1024), nil, "GetObject", "photos", strings.Repeat("k", 1024)},
	} {
		req, err := s3wire.Parse(read(t, tt.line, tt.headers...))
		if err != nil {
			t.Errorf("%s: %v", tt.line, err)
			continue
		}
		if req.Op.Name != tt.op || req.Bucket != tt.bucket || req.Key != tt.key {
			t.Errorf("%s: %s of %q %q", tt.line, req.Op.Name, req.Bucket, req.Key)
		}
		checkAccepted(t, tt.line, req)
	}
}

func TestParseRefusesPaths(t *testing.T) {
	for line, code := range map[string]string{
		"GET //photos/a": "InvalidURI", "GET //": "InvalidURI", "GET ///": "InvalidURI", "OPTIONS *": "InvalidURI",
		"GET /photos/%00": "InvalidURI", "GET /photos/a%00b": "InvalidURI", "GET /photos/%ff": "InvalidURI",
		"GET /photos/%C3": "InvalidURI", "GET /photos/%ED%A0%80": "InvalidURI",
		"GET /admin": "InvalidBucketName", "GET /admin/user": "InvalidBucketName", "GET /Admin/user": "InvalidBucketName",
		"GET /%61dmin/user": "InvalidBucketName", "PUT /minio/admin/v3/add-user": "InvalidBucketName",
		"GET /swift/v1": "InvalidBucketName", "GET /auth": "InvalidBucketName", "GET /-/metrics": "InvalidBucketName",
		"GET /a%2Fb/c": "InvalidBucketName", "GET /%2F/c": "InvalidBucketName", "GET /photos%2F": "InvalidBucketName",
		"GET /../photos": "InvalidBucketName", "GET /./photos": "InvalidBucketName", "GET /%2e%2e/photos": "InvalidBucketName",
		"GET /ab": "InvalidBucketName", "GET /pho%00tos/a": "InvalidBucketName", "GET /ph%20otos": "InvalidBucketName",
		"GET /photos;x/a": "InvalidBucketName", "GET /photos%3Facl": "InvalidBucketName", "GET /arn:aws:s3:::photos/a": "InvalidBucketName",
		"GET /photos..x/a": "InvalidBucketName", "GET /-photos/a": "InvalidBucketName", "GET /" + strings.Repeat("b", 256): "InvalidBucketName",
		"GET /photos/" + strings.Repeat("k", 1025):     "KeyTooLongError",
		"GET /photos/" + strings.Repeat("%C3%BC", 513): "KeyTooLongError",
		"GET /photos/" + strings.Repeat("a/", 513):     "KeyTooLongError",
		"POST /": "MethodNotAllowed", "PUT /": "MethodNotAllowed", "HEAD /": "MethodNotAllowed", "DELETE /": "MethodNotAllowed",
		"PATCH /photos/a": "MethodNotAllowed", "POST /photos/a": "MethodNotAllowed", "TRACE /photos/a": "MethodNotAllowed",
		"get /photos/a": "MethodNotAllowed", "COPY /photos/a": "MethodNotAllowed", "PROPFIND /photos": "MethodNotAllowed",
	} {
		refused(t, code, line)
	}
	for _, line := range []string{"GET /photos/%zz", "GET /photos/%", "GET /ph%4"} {
		if _, err := tryRead(line); err == nil {
			t.Errorf("%q reaches the gateway", line)
		}
	}
}

func TestParseRefusesQueries(t *testing.T) {
	for line, code := range map[string]string{
		// What no row has.
		"GET /photos/a?website": "NotImplemented", "GET /photos?unknown": "NotImplemented", "GET /photos/a?Tagging": "NotImplemented",
		"GET /photos/a?prefix=x": "NotImplemented", "GET /?uploads": "NotImplemented", "PUT /photos/a?foo=bar": "NotImplemented",
		"GET /photos?list-type=1": "NotImplemented", "GET /photos?list-type=02": "NotImplemented", "GET /photos?list-type": "NotImplemented",
		"GET /photos?Prefix=a": "NotImplemented", "GET /photos?prefix%20=a": "NotImplemented", "GET /photos?=a": "NotImplemented",
		"GET /photos/a?x-ID=1": "NotImplemented", "PUT /photos/a?versionId=v": "NotImplemented", "POST /photos?delete&versionId=v": "NotImplemented",
		"GET /photos/a?x-amz-request-route=r": "NotImplemented", "GET /photos/a?Signature=x": "NotImplemented",
		"GET /photos/a?X-Rgw-Admin=1": "NotImplemented", "GET /photos/a?uid=root": "NotImplemented", "PUT /photos/a?append&position=0": "NotImplemented",
		"GET /photos?events": "NotImplemented", "GET /photos/a?lambdaArn=x": "NotImplemented", "GET /photos?stats": "NotImplemented",
		"GET /photos?metadata=true": "NotImplemented", "GET /photos?list-type=2&allow-unordered=true": "NotImplemented",
		"PUT /photos/a?partNumber=1": "NotImplemented", "PUT /photos/a?uploadId=u": "MethodNotAllowed",
		// Names that stand in two forms, or twice.
		"GET /photos?prefix=a&prefix=b": "InvalidArgument", "GET /photos?prefix=a&%70refix=a": "InvalidArgument",
		"GET /photos/a?versionId&versionId": "InvalidArgument", "GET /photos?x-id=1&x-id=2": "InvalidArgument",
		"PUT /photos/a?X-Amz-Acl=private&x-amz-acl=private": "InvalidArgument",
		// More than one operation.
		"GET /photos?versions&uploads": "InvalidRequest", "GET /photos?acl&policy": "InvalidRequest", "GET /photos?location&list-type=2": "InvalidRequest",
		"GET /photos/a?tagging&acl": "InvalidRequest", "GET /photos/a?uploadId=u&tagging": "InvalidRequest", "DELETE /photos/a?uploadId=u&tagging": "InvalidRequest",
		"POST /photos/a?uploads&uploadId=u": "InvalidRequest", "POST /photos/a?uploads&restore": "InvalidRequest",
		"PUT /photos/a?partNumber=1&uploadId=u&tagging": "NotImplemented", "GET /photos?versions&location&prefix=a": "InvalidRequest",
		// An operation by another method.
		"GET /photos/a?uploads": "MethodNotAllowed", "POST /photos/a?tagging": "MethodNotAllowed", "HEAD /photos/a?tagging": "MethodNotAllowed",
		"PUT /photos?delete": "MethodNotAllowed", "GET /photos?delete": "MethodNotAllowed", "HEAD /photos?location": "MethodNotAllowed",
		"PUT /photos?location": "MethodNotAllowed", "DELETE /photos?acl": "MethodNotAllowed", "DELETE /photos/a?acl": "MethodNotAllowed",
		// Values that some backends take for none at all.
		"DELETE /photos/a?uploadId=": "InvalidArgument", "DELETE /photos/a?uploadId": "InvalidArgument", "GET /photos/a?uploadId=": "InvalidArgument",
		"POST /photos/a?uploadId=": "InvalidArgument", "PUT /photos/a?partNumber=1&uploadId=": "InvalidArgument", "PUT /photos/a?partNumber=&uploadId=u": "InvalidArgument",
		"PUT /photos/a?partNumber=0&uploadId=u": "InvalidArgument", "PUT /photos/a?partNumber=10001&uploadId=u": "InvalidArgument",
		"PUT /photos/a?partNumber=-1&uploadId=u": "InvalidArgument", "PUT /photos/a?partNumber=%2B1&uploadId=u": "InvalidArgument",
		"PUT /photos/a?partNumber=01&uploadId=u": "InvalidArgument", "PUT /photos/a?partNumber=1a&uploadId=u": "InvalidArgument",
		"PUT /photos/a?partNumber=%201&uploadId=u": "InvalidArgument",
		// What cannot be read.
		"GET /photos?prefix=%zz": "InvalidURI", "GET /photos?prefix=a;b": "InvalidURI", "GET /photos?%=a": "InvalidURI",
		"GET /photos?prefix=%ff": "InvalidArgument", "GET /photos?prefix=a%00": "InvalidArgument", "GET /photos?pre%ff=a": "InvalidArgument",
		"GET /photos?" + strings.Repeat("&a", 70): "InvalidArgument",
		"GET /photos?" + numbered(65):             "InvalidArgument",
		// Headers in the query.
		"PUT /photos/a?x-amz-acl=public": "InvalidArgument", "PUT /photos/a?X-Amz-Acl=log-delivery-write": "InvalidArgument",
		"PUT /photos/a?X-Amz-Copy-Source=photos/b": "NotImplemented", "PUT /photos/a?x-amz-copy-source=/payroll/b": "NotImplemented",
		"PUT /photos/a?X-Amz-Grant-Read=id": "InvalidArgument", "GET /photos/a?x-amz-acl=private": "NotImplemented",
		"GET /photos/a?x-amz-meta-a=b": "NotImplemented", "PUT /photos/a?x-amz-meta-=b": "NotImplemented",
		"PUT /photos/a?x-amz-meta-a%0d%0aHost:x=b": "InvalidArgument", "PUT /photos/a?x-amz-meta-a=b%0d%0aHost:x": "InvalidArgument",
		"PUT /photos/a?x-amz-meta-a%20b=c": "InvalidArgument", "PUT /photos/a?x-amz-meta-a:b=c": "InvalidArgument", "PUT /photos/a?x-amz-meta-%C3%BC=c": "InvalidArgument",
		"DELETE /photos/a?x-amz-bypass-governance-retention=yes": "InvalidArgument",
	} {
		refused(t, code, line)
	}
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("&a" + strings.Repeat("x", i))
	}
	return b.String()
}

func TestParseRefusesHeadersAndBodies(t *testing.T) {
	for _, tt := range []struct {
		line, header, code string
	}{
		{"PUT /photos/a", "x-amz-acl: Private", "InvalidArgument"},
		{"PUT /photos/a", "x-amz-mfa: 123", "NotImplemented"},
		{"PUT /photos/a", "x-amz-vendor-thing: 1", "NotImplemented"},
		{"PUT /photos/a", "X-AMZ-Vendor: 1", "NotImplemented"},
		{"PUT /photos/a", "x-amz-meta-: empty name", "NotImplemented"},
		{"PUT /photos/a", "x-amz-checksum-adler32: AAAA", "NotImplemented"},
		{"GET /photos/a", "x-amz-copy-source: payroll/b", "NotImplemented"},
		{"DELETE /photos/a", "x-amz-copy-source: payroll/b", "NotImplemented"},
		{"POST /photos/a?uploads", "x-amz-copy-source: payroll/b", "NotImplemented"},
		{"PUT /photos/a?tagging", "x-amz-copy-source: payroll/b", "NotImplemented"},
		{"PUT /photos", "x-amz-copy-source: payroll/b", "NotImplemented"},
		{"PUT /photos/a", "x-amz-copy-source:", "NotImplemented"},
		{"PUT /photos/a", "x-amz-copy-source-range: bytes=0-1", "NotImplemented"},
		{"GET /photos/a", "x-amz-meta-a: b", "NotImplemented"},
		{"DELETE /photos/a", "x-amz-tagging: a=b", "NotImplemented"},
		{"GET /photos", "x-amz-bypass-governance-retention: true", "NotImplemented"},
		{"PUT /photos/a", "x-amz-bypass-governance-retention: true", "NotImplemented"},
		{"DELETE /photos/a", "x-amz-bypass-governance-retention: 1", "InvalidArgument"},
		{"DELETE /photos/a", "x-amz-bypass-governance-retention:", "InvalidArgument"},
		{"DELETE /photos/a", "x-amz-bypass-governance-retention: true\r\nx-amz-bypass-governance-retention: false", "InvalidArgument"},
		{"PUT /photos/a", "x-amz-storage-class: A\r\nX-Amz-Storage-Class: B", "InvalidArgument"},
		{"PUT /photos/a?x-amz-storage-class=A", "x-amz-storage-class: A", "InvalidRequest"},
		{"PUT /photos/a?X-Amz-Meta-A=1", "x-amz-meta-a: 1", "InvalidRequest"},
		{"PUT /photos/a?x-amz-checksum-crc32=AAAAAA==", "x-amz-checksum-crc32: AAAAAA==", "InvalidRequest"},
		{"GET /photos/a", "Content-Length: 1", "InvalidRequest"},
		{"GET /photos/a", chunks, "InvalidRequest"},
		{"HEAD /photos/a", "Content-Length: 1", "InvalidRequest"},
		{"DELETE /photos/a", "Content-Length: 1", "InvalidRequest"},
		{"POST /photos/a?uploads", "Content-Length: 1", "InvalidRequest"},
		{"PUT /photos/a", source + "\r\nContent-Length: 1", "InvalidRequest"},
		{"PUT /photos/a", source + "\r\n" + chunks, "InvalidRequest"},
		{"GET /photos", "Content-Length: 1", "InvalidRequest"},
		{"GET /", "Content-Length: 1", "InvalidRequest"},
	} {
		refused(t, tt.code, tt.line, tt.header)
	}
}

func refused(t *testing.T, code, line string, headers ...string) {
	t.Helper()
	req, err := s3wire.Parse(read(t, line, headers...))
	var e *s3wire.Error
	switch {
	case err == nil:
		t.Errorf("%s %q is accepted as %s", line, headers, req.Op.Name)
	case !errors.As(err, &e) || e.Code != code:
		t.Errorf("%s %q gives %v, want %s", line, headers, err, code)
	case e.Message == "" || e.Status < 400:
		t.Errorf("%s %q: %+v", line, headers, e)
	}
}

func TestCopySources(t *testing.T) {
	long := strings.Repeat("k", 1024)
	for raw, want := range map[string]s3wire.Source{
		"photos/a": {Bucket: "photos", Key: "a"}, "/photos/a": {Bucket: "photos", Key: "a"},
		"photos/a/b": {Bucket: "photos", Key: "a/b"}, "photos%2Fa": {Bucket: "photos", Key: "a"},
		"/photos//a": {Bucket: "photos", Key: "/a"}, "photos/a%2Fb": {Bucket: "photos", Key: "a/b"},
		"photos/%C3%BC": {Bucket: "photos", Key: "ü"}, "photos/ü": {Bucket: "photos", Key: "ü"},
		"photos/a+b": {Bucket: "photos", Key: "a b"}, "photos/a%2Bb%20c": {Bucket: "photos", Key: "a+b c"},
		"photos/a%3FversionId=v":   {Bucket: "photos", Key: "a?versionId=v"},
		"photos/a?versionId=v%2B1": {Bucket: "photos", Key: "a", VersionID: "v+1"},
		"photos/../payroll/a":      {Bucket: "photos", Key: "../payroll/a"},
		"photos/%2e%2e/payroll":    {Bucket: "photos", Key: "../payroll"},
		"photos/%252e":             {Bucket: "photos", Key: "%2e"},
		"photos/a&b=c":             {Bucket: "photos", Key: "a&b=c"},
		"photos/" + long:           {Bucket: "photos", Key: long},
	} {
		for _, line := range []string{"PUT /photos/x", "PUT /photos/x?partNumber=1&uploadId=u"} {
			req, err := s3wire.Parse(read(t, line, "X-Amz-Copy-Source: "+raw))
			if err != nil || req.Source == nil || *req.Source != want {
				t.Errorf("%s: %+v, %v", raw, req.Source, err)
				continue
			}
			checkAccepted(t, raw, req)
		}
	}
	for raw, code := range map[string]string{
		"photos": "InvalidArgument", "photos/": "InvalidArgument", "/": "InvalidArgument", "//": "InvalidArgument", "/photos/": "InvalidArgument",
		"//photos/a": "InvalidBucketName", "%2F%2Fphotos/a": "InvalidBucketName", "?versionId=v": "InvalidArgument",
		"photos/a%zz": "InvalidArgument", "photos/%ff": "InvalidArgument", "photos/a%00": "InvalidURI",
		"photos/a?acl": "InvalidArgument", "photos/a?": "InvalidArgument", "photos/a?versionid=v": "InvalidArgument",
		"photos/a?versionId=v&versionId=w": "InvalidArgument", "photos/a?versionId=v&x=y": "InvalidArgument",
		"photos/a?versionId=%zz": "InvalidArgument", "photos/a?versionId=a;b": "InvalidArgument", "photos/a?versionId=%00": "InvalidArgument",
		"photos/a?versionId=%ff": "InvalidArgument",
		"admin/user":             "InvalidBucketName", "%61dmin/user": "InvalidBucketName", "../photos/a": "InvalidBucketName", "./photos/a": "InvalidBucketName",
		"photos../a": "InvalidBucketName", "pho tos/a": "InvalidBucketName",
		"arn:aws:s3:us-east-1:123456789012:accesspoint/ap/object/a":                 "InvalidArgument",
		"arn%3Aaws%3As3%3Aus-east-1%3A123456789012%3Aaccesspoint%2Fap%2Fobject%2Fa": "InvalidArgument",
		"photos/" + long + "k": "KeyTooLongError", "http://photos/a": "InvalidBucketName", "photos\\a": "InvalidArgument",
	} {
		refused(t, code, "PUT /photos/x", "X-Amz-Copy-Source: "+raw)
		refused(t, code, "PUT /photos/x?partNumber=1&uploadId=u", "X-Amz-Copy-Source: "+raw)
	}
	refused(t, "InvalidArgument", "PUT /photos/x", "X-Amz-Copy-Source: photos/a", "X-Amz-Copy-Source: payroll/b")
}

// TestStandardHeadersGoOnWhereTheirRowListsThem and are left out elsewhere.
func TestStandardHeadersGoOnWhereTheirRowListsThem(t *testing.T) {
	for line, want := range map[string]string{
		"GET /photos/a":                          "If-Match If-Modified-Since If-None-Match If-Unmodified-Since Range",
		"PUT /photos/a":                          "Cache-Control Content-Type If-Match If-None-Match",
		"PUT /photos/a?partNumber=1&uploadId=u":  "",
		"POST /photos/a?uploads":                 "Cache-Control Content-Type",
		"POST /photos/a?uploadId=u":              "If-Match If-None-Match",
		"DELETE /photos/a":                       "If-Match",
		"GET /photos/a?tagging":                  "",
		"GET /photos?list-type=2":                "",
		"PUT /photos/a?legal-hold":               "",
		"DELETE /photos/a?uploadId=u":            "",
		"GET /photos/a?versionId=v&partNumber=1": "If-Match If-Modified-Since If-None-Match If-Unmodified-Since Range",
	} {
		req, err := s3wire.Parse(read(t, line, "Range: bytes=0-1", "If-Match: x", "If-None-Match: *", "If-Modified-Since: d", "If-Unmodified-Since: d",
			"Content-Type: text/plain", "Cache-Control: no-cache"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(slices.Sorted(maps.Keys(req.Header)), " "); got != want {
			t.Errorf("%s goes on with %q, want %q", line, got, want)
		}
	}
}

func TestWhatGoesOn(t *testing.T) {
	req, err := s3wire.Parse(read(t, "PUT /photos/a?X-Amz-Signature=s&X-Amz-Credential=c&x-amz-storage-class=%20COLD&X-Amz-Security-Token=t&x-id=PutObject",
		"x-amz-acl: private", "x-amz-expected-bucket-owner: me", "x-amz-meta-a: 1", "x-amz-meta-a: 2", "Content-Type: text/plain",
		"If-None-Match: *", "Cache-Control: a", "Cache-Control: b", "Authorization: AWS4-HMAC-SHA256 x", "Cookie: c=d", "X-Forwarded-For: 1.2.3.4",
		"x-amz-date: d", "x-amz-content-sha256: h", "x-amz-user-agent: u", "x-amz-decoded-content-length: 3", "x-amz-trailer: x-amz-checksum-crc32",
		"x-amz-sdk-checksum-algorithm: CRC32", "X-Rgw-Something: 1", "X-Minio-Source-Mtime: 1", "X-HTTP-Method-Override: DELETE", "Connection: close",
		"Content-Length: 3", "Content-MD5: x", "Range: bytes=0-1", "Forwarded: for=x", "Te: trailers", "Expect: 100-continue"))
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Cache-Control": {"a,b"}, "Content-Type": {"text/plain"}, "If-None-Match": {"*"},
		"X-Amz-Meta-A": {"1,2"}, "X-Amz-Storage-Class": {"COLD"},
	}
	for name, values := range want {
		if !slices.Equal(req.Header[name], values) {
			t.Errorf("%s is %q, want %q", name, req.Header[name], values)
		}
	}
	if len(req.Header) != len(want) || len(req.Query) != 0 || req.ExpectedOwner != "me" {
		t.Errorf("headers %v, query %v, owner %q", req.Header, req.Query, req.ExpectedOwner)
	}

	req, err = s3wire.Parse(read(t, "GET /photos/a?tagging=x&versionId=v"))
	if err != nil || req.Query.Encode() != "tagging=&versionId=v" {
		t.Errorf("query %v, %v", req.Query, err)
	}
	req, err = s3wire.Parse(read(t, "GET /photos/a?attributes", "x-amz-object-attributes: ETag", "x-amz-object-attributes: Checksum"))
	if err != nil || req.Header.Get("X-Amz-Object-Attributes") != "ETag,Checksum" {
		t.Errorf("headers %v, %v", req.Header, err)
	}
}

func TestBypassingRetentionIsAnExplicitWish(t *testing.T) {
	for value, want := range map[string]bool{"true": true, "True": true, "false": false, "FALSE": false} {
		req, err := s3wire.Parse(read(t, "DELETE /photos/a", "x-amz-bypass-governance-retention: "+value))
		if err != nil || req.BypassGovernance != want || (req.Header.Get("X-Amz-Bypass-Governance-Retention") == "true") != want {
			t.Errorf("%s: %v, %v, %v", value, req.BypassGovernance, req.Header, err)
		}
	}
}

func TestVersion2SignaturesAreLeftToBeExplained(t *testing.T) {
	req, err := s3wire.Parse(read(t, "GET /photos/a?AWSAccessKeyId=AK&Signature=s&Expires=1&versionId=v"))
	if err != nil || req.Query.Encode() != "versionId=v" {
		t.Errorf("%v, %v", req.Query, err)
	}
	for _, line := range []string{"GET /photos/a?Signature=s&Expires=1", "GET /photos/a?awsaccesskeyid=AK", "GET /photos/a?AWSAccessKeyId=AK&expires=1"} {
		refused(t, "NotImplemented", line)
	}
}
