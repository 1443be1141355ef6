package payload

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"keystile/internal/sigv4"
)

func mustTime(t *testing.T) time.Time {
	t.Helper()
	at, err := time.Parse("20060102T150405Z", testTime)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func headers(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

func TestDeclare(t *testing.T) {
	digest := hexSHA256("x")
	for _, tt := range []struct {
		name string
		s    Source
		want Declared
	}{
		{"anonymous", Source{ContentLength: 3}, Declared{Length: 3, EncodedLength: 3}},
		{"unknown length", Source{ContentLength: -1, PayloadHash: sigv4.UnsignedPayload}, Declared{Length: -1, EncodedLength: -1}},
		{"digest", Source{PayloadHash: digest}, Declared{SHA256: digest}},
		{"digest in upper case", Source{PayloadHash: strings.ToUpper(digest)}, Declared{SHA256: digest}},
		{"all of a plain PUT", Source{PayloadHash: digest, ContentLength: 1, Header: headers(
			"Content-MD5: XrY7u+Ae7tCTyyK7j1rNww==", "X-Amz-Checksum-Crc32: DUoRhQ==",
			"X-Amz-Sdk-Checksum-Algorithm: CRC32", "X-Amz-Checksum-Mode: ENABLED")},
			Declared{Length: 1, EncodedLength: 1, SHA256: digest, ContentMD5: "XrY7u+Ae7tCTyyK7j1rNww==",
				Checksums: []Checksum{{CRC32, "DUoRhQ=="}}}},
		{"signed chunks", Source{PayloadHash: sigv4.StreamingSigned, ContentLength: 200,
			Header: headers("X-Amz-Decoded-Content-Length: 11")},
			Declared{Framing: AWSChunkedSigned, Length: 11, EncodedLength: 200}},
		{"unsigned chunks with a trailer", Source{PayloadHash: sigv4.StreamingUnsignedTrailer, ContentLength: -1,
			Header: headers("X-Amz-Decoded-Content-Length: 0", "X-Amz-Trailer: X-Amz-Checksum-Crc64nvme",
				"X-Amz-Sdk-Checksum-Algorithm: crc64nvme")},
			Declared{Framing: AWSChunkedUnsignedTrailer, EncodedLength: -1, Trailers: []string{"x-amz-checksum-crc64nvme"}}},
		{"signed chunks with a trailer", Source{PayloadHash: sigv4.StreamingSignedTrailer, ContentLength: -1,
			Header: headers("X-Amz-Decoded-Content-Length: 5", "X-Amz-Trailer: x-amz-checksum-crc32c")},
			Declared{Framing: AWSChunkedSignedTrailer, Length: 5, EncodedLength: -1, Trailers: []string{"x-amz-checksum-crc32c"}}},
		{"checksum in the query", Source{Query: url.Values{"x-amz-checksum-crc32": {"DUoRhQ=="}}},
			Declared{Checksums: []Checksum{{CRC32, "DUoRhQ=="}}}},
		{"checksum of nothing in the query", Source{ContentLength: 5,
			Query: url.Values{"x-amz-checksum-crc32": {"AAAAAA=="}, "x-amz-sdk-checksum-algorithm": {"CRC32"}}},
			Declared{Length: 5, EncodedLength: 5}},
		{"a header speaks before the query", Source{Query: url.Values{"x-amz-checksum-sha1": {"bad"}},
			Header: headers("X-Amz-Checksum-Crc32: DUoRhQ==")}, Declared{Checksums: []Checksum{{CRC32, "DUoRhQ=="}}}},
		{"checksum of an object", Source{ObjectChecksums: true, Header: headers("X-Amz-Checksum-Crc32: DUoRhQ==-7",
			"X-Amz-Checksum-Type: COMPOSITE")}, Declared{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Declare(tt.s)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestDeclareRefuses(t *testing.T) {
	const streaming = sigv4.StreamingUnsignedTrailer
	for _, tt := range []struct {
		name, hash string
		lines      []string
		want       error
	}{
		{"payload hash of 63 digits", strings.Repeat("0", 63), nil, ErrInvalidPayloadHash},
		{"payload hash of letters", strings.Repeat("x", 64), nil, ErrInvalidPayloadHash},
		{"SigV4A chunks", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", nil, ErrInvalidPayloadHash},
		{"event stream", "STREAMING-AWS4-HMAC-SHA256-EVENTS", nil, ErrInvalidPayloadHash},
		{"keyword in lower case", "unsigned-payload", nil, ErrInvalidPayloadHash},
		{"no decoded length", streaming, nil, ErrLengthRequired},
		{"decoded length in words", streaming, []string{"X-Amz-Decoded-Content-Length: ten"}, ErrLengthRequired},
		{"negative decoded length", streaming, []string{"X-Amz-Decoded-Content-Length: -1"}, ErrLengthRequired},
		{"decoded length with a plus", streaming, []string{"X-Amz-Decoded-Content-Length: +1"}, ErrLengthRequired},
		{"decoded length out of range", streaming, []string{"X-Amz-Decoded-Content-Length: 99999999999999999999"}, ErrLengthRequired},
		{"two decoded lengths", streaming, []string{"X-Amz-Decoded-Content-Length: 1", "X-Amz-Decoded-Content-Length: 1"}, ErrInvalidRequest},
		{"decoded length of an unframed body", "", []string{"X-Amz-Decoded-Content-Length: 8"}, ErrInvalidRequest},
		{"trailer of an unframed body", "", []string{"X-Amz-Trailer: x-amz-checksum-crc32"}, ErrInvalidRequest},
		{"trailer of a framing without", sigv4.StreamingSigned,
			[]string{"X-Amz-Decoded-Content-Length: 1", "X-Amz-Trailer: x-amz-checksum-crc32"}, ErrInvalidRequest},
		{"trailer that is no checksum", streaming, []string{"X-Amz-Decoded-Content-Length: 1", "X-Amz-Trailer: x-amz-meta-a"}, ErrInvalidRequest},
		{"trailer of an unknown checksum", streaming, []string{"X-Amz-Decoded-Content-Length: 1", "X-Amz-Trailer: x-amz-checksum-crc16"}, ErrInvalidRequest},
		{"two trailers", streaming,
			[]string{"X-Amz-Decoded-Content-Length: 1", "X-Amz-Trailer: x-amz-checksum-crc32,x-amz-checksum-sha1"}, ErrInvalidRequest},
		{"trailer and header", streaming, []string{"X-Amz-Decoded-Content-Length: 1",
			"X-Amz-Trailer: x-amz-checksum-crc32", "X-Amz-Checksum-Crc32: DUoRhQ=="}, ErrInvalidRequest},
		{"two kinds of checksum", "", []string{"X-Amz-Checksum-Crc32: DUoRhQ==", "X-Amz-Checksum-Crc32c: yZRlqg=="}, ErrInvalidRequest},
		{"one kind twice", "", []string{"X-Amz-Checksum-Crc32: DUoRhQ==", "X-Amz-Checksum-Crc32: DUoRhQ=="}, ErrInvalidRequest},
		{"unknown checksum", "", []string{"X-Amz-Checksum-Crc16: AAA="}, ErrInvalidRequest},
		{"checksum of another length", "", []string{"X-Amz-Checksum-Sha256: DUoRhQ=="}, ErrInvalidRequest},
		{"checksum that is not base64", "", []string{"X-Amz-Checksum-Crc32: ????????"}, ErrInvalidRequest},
		{"checksum with stray bits", "", []string{"X-Amz-Checksum-Crc32: DUoRhR=="}, ErrInvalidRequest},
		{"composite checksum of a body", "", []string{"X-Amz-Checksum-Crc32: DUoRhQ==-2"}, ErrInvalidRequest},
		{"promised checksum is not there", "", []string{"X-Amz-Sdk-Checksum-Algorithm: CRC32"}, ErrInvalidRequest},
		{"promised checksum is another", "", []string{"X-Amz-Sdk-Checksum-Algorithm: SHA1", "X-Amz-Checksum-Crc32: DUoRhQ=="}, ErrInvalidRequest},
		{"unknown checksum is promised", "", []string{"X-Amz-Sdk-Checksum-Algorithm: CRC16"}, ErrInvalidRequest},
		{"Content-MD5 in hex", "", []string{"Content-MD5: 5eb63bbbe01eeed093cb22bb8f5acdc3"}, ErrInvalidDigest},
		{"empty Content-MD5", "", []string{"Content-MD5: "}, ErrInvalidDigest},
		{"two Content-MD5", "", []string{"Content-MD5: XrY7u+Ae7tCTyyK7j1rNww==", "Content-MD5: XrY7u+Ae7tCTyyK7j1rNww=="}, ErrInvalidDigest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Declare(Source{Header: headers(tt.lines...), PayloadHash: tt.hash, ContentLength: 9})
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	for _, query := range []url.Values{
		{"x-amz-checksum-crc32": {"bad"}},
		{"x-amz-checksum-crc32": {"DUoRhQ==", "DUoRhQ=="}},
		{"x-amz-checksum-crc32": {"DUoRhQ=="}, "X-Amz-Checksum-Crc32c": {"yZRlqg=="}},
	} {
		if _, err := Declare(Source{Query: query}); !errors.Is(err, ErrInvalidRequest) {
			t.Errorf("%v: %v", query, err)
		}
	}
}

func TestLearnLength(t *testing.T) {
	for _, tt := range []struct {
		name   string
		length int
		want   error
	}{{"empty", 0, nil}, {"small", 10, nil}, {"largest", MaxUnknownLength, nil}, {"larger", MaxUnknownLength + 1, ErrLengthRequired}} {
		t.Run(tt.name, func(t *testing.T) {
			data := strings.Repeat("x", tt.length)
			d := Declared{Length: -1, EncodedLength: -1}
			body, err := d.LearnLength(strings.NewReader(data))
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v", err)
			}
			if err != nil {
				return
			}
			if got, _, err := consume(body, d, 1000); err != nil || got != data {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	known := Declared{Length: 5}
	body := strings.NewReader("hello")
	if same, err := known.LearnLength(body); same != body || err != nil {
		t.Errorf("known length: %v, %v", same, err)
	}
}

func TestPlain(t *testing.T) {
	if d := (Declared{Length: 5}); !d.Plain() {
		t.Error("nothing to verify, yet not plain")
	}
	for _, d := range []Declared{{SHA256: hexSHA256("")}, {ContentMD5: sum(MD5, "")}, {Framing: AWSChunkedSigned},
		{Framing: AWSChunkedUnsignedTrailer}, {Checksums: []Checksum{{CRC32, sum(CRC32, "")}}}} {
		if d.Plain() {
			t.Errorf("%+v is not plain", d)
		}
	}
}

func TestWithoutAWSChunked(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {"aws-chunked", ""}, {"AWS-Chunked", ""}, {"gzip", "gzip"}, {"aws-chunked,gzip", "gzip"},
		{"gzip, aws-chunked", "gzip"}, {"gzip, aws-chunked, br", "gzip,br"}, {"aws-chunked,", ""}, {"aws-chunkedx", "aws-chunkedx"},
	} {
		if got := WithoutAWSChunked(tt.in); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}
