package sigv4

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTamperedRequestDoesNotVerify(t *testing.T) {
	untouched, err := Parse(signedGet(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := untouched.Verify(exampleKey()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*Request)
	}{
		{"method", func(r *Request) { r.Method = "PUT" }},
		{"method in lower case", func(r *Request) { r.Method = "get" }},
		{"key", func(r *Request) { r.Path = "/bucket/b%20key" }},
		{"repeated slash", func(r *Request) { r.Path = "/bucket//a%20key" }},
		{"dot segment", func(r *Request) { r.Path = "/bucket/./a%20key" }},
		{"path escaped twice", func(r *Request) { r.Path = "/bucket/a%2520key" }},
		{"plus for a space in the path", func(r *Request) { r.Path = "/bucket/a+key" }},
		{"query value", func(r *Request) { r.RawQuery = "versionId=2&x=%2B" }},
		{"query name", func(r *Request) { r.RawQuery = "versionid=1&x=%2B" }},
		{"added parameter", func(r *Request) { r.RawQuery += "&acl" }},
		{"parameter taken away", func(r *Request) { r.RawQuery = "versionId=1" }},
		{"repeated parameter", func(r *Request) { r.RawQuery += "&x=%2B" }},
		{"decoded plus in the query", func(r *Request) { r.RawQuery = "versionId=1&x=+" }},
		{"host", func(r *Request) { r.Host = "elsewhere:8090" }},
		{"port", func(r *Request) { r.Host = "localhost:8091" }},
		{"content type", set("Content-Type", "text/html")},
		{"metadata", set("X-Amz-Meta-Colour", "deep red")},
		{"payload hash", set("X-Amz-Content-Sha256", UnsignedPayload)},
		{"time", set("X-Amz-Date", "20130524T000001Z")},
		{"region", replaceAuth("us-east-1", "eu-west-1")},
		{"service", replaceAuth("/s3/", "/iam/")},
		{"signature", replaceAuth("Signature=", "Signature=0")},
		{"no signature", func(r *Request) {
			before, _, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			r.Header.Set("Authorization", before+"Signature=")
		}},
		{"signature in upper case", func(r *Request) {
			before, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			r.Header.Set("Authorization", before+"Signature="+strings.ToUpper(signature))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			auth, err := Parse(signedGet(t, tt.change))
			if err != nil {
				t.Fatal(err)
			}
			if err := auth.Verify(exampleKey()); !errors.Is(err, ErrMismatch) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSameMeaningVerifies(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Request)
	}{
		{"needless escapes in the path", func(r *Request) { r.Path = "/%62ucket/a%20k%65y" }},
		{"lower-case escapes", func(r *Request) { r.RawQuery = "versionId=1&x=%2b" }},
		{"other order of parameters", func(r *Request) { r.RawQuery = "x=%2B&versionId=1" }},
		{"empty pairs", func(r *Request) { r.RawQuery = "&versionId=1&&x=%2B&" }},
		{"inner spaces of a header", set("X-Amz-Meta-Colour", "  deep     blue ")},
		{"spaces behind commas", replaceAuth(",SignedHeaders", ", SignedHeaders")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			auth, err := Parse(signedGet(t, tt.change))
			if err != nil {
				t.Fatal(err)
			}
			if err := auth.Verify(exampleKey()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVerifyRefusesBadPaths(t *testing.T) {
	for _, path := range []string{"bucket/key", "*", "/a%", "/a%2", "/a%zz", "http://host/key"} {
		t.Run(path, func(t *testing.T) {
			auth, err := Parse(signedGet(t, func(r *Request) { r.Path = path }))
			if err != nil {
				t.Fatal(err)
			}
			if err := auth.Verify(exampleKey()); !errors.Is(err, ErrEncoding) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	header, err := Parse(signedGet(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	presigned, err := Parse(presignedGet(t, nil)) // for an hour
	if err != nil {
		t.Fatal(err)
	}
	otherService := header
	otherService.Scope.Service = "iam"
	for _, tt := range []struct {
		name    string
		auth    Authorization
		after   time.Duration
		regions []string
		want    error
	}{
		{"at once", header, 0, []string{"us-east-1"}, nil},
		{"one of two regions", header, 0, []string{"eu-central-1", "us-east-1"}, nil},
		{"other region", header, 0, []string{"eu-central-1"}, ErrScope},
		{"no region", header, 0, nil, ErrScope},
		{"other service", otherService, 0, []string{"us-east-1"}, ErrScope},
		{"15 minutes late", header, MaxSkew, []string{"us-east-1"}, nil},
		{"later", header, MaxSkew + time.Second, []string{"us-east-1"}, ErrSkewed},
		{"15 minutes early", header, -MaxSkew, []string{"us-east-1"}, nil},
		{"earlier", header, -MaxSkew - time.Second, []string{"us-east-1"}, ErrSkewed},
		{"presigned, in its last second", presigned, time.Hour, []string{"us-east-1"}, nil},
		{"presigned, over", presigned, time.Hour + time.Second, []string{"us-east-1"}, ErrExpired},
		{"presigned, slightly early", presigned, -MaxSkew, []string{"us-east-1"}, nil},
		{"presigned, from the future", presigned, -MaxSkew - time.Second, []string{"us-east-1"}, ErrNotYetValid},
		{"presigned, other region", presigned, 0, []string{"eu-central-1"}, ErrScope},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.auth.Check(exampleTime.Add(tt.after), tt.regions...); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestSignedContentLengthIsThatOfTheBody(t *testing.T) {
	r := exampleChunked()
	r.ContentLength++
	auth, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.Verify(exampleKey()); !errors.Is(err, ErrMismatch) {
		t.Errorf("another length: %v", err)
	}
	r.ContentLength = -1
	if _, err := Parse(r); !errors.Is(err, ErrMismatch) {
		t.Errorf("unknown length: %v", err)
	}
}

func TestJoinedValues(t *testing.T) {
	r := Request{Method: "GET", Path: "/b/k", Host: "h", Header: headers("X-Amz-Meta-A: 1", "X-Amz-Meta-A: 2",
		"X-Amz-Object-Attributes: ETag", "X-Amz-Object-Attributes: ObjectSize")}
	s := NewSigner(exampleID, exampleSecret, "us-east-1", "s3")
	if err := s.Sign(r.Method, r.Path, "", r.Host, r.Header, EmptySHA256, exampleTime); err != nil {
		t.Fatal(err)
	}
	verify := func() error {
		auth, err := Parse(r)
		if err != nil {
			return err
		}
		return auth.Verify(exampleKey())
	}
	if err := verify(); err != nil {
		t.Error(err)
	}
	r.Header["X-Amz-Meta-A"] = []string{"2", "1"}
	if err := verify(); !errors.Is(err, ErrMismatch) {
		t.Errorf("other order: %v", err)
	}
	// A signed value that holds a comma must not be split into two lines.
	r.Header = headers("X-Amz-Copy-Source: /b/one,two")
	if err := s.Sign(r.Method, r.Path, "", r.Host, r.Header, EmptySHA256, exampleTime); err != nil {
		t.Fatal(err)
	}
	r.Header["X-Amz-Copy-Source"] = []string{"/b/one", "two"}
	if err := verify(); !errors.Is(err, ErrDuplicate) {
		t.Errorf("split copy source: %v", err)
	}
}
