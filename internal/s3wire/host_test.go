package s3wire_test

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"keystile/internal/s3wire"
)

var suffixes = []string{"s3.example.com", "example.com", "s3.localhost"}

func TestHostBucket(t *testing.T) {
	for _, tt := range []struct {
		name, host, bucket string
		virtual            bool
	}{
		{"a bucket", "photos.s3.example.com", "photos", true},
		{"with a port", "photos.s3.example.com:8090", "photos", true},
		{"with the root's dot", "photos.s3.example.com.", "photos", true},
		{"with both", "photos.s3.example.com.:80", "photos", true},
		{"with dots", "a.b-c.d.s3.example.com", "a.b-c.d", true},
		{"in capitals", "Photos.S3.Example.COM", "photos", true},
		{"the longest suffix counts", "x.s3.example.com", "x", true},
		{"a shorter suffix", "x.y.example.com", "x.y", true},
		{"another suffix", "x.s3.localhost:1", "x", true},
		{"no name at all", ".s3.localhost", "", true},
		{"the suffix itself", "s3.example.com", "", false},
		{"the suffix with a port", "S3.example.com:8090", "", false},
		{"a suffix under another", "s3.example.com.", "", false},
		{"another host", "photos.s3.example.org", "", false},
		{"a suffix without a dot before it", "photos3.localhost", "", false},
		{"a host that ends alike", "xs3.localhost", "", false},
		{"an address", "127.0.0.1:8090", "", false},
		{"an IPv6 address", "[::1]:8090", "", false},
		{"nothing", "", "", false},
		{"a port alone", ":80", "", false},
	} {
		if bucket, virtual := s3wire.HostBucket(tt.host, suffixes); bucket != tt.bucket || virtual != tt.virtual {
			t.Errorf("%s: %q is %q, %v", tt.name, tt.host, bucket, virtual)
		}
		if bucket, virtual := s3wire.HostBucket(tt.host, nil); bucket != "" || virtual {
			t.Errorf("%s: without suffixes %q is %q", tt.name, tt.host, bucket)
		}
	}
}

// to is a GET of the target at the host.
func to(t *testing.T, target, host string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAddressOfAHost(t *testing.T) {
	for _, tt := range []struct{ name, target, host, op, bucket, key string }{
		{"an object", "/a/b.txt", "photos.s3.example.com", "GetObject", "photos", "a/b.txt"},
		{"a key like a bucket", "/photos/a", "photos.s3.example.com:80", "GetObject", "photos", "photos/a"},
		{"a key that begins with a slash", "//a", "photos.s3.example.com", "GetObject", "photos", "/a"},
		{"an encoded slash", "/%2Fa%2F", "photos.s3.example.com", "GetObject", "photos", "/a/"},
		{"dots are part of the key", "/../payroll/a", "photos.s3.example.com", "GetObject", "photos", "../payroll/a"},
		{"the gateway's own path is a key", "/-/healthz", "photos.s3.example.com", "GetObject", "photos", "-/healthz"},
		{"the bucket", "/", "photos.s3.example.com", "ListObjects", "photos", ""},
		{"the bucket with a query", "/?list-type=2", "photos.s3.example.com", "ListObjectsV2", "photos", ""},
		{"the suffix alone", "/", "s3.example.com", "ListBuckets", "", ""},
		{"the suffix and a path", "/photos/a", "s3.example.com", "GetObject", "photos", "a"},
		{"another host", "/photos/a", "photos.example.org", "GetObject", "photos", "a"},
		{"an absolute target", "http://photos.s3.example.com/a/b", "photos.s3.example.com", "GetObject", "photos", "a/b"},
		{"an absolute target with a port", "http://photos.s3.example.com:80/photos", "photos.s3.example.com:80", "GetObject", "photos", "photos"},
		{"an absolute target without a path", "http://photos.s3.example.com?list-type=2", "photos.s3.example.com", "ListObjectsV2", "photos", ""},
		{"an absolute target of a path-style host", "HTTP://127.0.0.1/photos/a", "127.0.0.1", "GetObject", "photos", "a"},
	} {
		req, err := s3wire.Parse(to(t, tt.target, tt.host), suffixes...)
		if err != nil || req.Op.Name != tt.op || req.Bucket != tt.bucket || req.Key != tt.key {
			t.Errorf("%s: %+v, %v", tt.name, req, err)
		}
	}
	for _, tt := range []struct{ name, host, code string }{
		{"a reserved name", "admin.s3.example.com", "InvalidBucketName"},
		{"a reserved name in capitals", "ADMIN.s3.example.com", "InvalidBucketName"},
		{"no name", ".s3.example.com", "InvalidBucketName"},
		{"too short a name", "a.s3.example.com", "InvalidBucketName"},
		{"two dots", "a..b.s3.example.com", "InvalidBucketName"},
		{"a hyphen at its end", "ab-.s3.example.com", "InvalidBucketName"},
	} {
		_, err := s3wire.Parse(to(t, "/a", tt.host), suffixes...)
		if e := s3wire.AsError(err); err == nil || e.Code != tt.code {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// FuzzAddress: bucket and key are what host and path say, and nothing is lost.
func FuzzAddress(f *testing.F) {
	for _, s := range [][2]string{
		{"photos.s3.example.com:8090", "/a/b"}, {"s3.example.com", "/photos/a"}, {"a.b.example.com.", "/%2e%2e/x"}, {".s3.localhost", "/"},
		{"S3.Example.Com", "//"}, {"[::1]:80", "/photos/%2F"}, {"xs3.localhost", "/"}, {"admin.s3.localhost", "/a"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, host, path string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")))
		if err != nil || r.URL.Host != "" {
			return
		}
		req, err := s3wire.Parse(r, suffixes...)
		if err != nil {
			return
		}
		decoded, err := url.PathUnescape(r.URL.EscapedPath())
		if err != nil {
			t.Fatal(err)
		}
		bucket, virtual := s3wire.HostBucket(r.Host, suffixes)
		name, _, _ := strings.Cut(strings.ToLower(r.Host), ":")
		name = strings.TrimSuffix(name, ".")
		if virtual {
			if req.Bucket != bucket || decoded != "/"+req.Key || !strings.HasPrefix(name, bucket+".") || !strings.HasSuffix(name, req.Bucket+name[len(bucket):]) {
				t.Fatalf("%q %q is %q %q", host, path, req.Bucket, req.Key)
			}
			return
		}
		want := "/" + req.Bucket
		if req.Key != "" {
			want += "/" + req.Key
		}
		if decoded != want && decoded != want+"/" {
			t.Fatalf("%q %q is %q %q", host, path, req.Bucket, req.Key)
		}
	})
}
