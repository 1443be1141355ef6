package payload

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"keystile/internal/sigv4"
)

const (
	testSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	testScope  = "20130524/us-east-1/s3/aws4_request"
	testTime   = "20130524T000000Z"
)

// newVerifier signs a request for a streamed body and returns its seed
// signature and, anew on every call, the verifier of its chunks.
func newVerifier(t testing.TB) (seed string, verifier func() *sigv4.ChunkVerifier) {
	t.Helper()
	r := sigv4.Request{Method: "PUT", Path: "/b/k", Host: "h", Header: http.Header{}}
	now := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	signer := sigv4.NewSigner("AKIAIOSFODNN7EXAMPLE", testSecret, "us-east-1", "s3")
	if err := signer.Sign(r.Method, r.Path, "", r.Host, r.Header, sigv4.StreamingSigned, now); err != nil {
		t.Fatal(err)
	}
	auth, err := sigv4.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	key := sigv4.DeriveKey(testSecret, auth.Scope)
	if err := auth.Verify(key); err != nil {
		t.Fatal(err)
	}
	return auth.Signature, func() *sigv4.ChunkVerifier { return sigv4.NewChunkVerifier(&auth, key) }
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexSHA256(data string) string {
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:])
}

// encoder writes aws-chunked streams, independently of package sigv4.
type encoder struct {
	bytes.Buffer
	framing Framing
	prev    string // signature of the chunk before
}

func (e *encoder) sign(kind, rest string) string {
	key := []byte("AWS4" + testSecret)
	for part := range strings.SplitSeq(testScope, "/") {
		key = mac(key, part)
	}
	e.prev = hex.EncodeToString(mac(key, kind+"\n"+testTime+"\n"+testScope+"\n"+e.prev+"\n"+rest))
	return e.prev
}

func (e *encoder) chunk(data string) {
	e.WriteString(strconv.FormatInt(int64(len(data)), 16))
	if e.framing.Signed() {
		e.WriteString(";chunk-signature=" + e.sign("AWS4-HMAC-SHA256-PAYLOAD", hexSHA256("")+"\n"+hexSHA256(data)))
	}
	e.WriteString("\r\n")
	if data != "" {
		e.WriteString(data + "\r\n")
	}
}

// end writes the last chunk and the trailers, whose lines have no end yet.
// loose is the spelling of minio-go.
func (e *encoder) end(loose bool, trailers ...string) {
	e.chunk("")
	for _, line := range trailers {
		e.WriteString(line + map[bool]string{false: "\r\n", true: "\n"}[loose])
	}
	if loose && len(trailers) > 0 {
		e.WriteString("\r\n")
	}
	if e.framing == AWSChunkedSignedTrailer && len(trailers) > 0 {
		e.WriteString("x-amz-trailer-signature:" +
			e.sign("AWS4-HMAC-SHA256-TRAILER", hexSHA256(strings.Join(trailers, "\n")+"\n")) + "\r\n")
	}
	e.WriteString("\r\n")
}

// stream encodes data in chunks of the given size. A trailer framing gets the
// SHA-256 checksum as its trailer.
func stream(f Framing, seed, data string, size int, loose bool) string {
	e := encoder{framing: f, prev: seed}
	for rest := data; rest != ""; {
		n := min(size, len(rest))
		e.chunk(rest[:n])
		rest = rest[n:]
	}
	if f.trailer() {
		e.end(loose, "x-amz-checksum-sha256:"+sum(SHA256, data))
	} else {
		e.end(loose)
	}
	return e.String()
}

// sum is the base64 checksum of data.
func sum(a Algorithm, data string) string {
	h := a.newHash()
	h.Write([]byte(data))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// declare is what the headers of stream would say.
func declare(f Framing, length int, verifier func() *sigv4.ChunkVerifier) Declared {
	d := Declared{Framing: f, Length: int64(length), EncodedLength: -1}
	if f.trailer() {
		d.Trailers = []string{"x-amz-checksum-sha256"}
	}
	if f.Signed() {
		d.Chunks = verifier()
	}
	return d
}

// consume reads to the end in pieces of the given size, as a forwarder would.
func consume(body io.Reader, d Declared, piece int) (string, *Reader, error) {
	r, err := NewReader(body, d)
	if err != nil {
		return "", nil, err
	}
	var got strings.Builder
	p := make([]byte, piece)
	for {
		n, err := r.Read(p)
		got.Write(p[:n])
		if errors.Is(err, io.EOF) {
			return got.String(), r, nil
		}
		if err != nil {
			return got.String(), r, err
		}
	}
}

// mustRefuse makes sure that a body is refused for the right reason before its
// last byte, whatever the size of the reads, and that the refusal sticks.
func mustRefuse(t *testing.T, body string, declared func() Declared, want error) {
	t.Helper()
	for _, piece := range []int{1, 7, 100, 1 << 16} {
		d := declared()
		got, r, err := consume(strings.NewReader(body), d, piece)
		if !errors.Is(err, want) {
			t.Errorf("reads of %d: got %v, want %v", piece, err, want)
		}
		if int64(len(got)) >= d.Length && d.Length > 0 {
			t.Errorf("reads of %d: all %d bytes were handed out", piece, len(got))
		}
		if r == nil {
			continue
		}
		if n, again := r.Read(make([]byte, 10)); n != 0 || !errors.Is(again, want) {
			t.Errorf("reads of %d: then %d bytes, %v", piece, n, again)
		}
		if r.Checksums() != nil {
			t.Errorf("reads of %d: checksums of a refused body", piece)
		}
	}
}
