package embedded

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	digestHeader    = "X-Amz-Content-Sha256"
	unsigned        = "UNSIGNED-PAYLOAD"
	unsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func md5Of(body string) string {
	sum := md5.Sum([]byte(body))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func crc32Of(body string) string {
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(body)))
	return base64.StdEncoding.EncodeToString(sum)
}

// framed is an aws-chunked body of one chunk with a trailer.
func framed(body, trailer string) string {
	return fmt.Sprintf("%x\r\n%s\r\n0\r\n%s\r\n\r\n", len(body), body, trailer)
}

// TestBodyIsChecked records which declared digests the backend verifies. An
// upload that is refused must leave the object that was there.
func TestBodyIsChecked(t *testing.T) {
	const body = "the body that arrives"
	crc := "x-amz-checksum-crc32:"
	decoded := fmt.Sprint(len(body))
	tests := []struct {
		name   string
		header http.Header
		body   string
		status int
		code   string
	}{
		{"right digest", nil, body, 200, ""},
		{"right Content-MD5", headers("Content-MD5", md5Of(body)), body, 200, ""},
		{"right crc32", headers("X-Amz-Checksum-Crc32", crc32Of(body)), body, 200, ""},
		{"right trailer", headers(digestHeader, unsignedTrailer, "X-Amz-Trailer", "x-amz-checksum-crc32", "X-Amz-Decoded-Content-Length", decoded), framed(body, crc+crc32Of(body)), 200, ""},

		{"wrong digest", headers(digestHeader, strings.Repeat("0", 64)), body, 400, "XAmzContentSHA256Mismatch"},
		{"wrong Content-MD5", headers("Content-MD5", md5Of("other")), body, 400, "BadDigest"},
		{"wrong Content-MD5 of an unsigned body", headers(digestHeader, unsigned, "Content-MD5", md5Of("other")), body, 400, "BadDigest"},
		{"malformed Content-MD5", headers("Content-MD5", "short"), body, 400, "InvalidDigest"},
		{"wrong crc32", headers("X-Amz-Checksum-Crc32", crc32Of("other")), body, 400, "BadDigest"},
		{"wrong crc32 of an unsigned body", headers(digestHeader, unsigned, "X-Amz-Checksum-Crc32", crc32Of("other")), body, 400, "BadDigest"},
		{"wrong sha256 checksum", headers("X-Amz-Checksum-Sha256", base64.StdEncoding.EncodeToString(make([]byte, 32))), body, 400, "BadDigest"},
		{"malformed crc32", headers("X-Amz-Checksum-Crc32", "AAA="), body, 400, "InvalidRequest"},
		{"two checksums", headers("X-Amz-Checksum-Crc32", crc32Of(body), "X-Amz-Checksum-Sha1", base64.StdEncoding.EncodeToString(make([]byte, 20))), body, 400, "InvalidRequest"},
		{"wrong trailer", headers(digestHeader, unsignedTrailer, "X-Amz-Trailer", "x-amz-checksum-crc32", "X-Amz-Decoded-Content-Length", decoded), framed(body, crc+crc32Of("other")), 400, "BadDigest"},
		{"trailer missing", headers(digestHeader, unsignedTrailer, "X-Amz-Trailer", "x-amz-checksum-crc32", "X-Amz-Decoded-Content-Length", decoded), fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body), 400, "MalformedTrailerError"},
		{"trailer not announced", headers(digestHeader, unsignedTrailer, "X-Amz-Decoded-Content-Length", decoded), framed(body, crc+crc32Of(body)), 400, "MalformedTrailerError"},
		{"declared length too long", headers(digestHeader, unsignedTrailer, "X-Amz-Trailer", "x-amz-checksum-crc32", "X-Amz-Decoded-Content-Length", "99"), framed(body, crc+crc32Of(body)), 400, "IncompleteBody"},
		{"declared length too short", headers(digestHeader, unsignedTrailer, "X-Amz-Trailer", "x-amz-checksum-crc32", "X-Amz-Decoded-Content-Length", "3"), framed(body, crc+crc32Of(body)), 400, "IncompleteBody"},
	}
	p := start(t, t.TempDir())
	raw(t, p, "PUT", "/checked", nil, nil)
	upload, err := client(t, p).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("checked"), Key: aws.String("parts")})
	must(t, err)
	part := "/checked/parts?partNumber=1&uploadId=" + *upload.UploadId

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const old = "the old object"
			if got := raw(t, p, "PUT", "/checked/object", nil, []byte(old)); got.status != 200 {
				t.Fatal(got)
			}
			want := old
			if tt.status == 200 {
				want = body
			}
			for _, path := range []string{"/checked/object", part} {
				got := raw(t, p, "PUT", path, tt.header, []byte(tt.body))
				if got.status != tt.status || !strings.Contains(got.body, tt.code) {
					t.Errorf("PUT %s: %d %s; want %d %s", path, got.status, got.body, tt.status, tt.code)
				}
			}
			if got := raw(t, p, "GET", "/checked/object", nil, nil); got.body != want {
				t.Errorf("object is now %q, want %q", got.body, want)
			}
		})
	}
}

// TestTruncatedUploadIsNotStored hangs up in the middle of a body, for each way to
// declare it.
func TestTruncatedUploadIsNotStored(t *testing.T) {
	const size = 1 << 20
	whole := strings.Repeat("x", size)
	tests := []struct {
		name   string
		header http.Header
		body   string
	}{
		{"unsigned", headers(digestHeader, unsigned), whole},
		{"digest", headers(digestHeader, strings.Repeat("0", 64)), whole},
		{"unsigned with crc32 of what arrives", headers(digestHeader, unsigned, "X-Amz-Checksum-Crc32", crc32Of(whole[:size/2])), whole},
		{"unsigned with Content-MD5 of what arrives", headers(digestHeader, unsigned, "Content-MD5", md5Of(whole[:size/2])), whole},
		{"framed", headers(digestHeader, unsignedTrailer, "X-Amz-Trailer", "x-amz-checksum-crc32", "X-Amz-Decoded-Content-Length", fmt.Sprint(size)), framed(whole, "x-amz-checksum-crc32:"+crc32Of(whole))},
	}
	p := start(t, t.TempDir())
	c := client(t, p)
	bucket(t, c, "cut")
	must(t, put(t.Context(), c, "cut", "k", "old"))
	upload, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("cut"), Key: aws.String("parts")})
	must(t, err)
	for _, tt := range tests {
		for _, path := range []string{"/cut/k", "/cut/new/key", "/cut/parts?partNumber=1&uploadId=" + *upload.UploadId} {
			t.Run(tt.name+path[:6], func(t *testing.T) {
				cut(t, p, path, tt.header, tt.body)
			})
		}
	}
	if got := raw(t, p, "GET", "/cut/k", nil, nil); got.body != "old" {
		t.Errorf("object has %d bytes now", len(got.body))
	}
	if got := keys(t, c, "cut"); len(got) != 1 {
		t.Errorf("stored: %q", got)
	}
	parts, err := c.ListParts(t.Context(), &s3.ListPartsInput{Bucket: aws.String("cut"), Key: aws.String("parts"), UploadId: upload.UploadId})
	must(t, err)
	if len(parts.Parts) != 0 {
		t.Errorf("stored parts: %+v", parts.Parts)
	}
}

// cut signs a PUT of body, sends the first half of it, ends its side of the
// connection and waits for the server to end the other.
func cut(t *testing.T, p *Process, path string, header http.Header, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://embedded"+path, strings.NewReader(body))
	must(t, err)
	for name, values := range header {
		req.Header[name] = values
	}
	sign(t, p, req, header.Get(digestHeader))
	var wire bytes.Buffer
	must(t, req.Write(&wire))
	conn, err := p.Dial(t.Context())
	must(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write(wire.Bytes()[:wire.Len()-len(body)/2])
	must(t, err)
	must(t, conn.(*net.UnixConn).CloseWrite())
	got, err := io.ReadAll(conn)
	must(t, err)
	if !bytes.HasPrefix(got, []byte("HTTP/1.1 400")) {
		t.Errorf("half a body was not refused: %s", got)
	}
}

// TestChunkedRequestEndsItsConnection sends a request behind a chunked body that
// the server refuses unread, and one behind a body that it reads.
func TestChunkedRequestEndsItsConnection(t *testing.T) {
	p := start(t, t.TempDir())
	raw(t, p, "PUT", "/chunks", nil, nil)
	tests := []struct {
		name   string
		header http.Header
		body   string
		status int
	}{
		{"refused unread", headers(digestHeader, unsigned), "GET /-/healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n", 411},
		{"read", headers(digestHeader, unsignedTrailer, "X-Amz-Trailer", "x-amz-checksum-crc32", "X-Amz-Decoded-Content-Length", "5"), framed("hello", "x-amz-checksum-crc32:"+crc32Of("hello")), 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://embedded/chunks/k", io.MultiReader(strings.NewReader(tt.body)))
			must(t, err)
			req.ContentLength = -1
			for name, values := range tt.header {
				req.Header[name] = values
			}
			sign(t, p, req, tt.header.Get(digestHeader))
			var wire bytes.Buffer
			must(t, req.Write(&wire))
			wire.WriteString("GET /-/healthz HTTP/1.1\r\nHost: embedded\r\n\r\n")
			conn, err := p.Dial(t.Context())
			must(t, err)
			defer func() { _ = conn.Close() }()
			_, err = conn.Write(wire.Bytes())
			must(t, err)
			in := bufio.NewReader(conn)
			resp, err := http.ReadResponse(in, req)
			must(t, err)
			_, err = io.Copy(io.Discard, resp.Body)
			must(t, err)
			must(t, resp.Body.Close())
			if resp.StatusCode != tt.status || !resp.Close {
				t.Errorf("status %d, closes %v", resp.StatusCode, resp.Close)
			}
			if more, _ := io.ReadAll(in); len(more) != 0 {
				t.Errorf("a second answer came: %q", more)
			}
		})
	}
}
