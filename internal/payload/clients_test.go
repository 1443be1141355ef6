package payload

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/minio-go/v7/pkg/signer"

	"keystile/internal/sigv4"
)

const clientID = "AKIAIOSFODNN7EXAMPLE"

// receive does with a client's request what the gateway does, and returns the
// payload.
func receive(r *http.Request, body []byte, now time.Time) (string, Declared, error) {
	auth, err := sigv4.Parse(sigv4.Request{Method: r.Method, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery,
		Host: r.URL.Host, Header: r.Header, ContentLength: r.ContentLength})
	if err != nil {
		return "", Declared{}, err
	}
	if err := auth.Check(now, "us-east-1"); err != nil {
		return "", Declared{}, err
	}
	key := sigv4.DeriveKey(testSecret, auth.Scope)
	if err := auth.Verify(key); err != nil {
		return "", Declared{}, err
	}
	d, err := Declare(Source{Header: r.Header, Query: r.URL.Query(), PayloadHash: auth.PayloadHash, ContentLength: r.ContentLength})
	if err != nil {
		return "", d, err
	}
	if d.Framing.Signed() {
		d.Chunks = sigv4.NewChunkVerifier(&auth, key)
	}
	got, _, err := consume(bytes.NewReader(body), d, 4096)
	return got, d, err
}

// receiver stands in for the network under the AWS SDK.
type receiver struct {
	d   Declared
	got string
	err error
}

func (c *receiver) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, c.err = io.ReadAll(r.Body)
	}
	if c.err == nil {
		c.got, c.d, c.err = receive(r, body, time.Now())
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Etag": {`"x"`}}, Body: http.NoBody, Request: r}, nil
}

func TestAWSSDKUploads(t *testing.T) {
	data := strings.Repeat("some data ", 20000)
	for _, tt := range []struct {
		name, endpoint string
		body           io.Reader
		algorithm      types.ChecksumAlgorithm
		framing        Framing
	}{
		{"HTTPS", "https://gateway.example", strings.NewReader(data), "", AWSChunkedUnsignedTrailer},
		{"HTTPS, CRC32C", "https://gateway.example", strings.NewReader(data), types.ChecksumAlgorithmCrc32c, AWSChunkedUnsignedTrailer},
		{"HTTPS, CRC64NVME", "https://gateway.example", strings.NewReader(data), types.ChecksumAlgorithmCrc64nvme, AWSChunkedUnsignedTrailer},
		{"HTTPS, SHA256", "https://gateway.example", strings.NewReader(data), types.ChecksumAlgorithmSha256, AWSChunkedUnsignedTrailer},
		{"HTTP", "http://gateway.example", strings.NewReader(data), "", Identity},
		{"HTTP, SHA1", "http://gateway.example", strings.NewReader(data), types.ChecksumAlgorithmSha1, Identity},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c receiver
			client := s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String(tt.endpoint), UsePathStyle: true, HTTPClient: &c,
				Credentials: credentials.NewStaticCredentialsProvider(clientID, testSecret, ""), RetryMaxAttempts: 1,
				RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported})
			_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("a key+é/ü"),
				Body: tt.body, ChecksumAlgorithm: tt.algorithm, Metadata: map[string]string{"a": "b  c"}})
			if c.err != nil || c.got != data || c.d.Framing != tt.framing {
				t.Errorf("framing %d, %d bytes, %v", c.d.Framing, len(c.got), c.err)
			}
			if len(c.d.Checksums)+len(c.d.Trailers) != 1 {
				t.Errorf("no checksum was declared: %+v", c.d)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

type hasher struct{ hash.Hash }

func (hasher) Close() {}

func TestMinioGoUploads(t *testing.T) {
	now := time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)
	for _, length := range []int{0, 1, 65536, 200001} {
		data := strings.Repeat("x", length)
		for _, trailer := range []bool{false, true} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://gateway:8090/b/k", strings.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if trailer {
				r.Trailer = http.Header{"X-Amz-Checksum-Crc32c": {sum(CRC32C, data)}}
			}
			r = signer.StreamingSignV4(r, clientID, testSecret, "", "us-east-1", int64(length), now, hasher{sha256.New()})
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			if length == 0 {
				r.ContentLength = -1 // it is sent chunked
			}
			got, d, err := receive(r, body, now)
			if err != nil || got != data || (len(d.Trailers) == 1) != trailer {
				t.Errorf("%d bytes, trailer %v: %d came through, %v", length, trailer, len(got), err)
			}
			if length > 0 {
				body[bytes.Index(body, []byte("\r\n"))+2] ^= 1 // the first byte of data
				if _, _, err := receive(r, body, now); !errors.Is(err, ErrChunkSignature) {
					t.Errorf("%d bytes, trailer %v, tampered: %v", length, trailer, err)
				}
			}
		}
	}
}
