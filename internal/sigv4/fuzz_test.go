package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzParse feeds anything: it must not panic, and nothing verifies with a key
// that signed nothing.
func FuzzParse(f *testing.F) {
	header, presigned := signedGet(f, nil), presignedGet(f, nil)
	f.Add(header.Method, header.Path, header.RawQuery, header.Host, header.Header.Get("Authorization"), "X-Amz-Date", "20130524T000000Z")
	f.Add(presigned.Method, presigned.Path, presigned.RawQuery, presigned.Host, "", "X-Amz-Acl", "private")
	f.Add("GET", "/%zz", "a=%", "h", "AWS a:b", "Date", "Fri, 24 May 2013 00:00:00 GMT")
	key := DeriveKey("never used to sign", Scope{Date: "20130524", Region: "us-east-1", Service: "s3"})
	f.Fuzz(func(t *testing.T, method, path, query, host, authorization, name, value string) {
		h := http.Header{"X-Amz-Content-Sha256": {EmptySHA256}, name: {value}}
		if authorization != "" {
			h["Authorization"] = []string{authorization}
		}
		r := Request{Method: method, Path: path, RawQuery: query, Host: host, Header: h, ContentLength: int64(len(value))}
		auth, err := Parse(r)
		if err != nil {
			return
		}
		_ = auth.Check(exampleTime, "us-east-1")
		if auth.Verify(key) == nil {
			t.Errorf("verified: %+v", r)
		}
		NewChunkVerifier(&auth, key)
	})
}

// FuzzMutation changes a signed request. What still verifies must mean the
// same to readers that know nothing of signatures.
func FuzzMutation(f *testing.F) {
	r := signedGet(f, nil)
	auth := r.Header.Get("Authorization")
	f.Add(r.Method, r.Path, r.RawQuery, r.Host, auth, "deep  blue", "text/plain", "")
	f.Add(r.Method, "/bucket/%61%20key", "x=%2b&versionId=1", r.Host, auth, "deep blue", "text/plain", "v")
	f.Add(r.Method, "/bucket/a%20key", "versionId=1&x=+", r.Host, auth, "deep blue", " text/plain", "v")
	f.Fuzz(func(t *testing.T, method, path, query, host, authorization, meta, contentType, extra string) {
		r := signedGet(t, nil)
		changed := Request{Method: method, Path: path, RawQuery: query, Host: host, Header: r.Header.Clone()}
		changed.Header.Set("Authorization", authorization)
		changed.Header.Set("X-Amz-Meta-Colour", meta)
		changed.Header.Set("Content-Type", contentType)
		if extra != "" {
			changed.Header.Set("X-Amz-Meta-Extra", extra)
		}
		auth, err := Parse(changed)
		if err != nil || auth.Verify(exampleKey()) != nil {
			return
		}
		if !sameMeaning(t, r, changed) {
			t.Errorf("verified:\n%+v\ninstead of\n%+v", changed, r)
		}
	})
}

func sameMeaning(t *testing.T, a, b Request) bool {
	t.Helper()
	pathA, errA := url.PathUnescape(a.Path)
	pathB, errB := url.PathUnescape(b.Path)
	queryA, errC := url.ParseQuery(a.RawQuery)
	queryB, errD := url.ParseQuery(b.RawQuery)
	if errA != nil || errB != nil || errC != nil || errD != nil || len(queryA) != len(queryB) || len(a.Header) != len(b.Header) {
		return false
	}
	for name := range queryA {
		slices.Sort(queryA[name])
		slices.Sort(queryB[name])
		if !slices.Equal(queryA[name], queryB[name]) {
			return false
		}
	}
	for name := range a.Header {
		if name != "Authorization" && spaced(a.Header.Get(name)) != spaced(b.Header.Get(name)) {
			return false
		}
	}
	return a.Method == b.Method && a.Host == b.Host && pathA == pathB
}

// spaced reads a header value without regard to how much white space it has.
func spaced(value string) string {
	return strings.Join(strings.FieldsFunc(value, func(c rune) bool { return c == ' ' || c == '\t' }), " ")
}
