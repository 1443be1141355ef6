package s3wire_test

import (
	"net/url"
	"strings"
	"testing"

	"keystile/internal/s3wire"
)

func FuzzParse(f *testing.F) {
	for _, s := range [][3]string{
		{"GET", "/photos/a?versionId=v", "Range: bytes=0-1"},
		{"PUT", "/photos/a", "X-Amz-Copy-Source: /photos/b?versionId=v"},
		{"PUT", "/photos/a?partNumber=1&uploadId=u", "x-amz-trailer: x-amz-checksum-crc32"},
		{"PUT", "/photos/a?X-Amz-Signature=s&x-amz-meta-a=b", "x-amz-acl: private"},
		{"POST", "/photos?delete", "x-amz-bypass-governance-retention: true"},
		{"GET", "http://h/%70hotos//..%2f?prefix=a%2Fb", ""},
		{"DELETE", "/photos/a?uploadId", ""},
	} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, method, target, headers string) {
		r, err := tryRead(method+" "+target, headers)
		if err != nil {
			return
		}
		req, err := s3wire.Parse(r)
		if err != nil {
			if e := s3wire.AsError(err); e.Code == "" || e.Message == "" || e.Status < 400 || e.Code == "InternalError" {
				t.Fatalf("refused with %+v", e)
			}
			return
		}
		checkAccepted(t, target, req)
		for name := range r.URL.Query() {
			lower := strings.ToLower(name)
			if !req.Query.Has(name) && !strings.HasPrefix(lower, "x-amz-") && name != "x-id" && !r.URL.Query().Has("AWSAccessKeyId") {
				t.Fatalf("%q: the parameter %q vanishes", target, name)
			}
		}
		path, err := url.PathUnescape(r.URL.EscapedPath())
		want := "/" + req.Bucket
		if req.Key != "" {
			want += "/" + req.Key
		}
		if err != nil || path != want && path != want+"/" || req.Key != "" && path != want {
			t.Fatalf("%q is read as %q", path, want)
		}
	})
}
