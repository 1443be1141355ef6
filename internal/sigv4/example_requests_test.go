package sigv4

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The key pair and time of the examples in the Amazon S3 API Reference.
const (
	exampleID     = "AKIAIOSFODNN7EXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	exampleHost   = "examplebucket.s3.amazonaws.com"
	exampleScope  = exampleID + "/20130524/us-east-1/s3/aws4_request"
)

var exampleTime = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)

// headers makes a header from lines "Name: value".
func headers(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

func exampleAuth(signedHeaders, signature string) string {
	return "Authorization: AWS4-HMAC-SHA256 Credential=" + exampleScope +
		",SignedHeaders=" + signedHeaders + ",Signature=" + signature
}

// publishedExamples are those of "Signature Calculations for the Authorization
// Header: Transferring Payload in a Single Chunk", "… in Multiple Chunks",
// "… Including Trailing Headers" and "Authenticating Requests: Using Query
// Parameters".
var publishedExamples = []struct {
	name    string
	request Request
}{
	{"GET object", Request{Method: "GET", Path: "/test.txt", Host: exampleHost, Header: headers(
		exampleAuth("host;range;x-amz-content-sha256;x-amz-date",
			"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
		"Range: bytes=0-9", "X-Amz-Content-Sha256: "+EmptySHA256, "X-Amz-Date: 20130524T000000Z")}},
	{"PUT object", Request{Method: "PUT", Path: "/test$file.text", Host: exampleHost, Header: headers(
		exampleAuth("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
			"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
		"Date: Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Date: 20130524T000000Z",
		"X-Amz-Storage-Class: REDUCED_REDUNDANCY",
		"X-Amz-Content-Sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")}},
	{"GET bucket lifecycle", Request{Method: "GET", Path: "/", RawQuery: "lifecycle", Host: exampleHost, Header: headers(
		exampleAuth("host;x-amz-content-sha256;x-amz-date",
			"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
		"X-Amz-Date: 20130524T000000Z", "X-Amz-Content-Sha256: "+EmptySHA256)}},
	{"list objects", Request{Method: "GET", Path: "/", RawQuery: "max-keys=2&prefix=J", Host: exampleHost, Header: headers(
		exampleAuth("host;x-amz-content-sha256;x-amz-date",
			"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
		"X-Amz-Date: 20130524T000000Z", "X-Amz-Content-Sha256: "+EmptySHA256)}},
	{"presigned GET", Request{Method: "GET", Path: "/test.txt", Host: exampleHost, Header: http.Header{},
		RawQuery: "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
			"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
			"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"}},
	{"PUT in chunks", exampleChunked()},
	{"PUT in chunks with a trailer", exampleTrailer()},
}

func exampleChunked() Request {
	return Request{Method: "PUT", Path: "/examplebucket/chunkObject.txt", Host: "s3.amazonaws.com", ContentLength: 66824,
		Header: headers(
			exampleAuth("content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
				"4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"),
			"X-Amz-Date: 20130524T000000Z", "X-Amz-Storage-Class: REDUCED_REDUNDANCY",
			"X-Amz-Content-Sha256: "+StreamingSigned, "Content-Encoding: aws-chunked",
			"X-Amz-Decoded-Content-Length: 66560")}
}

func exampleTrailer() Request {
	return Request{Method: "PUT", Path: "/examplebucket/chunkObject.txt", Host: "s3.amazonaws.com", ContentLength: -1,
		Header: headers(
			exampleAuth("content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
				"106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"),
			"X-Amz-Date: 20130524T000000Z", "X-Amz-Storage-Class: REDUCED_REDUNDANCY",
			"X-Amz-Content-Sha256: "+StreamingSignedTrailer, "Content-Encoding: aws-chunked",
			"X-Amz-Decoded-Content-Length: 66560", "X-Amz-Trailer: x-amz-checksum-crc32c")}
}

func exampleKey() SigningKey {
	return DeriveKey(exampleSecret, Scope{Date: "20130524", Region: "us-east-1", Service: "s3"})
}

func TestPublishedExamplesVerify(t *testing.T) {
	for _, tt := range publishedExamples {
		t.Run(tt.name, func(t *testing.T) {
			auth, err := Parse(tt.request)
			if err != nil {
				t.Fatal(err)
			}
			if auth.AccessKeyID != exampleID || !auth.Time.Equal(exampleTime) {
				t.Errorf("access key %q at %v", auth.AccessKeyID, auth.Time)
			}
			if err := auth.Check(exampleTime.Add(time.Minute), "us-east-1"); err != nil {
				t.Error(err)
			}
			if err := auth.Verify(exampleKey()); err != nil {
				t.Error(err)
			}
			if err := auth.Verify(DeriveKey("another", auth.Scope)); !errors.Is(err, ErrMismatch) {
				t.Errorf("another secret: %v", err)
			}
		})
	}
}

// publishedChunks are the signatures of 64 KiB, 1 KiB and nothing, all of "a".
var publishedChunks = []struct {
	name    string
	request Request
	chunks  [3]string
	trailer string
}{
	{"without a trailer", exampleChunked(), [3]string{
		"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
		"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
		"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
	}, ""},
	{"with a trailer", exampleTrailer(), [3]string{
		"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
		"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
		"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
	}, "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"},
}

func TestPublishedChunksVerify(t *testing.T) {
	sums := [3][sha256.Size]byte{
		sha256.Sum256([]byte(strings.Repeat("a", 65536))),
		sha256.Sum256([]byte(strings.Repeat("a", 1024))),
		sha256.Sum256(nil),
	}
	trailer := sha256.Sum256([]byte("x-amz-checksum-crc32c:sOO8/Q==\n"))
	for _, tt := range publishedChunks {
		t.Run(tt.name, func(t *testing.T) {
			auth, err := Parse(tt.request)
			if err != nil {
				t.Fatal(err)
			}
			v := NewChunkVerifier(&auth, exampleKey())
			for i, signature := range tt.chunks {
				if err := v.Chunk(sums[i], []byte(signature)); err != nil {
					t.Fatalf("chunk %d: %v", i, err)
				}
			}
			if tt.trailer != "" {
				if err := v.Trailer(trailer, []byte(tt.trailer)); err != nil {
					t.Error(err)
				}
			}
			assertRefusals(t, &auth, tt.chunks, sums)
		})
	}
}

func assertRefusals(t *testing.T, auth *Authorization, chunks [3]string, sums [3][sha256.Size]byte) {
	t.Helper()
	fresh := func() *ChunkVerifier { return NewChunkVerifier(auth, exampleKey()) }
	if err := fresh().Chunk(sums[1], []byte(chunks[0])); !errors.Is(err, ErrMismatch) {
		t.Errorf("other data: %v", err)
	}
	if err := fresh().Chunk(sums[1], []byte(chunks[1])); !errors.Is(err, ErrMismatch) {
		t.Errorf("chunk out of order: %v", err)
	}
	if err := fresh().Chunk(sums[0], []byte(strings.ToUpper(chunks[0]))); !errors.Is(err, ErrMismatch) {
		t.Errorf("upper case: %v", err)
	}
	if err := fresh().Trailer(sums[0], []byte(chunks[0])); !errors.Is(err, ErrMismatch) {
		t.Errorf("chunk signature for a trailer: %v", err)
	}
	v := fresh()
	_ = v.Chunk(sums[0], nil)
	if err := v.Chunk(sums[0], []byte(chunks[0])); !errors.Is(err, ErrMismatch) {
		t.Errorf("after a failure: %v", err)
	}
	other := NewChunkVerifier(auth, DeriveKey("another", auth.Scope))
	if err := other.Chunk(sums[0], []byte(chunks[0])); !errors.Is(err, ErrMismatch) {
		t.Errorf("another secret: %v", err)
	}
}
