package payload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// framerOf frames body, of which declared is said, with a computed checksum.
func framerOf(t *testing.T, body io.Reader, d Declared, a Algorithm) *Framer {
	t.Helper()
	d.Compute = a
	r, err := NewReader(body, d)
	if err != nil {
		t.Fatal(err)
	}
	return NewFramer(r, d.Length, a)
}

// TestFramedBodyIsReadBack frames payloads of every awkward length and reads
// them with the decoder for clients' bodies.
func TestFramedBodyIsReadBack(t *testing.T) {
	for _, length := range []int{0, 1, 15, 16, 4095, frameChunk - 1, frameChunk, frameChunk + 1, 2 * frameChunk, 3*frameChunk + 7} {
		data := make([]byte, length)
		for i := range data {
			data[i] = byte(rand.IntN(256))
		}
		for _, a := range Algorithms() {
			for name, slow := range map[string]func(io.Reader) io.Reader{
				"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "halves": iotest.HalfReader,
				"with its end": iotest.DataErrReader,
			} {
				if length > 5000 && name == "byte by byte" && a != CRC32 {
					continue
				}
				d := Declared{Length: int64(length), EncodedLength: int64(length)}
				wire, err := io.ReadAll(slow(framerOf(t, slow(bytes.NewReader(data)), d, a)))
				if err != nil {
					t.Fatal(err)
				}
				if want := FramedLength(int64(length), a); int64(len(wire)) != want {
					t.Fatalf("%d bytes framed in %d, FramedLength says %d", length, len(wire), want)
				}
				back, err := NewReader(bytes.NewReader(wire), Declared{
					Framing: AWSChunkedUnsignedTrailer, Length: int64(length), EncodedLength: int64(len(wire)), Trailers: []string{a.Header()},
				})
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(back)
				if err != nil || !bytes.Equal(got, data) || back.Checksums()[0] != a.Sum(data) {
					t.Fatalf("%s of %d, %s: read back %d bytes, %v, %v", a, length, name, len(got), back.Checksums(), err)
				}
			}
		}
	}
}

// TestFramedBodyNeverEndsWrong makes sure that nothing that could be taken for
// a whole body is handed out of a payload that fails.
func TestFramedBodyNeverEndsWrong(t *testing.T) {
	const length = frameChunk + 100
	good := strings.Repeat("x", length)
	gone := errors.New("the client is gone")
	for _, tt := range []struct {
		name string
		body io.Reader
		d    Declared
		want error
	}{
		{"cut", strings.NewReader(good[:length-1]), Declared{}, ErrIncomplete},
		{"cut at a chunk's end", strings.NewReader(good[:frameChunk]), Declared{}, ErrIncomplete},
		{"empty", strings.NewReader(""), Declared{}, ErrIncomplete},
		{"longer than declared", strings.NewReader(good + "x"), Declared{}, ErrTooLong},
		{"lost", io.MultiReader(strings.NewReader(good[:frameChunk]), iotest.ErrReader(gone)), Declared{}, gone},
		{"wrong checksum", strings.NewReader(good), Declared{Checksums: []Checksum{CRC32C.Sum([]byte("other"))}}, ErrChecksum},
		{"wrong digest", strings.NewReader(good), Declared{SHA256: strings.Repeat("0", 64)}, ErrSHA256},
		{"wrong Content-MD5", strings.NewReader(good), Declared{ContentMD5: MD5.Sum([]byte("other")).Value}, ErrBadDigest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.d.Length, tt.d.EncodedLength = length, -1
			wire, err := io.ReadAll(framerOf(t, tt.body, tt.d, CRC32))
			if !errors.Is(err, tt.want) {
				t.Errorf("err = %v, want %v", err, tt.want)
			}
			if bytes.Contains(wire, []byte("x-amz-checksum")) || bytes.Contains(wire, []byte("\r\n0\r\n")) {
				t.Errorf("the end was handed out: %q", wire[len(wire)-60:])
			}
			if int64(len(wire)) >= FramedLength(length, CRC32) {
				t.Errorf("%d bytes were handed out", len(wire))
			}
		})
	}
}

// TestLeftTrailer passes a client's trailer on unverified, but never one of the
// wrong form or name.
func TestLeftTrailer(t *testing.T) {
	const body = "5\r\nhello\r\n0\r\n%s\r\n\r\n"
	for _, tt := range []struct {
		name, trailer string
		want          error
	}{
		{"right", "x-amz-checksum-crc32:" + CRC32.Sum([]byte("hello")).Value, nil},
		{"wrong, for the next to find", "x-amz-checksum-crc32:" + CRC32.Sum([]byte("other")).Value, nil},
		{"of another kind", "x-amz-checksum-crc32c:" + CRC32C.Sum([]byte("hello")).Value, ErrTrailer},
		{"another header", "x-amz-acl:public-read", ErrTrailer},
		{"not a checksum", "x-amz-checksum-crc32:AAA", ErrTrailer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire := fmt.Sprintf(body, tt.trailer)
			r, err := NewReader(strings.NewReader(wire), Declared{
				Framing: AWSChunkedUnsignedTrailer, Length: 5, EncodedLength: int64(len(wire)),
				Trailers: []string{"x-amz-checksum-crc32"}, LeaveTrailer: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			framed, err := io.ReadAll(NewFramer(r, 5, CRC32))
			if !errors.Is(err, tt.want) {
				t.Fatalf("err = %v, want %v", err, tt.want)
			}
			if tt.want == nil && string(framed) != wire {
				t.Errorf("framed anew: %q, want %q", framed, wire)
			}
		})
	}
}
