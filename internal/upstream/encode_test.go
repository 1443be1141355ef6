package upstream

import (
	"net/http"
	"net/url"
	"reflect"
	"testing"

	"keystile/internal/keystile"
)

// Each key is sent over a real connection; the fake sees the raw request line
// and verifies the signature from it.
func TestSendEncodesPathAndQuery(t *testing.T) {
	tests := []struct {
		name, key string
		query     url.Values
		want      string
	}{
		{"plain", "a/b.txt", nil, "/pics/a/b.txt"},
		{"bucket alone", "", nil, "/pics"},
		{"unreserved", "A-z_0.9~", nil, "/pics/A-z_0.9~"},
		{"space", "a b", nil, "/pics/a%20b"},
		{"plus", "a+b", nil, "/pics/a%2Bb"},
		{"percent", "100%", nil, "/pics/100%25"},
		{"an escape is no escape", "a%2Fb", nil, "/pics/a%252Fb"},
		{"unicode", "ü/日本", nil, "/pics/%C3%BC/%E6%97%A5%E6%9C%AC"},
		{"quotes", `'"` + "`", nil, "/pics/%27%22%60"},
		{"delimiters", "a?b#c&d=e;f:g@h!i$j,k(l)*", nil, "/pics/a%3Fb%23c%26d%3De%3Bf%3Ag%40h%21i%24j%2Ck%28l%29%2A"},
		{"backslash", `a\..\b`, nil, "/pics/a%5C..%5Cb"},
		{"line break", "a\r\nHost: x", nil, "/pics/a%0D%0AHost%3A%20x"},
		{"slash at the end", "a/", nil, "/pics/a/"},
		{"double slash", "a//b", nil, "/pics/a//b"},
		{"slash first", "/a", nil, "/pics//a"},
		{"dot", "a/./b", nil, "/pics/a/%2E/b"},
		{"dot dot", "../../other/b", nil, "/pics/%2E%2E/%2E%2E/other/b"},
		{"dot dot at the end", "a/..", nil, "/pics/a/%2E%2E"},
		{"dots that are names", "a/.../.b/..c", nil, "/pics/a/.../.b/..c"},
		{"sub-resource", "", url.Values{"uploads": {""}}, "/pics?uploads="},
		{"sorted", "", url.Values{"prefix": {"a/b c"}, "list-type": {"2"}, "delimiter": {"/"}}, "/pics?delimiter=%2F&list-type=2&prefix=a%2Fb%20c"},
		{"query delimiters", "k", url.Values{"versionId": {"a&b=c+d%#"}}, "/pics/k?versionId=a%26b%3Dc%2Bd%25%23"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeS3(t)
			b := f.backend(t, nil)
			prove(b)
			answer, err := b.Send(t.Context(), Request{Method: http.MethodGet, Bucket: "pics", Key: tt.key, Query: tt.query})
			must(t, err)
			drop(answer)
			f.noFaults(t)
			if got := f.seen(); len(got) != 1 || got[0].target != tt.want {
				t.Errorf("sent %+v, want %s", got, tt.want)
			}
		})
	}
}

func TestSendAddressesBuckets(t *testing.T) {
	f := newFakeS3(t)
	host := f.Listener.Addr().String()
	virtual := func(b *keystile.Backend) { b.PathStyle = false }
	tests := []struct {
		name, bucket, key string
		wantHost, want    string
	}{
		{"bucket in the host", "pics", "a/b", "pics." + host, "/a/b"},
		{"bucket alone", "pics", "", "pics." + host, "/"},
		{"dots without TLS", "pics.example.com", "a", "pics.example.com." + host, "/a"},
		{"old names stay in the path", "Old_Bucket", "a", host, "/Old_Bucket/a"},
		{"a backend's own API stays behind the bucket", "pics", "minio/admin/v3/info", host, "/pics/minio/admin/v3/info"},
		{"in any case", "pics", "Admin", host, "/pics/Admin"},
		{"a name that only begins like one", "pics", "admins/x", "pics." + host, "/admins/x"},
		{"no bucket", "", "", host, "/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := len(f.seen())
			answer, err := f.backend(t, virtual).Send(t.Context(), Request{Method: http.MethodGet, Bucket: tt.bucket, Key: tt.key})
			must(t, err)
			drop(answer)
			f.noFaults(t)
			if got := f.seen()[before]; got.host != tt.wantHost || got.target != tt.want {
				t.Errorf("sent %+v, want %s at %s", got, tt.want, tt.wantHost)
			}
		})
	}
}

func TestHostOfEndpoint(t *testing.T) {
	for _, tt := range []struct {
		endpoint, bucket, host, path string
		pathStyle                    bool
	}{
		{"https://S3.example.com", "pics", "pics.s3.example.com", "/k", false},
		{"https://s3.example.com:443/", "pics", "pics.s3.example.com", "/k", false},
		{"https://s3.example.com:8443", "pics", "pics.s3.example.com:8443", "/k", false},
		{"http://s3.example.com:80", "pics", "pics.s3.example.com", "/k", false},
		{"http://s3.example.com:443", "pics", "pics.s3.example.com:443", "/k", false},
		{"https://s3.example.com", "pi.cs", "s3.example.com", "/pi.cs/k", false},
		{"https://s3.example.com", "pics", "s3.example.com", "/pics/k", true},
		{"http://[::1]:9000", "pics", "[::1]:9000", "/pics/k", true},
	} {
		info := keystile.Backend{ID: "x", Kind: keystile.KindS3, Endpoint: tt.endpoint, PathStyle: tt.pathStyle}
		b := newBackend(Endpoint{Backend: info}, NewDialer(), nil, nil)
		if host, path := b.address(tt.bucket, "k", asDeclared); host != tt.host || path != tt.path {
			t.Errorf("%s, %s: %s %s, want %s %s", tt.endpoint, tt.bucket, host, path, tt.host, tt.path)
		}
	}
}

func TestCopySourceIsEncoded(t *testing.T) {
	for _, tt := range []struct {
		source Object
		want   string
	}{
		{Object{"pics", "a b/ü", ""}, "pics/a%20b/%C3%BC"},
		{Object{"pics", "a?versionId=x", "v&1"}, "pics/a%3FversionId%3Dx?versionId=v%261"},
		{Object{"pics", "../other/k", ""}, "pics/%2E%2E/other/k"},
	} {
		if got := encodeCopySource(tt.source); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.source, got, tt.want)
		}
	}
}

// FuzzEncodeKey: what is sent decodes to the key, and no segment of it is
// plainly a dot segment.
func FuzzEncodeKey(f *testing.F) {
	for _, key := range []string{"a/b", "..", "./../x", "%2e%2e/", "a\x00b", "ü//", "?#"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		path := EncodePath("bucket", key)
		decoded, err := url.PathUnescape(path)
		want := "/bucket"
		if key != "" {
			want += "/" + key
		}
		if err != nil || decoded != want {
			t.Fatalf("%q became %q (%v)", key, path, err)
		}
		for i, segment := range splitPath(path) {
			if segment == "." || segment == ".." {
				t.Fatalf("segment %d of %q is %q", i, path, segment)
			}
		}
	})
}

func TestMetadataGoesOutInLowerCase(t *testing.T) {
	h := http.Header{"X-Amz-Meta-Colour": {"red"}, "X-Amz-Meta-Two": {"a", "b"}, "X-Amz-Acl": {"private"}}
	lowerMetadata(h)
	want := http.Header{"x-amz-meta-colour": {"red"}, "x-amz-meta-two": {"a", "b"}, "X-Amz-Acl": {"private"}}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("%v", h)
	}
}
