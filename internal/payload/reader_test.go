package payload

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func TestFramedPayloadsComeThrough(t *testing.T) {
	seed, verifier := newVerifier(t)
	arrivals := map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader,
		"in halves": iotest.HalfReader, "with its EOF": iotest.DataErrReader,
	}
	for _, f := range []Framing{AWSChunkedSigned, AWSChunkedSignedTrailer, AWSChunkedUnsignedTrailer} {
		for _, length := range []int{0, 1, 2, 255, 256, 4096, 20000} {
			data := strings.Repeat("0123456789abcdef~", length/17+1)[:length]
			for _, size := range []int{1, 9, 4096, 1 << 16} {
				if size == 1 && length > 300 {
					continue
				}
				for _, loose := range []bool{false, true} {
					body := stream(f, seed, data, size, loose)
					for arrival, wrap := range arrivals {
						for _, piece := range []int{1, 64, 1 << 15} {
							got, r, err := consume(wrap(strings.NewReader(body)), declare(f, length, verifier), piece)
							if err != nil || got != data {
								t.Fatalf("framing %d, %d bytes in chunks of %d, loose %v, %s, read by %d: %d bytes, %v",
									f, length, size, loose, arrival, piece, len(got), err)
							}
							if f.trailer() && (len(r.Checksums()) != 1 || r.Checksums()[0].Value != sum(SHA256, data)) {
								t.Fatalf("checksums %v", r.Checksums())
							}
						}
					}
				}
			}
		}
	}
}

func TestPlainPayloadsComeThrough(t *testing.T) {
	const data = "hello world"
	for _, tt := range []struct {
		name string
		d    Declared
	}{
		{"nothing declared", Declared{}},
		{"digest", Declared{SHA256: hexSHA256(data)}},
		{"Content-MD5", Declared{ContentMD5: sum(MD5, data)}},
		{"everything", Declared{SHA256: hexSHA256(data), ContentMD5: sum(MD5, data),
			Checksums: []Checksum{{SHA256, sum(SHA256, data)}}}},
		{"CRC32", Declared{Checksums: []Checksum{{CRC32, "DUoRhQ=="}}}},
		{"CRC32C", Declared{Checksums: []Checksum{{CRC32C, "yZRlqg=="}}}},
		{"CRC64NVME", Declared{Checksums: []Checksum{{CRC64NVME, "jSnVw/bqjr4="}}}},
		{"SHA1", Declared{Checksums: []Checksum{{SHA1, "Kq5sNclPz7QV2+lfQIuc6R7oRu0="}}}},
		{"SHA512", Declared{Checksums: []Checksum{{SHA512, sum(SHA512, data)}}}},
		{"MD5", Declared{Checksums: []Checksum{{MD5, "XrY7u+Ae7tCTyyK7j1rNww=="}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.d.Length, tt.d.EncodedLength = int64(len(data)), int64(len(data))
			for _, piece := range []int{1, 5, 11, 100} {
				got, r, err := consume(strings.NewReader(data), tt.d, piece)
				if err != nil || got != data {
					t.Errorf("%q, %v", got, err)
				}
				if len(r.Checksums()) != len(tt.d.Checksums) {
					t.Errorf("verified %v", r.Checksums())
				}
			}
			mustRefuse(t, data+"!", func() Declared { return tt.d }, ErrTooLong)
			mustRefuse(t, data[:10], func() Declared { return tt.d }, ErrIncomplete)
		})
	}
}

func TestPlainPayloadsAreRefused(t *testing.T) {
	const data, other = "hello world", "hello World"
	for _, tt := range []struct {
		name string
		d    Declared
		want error
	}{
		{"digest", Declared{SHA256: hexSHA256(other)}, ErrSHA256},
		{"Content-MD5", Declared{ContentMD5: sum(MD5, other)}, ErrBadDigest},
		{"CRC32", Declared{Checksums: []Checksum{{CRC32, sum(CRC32, other)}}}, ErrChecksum},
		{"CRC32C", Declared{Checksums: []Checksum{{CRC32C, sum(CRC32C, other)}}}, ErrChecksum},
		{"CRC64NVME", Declared{Checksums: []Checksum{{CRC64NVME, sum(CRC64NVME, other)}}}, ErrChecksum},
		{"SHA1", Declared{Checksums: []Checksum{{SHA1, sum(SHA1, other)}}}, ErrChecksum},
		{"SHA256", Declared{Checksums: []Checksum{{SHA256, sum(SHA256, other)}}}, ErrChecksum},
		{"SHA512", Declared{Checksums: []Checksum{{SHA512, sum(SHA512, other)}}}, ErrChecksum},
		{"good digest, bad checksum of the same kind", Declared{SHA256: hexSHA256(data),
			Checksums: []Checksum{{SHA256, sum(SHA256, other)}}}, ErrChecksum},
		{"good checksum, bad digest of the same kind", Declared{SHA256: hexSHA256(other),
			Checksums: []Checksum{{SHA256, sum(SHA256, data)}}}, ErrSHA256},
		{"no length", Declared{Length: -1}, ErrLengthRequired},
		{"unreadable digest", Declared{SHA256: "xyz"}, ErrInvalidPayloadHash},
		{"unreadable Content-MD5", Declared{ContentMD5: "xyz"}, ErrInvalidDigest},
		{"unreadable checksum", Declared{Checksums: []Checksum{{CRC32, "xyz"}}}, ErrInvalidRequest},
		{"unknown checksum", Declared{Checksums: []Checksum{{"CRC16", "xyz"}}}, ErrInvalidRequest},
		{"trailer that is no checksum", Declared{Trailers: []string{"expires"}}, ErrInvalidRequest},
		{"signed chunks, no signer", Declared{Framing: AWSChunkedSigned}, ErrChunkSignature},
		{"framed body shorter than its payload", Declared{Framing: AWSChunkedUnsignedTrailer, EncodedLength: 5}, ErrIncomplete},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.d.Length == 0 {
				tt.d.Length = int64(len(data))
			}
			if tt.d.EncodedLength == 0 {
				tt.d.EncodedLength = -1
			}
			mustRefuse(t, data, func() Declared { return tt.d }, tt.want)
		})
	}
}

func TestEmptyPayloadIsVerified(t *testing.T) {
	for _, tt := range []struct {
		name string
		d    Declared
		body string
		want error
	}{
		{"empty", Declared{SHA256: hexSHA256("")}, "", nil},
		{"digest of something", Declared{SHA256: hexSHA256("x")}, "", ErrSHA256},
		{"checksum of something", Declared{Checksums: []Checksum{{CRC32, sum(CRC32, "x")}}}, "", ErrChecksum},
		{"surplus", Declared{}, "x", ErrTooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := consume(strings.NewReader(tt.body), tt.d, 8)
			if got != "" || !errors.Is(err, tt.want) {
				t.Errorf("%q, %v", got, err)
			}
			r, err := NewReader(strings.NewReader(tt.body), tt.d)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == nil {
				tt.want = io.EOF
			}
			if n, err := r.Read(nil); n != 0 || !errors.Is(err, tt.want) {
				t.Errorf("read of nothing: %d, %v", n, err)
			}
		})
	}
}

func TestFailedReadsLeaveNothingBehind(t *testing.T) {
	const data = "hello world"
	r, err := NewReader(strings.NewReader(data), Declared{Length: 11, EncodedLength: 11, SHA256: hexSHA256("other")})
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 11)
	if n, err := r.Read(p); n != 0 || !errors.Is(err, ErrSHA256) || !bytes.Equal(p, make([]byte, 11)) {
		t.Errorf("%d, %v, %q", n, err, p)
	}
}

func TestErrorsOfTheConnectionPassThrough(t *testing.T) {
	broken := errors.New("connection reset")
	_, verifier := newVerifier(t)
	for _, f := range []Framing{Identity, AWSChunkedSigned, AWSChunkedUnsignedTrailer} {
		body := io.MultiReader(strings.NewReader("3"), iotest.ErrReader(broken))
		if _, _, err := consume(body, declare(f, 3, verifier), 8); !errors.Is(err, broken) || errors.Is(err, ErrIncomplete) {
			t.Errorf("framing %d: %v", f, err)
		}
		cut := io.MultiReader(strings.NewReader("3"), iotest.ErrReader(io.ErrUnexpectedEOF))
		if _, _, err := consume(cut, declare(f, 3, verifier), 8); !errors.Is(err, ErrIncomplete) {
			t.Errorf("framing %d, cut: %v", f, err)
		}
	}
	idle := readerFunc(func([]byte) (int, error) { return 0, nil })
	if _, _, err := consume(idle, declare(Identity, 3, nil), 8); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("idle reader: %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A chunk as large as the payload and a payload of one-byte chunks both pass
// with the memory of the reader alone.
func TestMemoryIsFlat(t *testing.T) {
	const large, tiny = 64 << 20, 1 << 20
	oneGiant := io.MultiReader(strings.NewReader("4000000\r\n"), io.LimitReader(zeros{}, large), strings.NewReader("\r\n0\r\n\r\n"))
	manyTiny := io.MultiReader(io.LimitReader(&repeated{text: "1\r\n0\r\n"}, 6*tiny), strings.NewReader("0\r\n\r\n"))
	for _, tt := range []struct {
		name   string
		body   io.Reader
		length int64
	}{{"one chunk", oneGiant, large}, {"one-byte chunks", manyTiny, tiny}} {
		t.Run(tt.name, func(t *testing.T) {
			d := Declared{Framing: AWSChunkedUnsignedTrailer, Length: tt.length, EncodedLength: -1}
			p := make([]byte, 32<<10)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r, err := NewReader(tt.body, d)
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, p)
			runtime.ReadMemStats(&after)
			if err != nil || n != tt.length {
				t.Fatalf("%d bytes, %v", n, err)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 {
				t.Errorf("allocated %d bytes", grown)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.text[r.at]
		r.at = (r.at + 1) % len(r.text)
	}
	return len(p), nil
}
