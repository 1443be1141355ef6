package payload

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

var framings = []Framing{AWSChunkedSigned, AWSChunkedSignedTrailer, AWSChunkedUnsignedTrailer}

// FuzzRoundTrip encodes data in random chunks and reads it in random pieces.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("hello world"), []byte{1, 3, 200}, uint8(0), uint16(5), false)
	f.Add([]byte{}, []byte{}, uint8(1), uint16(1), true)
	f.Add(bytes.Repeat([]byte("0;\r\n"), 200), []byte{255, 1}, uint8(2), uint16(4096), false)
	seed, verifier := newVerifier(f)
	f.Fuzz(func(t *testing.T, data, sizes []byte, kind uint8, piece uint16, loose bool) {
		framing := framings[int(kind)%len(framings)]
		e := encoder{framing: framing, prev: seed}
		rest := string(data)
		for i := 0; rest != ""; i++ {
			n := len(rest)
			if len(sizes) > 0 && len(data) < 1000 {
				n = min(n, 1+int(sizes[i%len(sizes)]))
			}
			e.chunk(rest[:n])
			rest = rest[n:]
		}
		if framing.trailer() {
			e.end(loose, "x-amz-checksum-sha256:"+sum(SHA256, string(data)))
		} else {
			e.end(false)
		}
		got, _, err := consume(&e.Buffer, declare(framing, len(data), verifier), 1+int(piece))
		if err != nil || got != string(data) {
			t.Errorf("%d of %d bytes, %v", len(got), len(data), err)
		}
	})
}

// FuzzTampered changes a valid stream at one place. Whatever comes through
// whole and without an error must be what was sent.
func FuzzTampered(f *testing.F) {
	const data = "some data, and more of it"
	seed, verifier := newVerifier(f)
	f.Add(uint8(0), uint16(0), uint16(1), []byte("9"), uint16(4), false)
	f.Add(uint8(1), uint16(90), uint16(3), []byte("\r\n"), uint16(100), true)
	f.Add(uint8(2), uint16(60), uint16(0), []byte("0\r\n"), uint16(1), false)
	f.Fuzz(func(t *testing.T, kind uint8, at, length uint16, replacement []byte, piece uint16, loose bool) {
		framing := framings[int(kind)%len(framings)]
		whole := stream(framing, seed, data, 7, loose)
		from := int(at) % (len(whole) + 1)
		to := min(len(whole), from+int(length))
		changed := whole[:from] + string(replacement) + whole[to:]
		got, _, err := consume(strings.NewReader(changed), declare(framing, len(data), verifier), 1+int(piece))
		if err == nil && got != data {
			t.Errorf("%q came through", got)
		}
		if err != nil && len(got) >= len(data) {
			t.Errorf("all bytes handed out before %v", err)
		}
	})
}

// FuzzDecoder reads anything: it must end, without a panic, and never hand out
// more than was declared, nor all of it with an error.
func FuzzDecoder(f *testing.F) {
	seed, verifier := newVerifier(f)
	for kind, framing := range framings {
		f.Add([]byte(stream(framing, seed, "some data", 4, kind == 1)), uint8(kind), uint16(9), uint16(3))
	}
	f.Add([]byte("7fffffffffffffff\r\n"), uint8(2), uint16(9), uint16(3))
	f.Fuzz(func(t *testing.T, body []byte, kind uint8, length, piece uint16) {
		d := declare(framings[int(kind)%len(framings)], int(length), verifier)
		got, _, err := consume(bytes.NewReader(body), d, 1+int(piece))
		if len(got) > int(length) || err != nil && length > 0 && len(got) == int(length) || err == nil && len(got) != int(length) {
			t.Errorf("%d of %d bytes, %v", len(got), length, err)
		}
		if d.Framing.Signed() && err == nil && got != "some data" {
			t.Errorf("unsigned data came through: %q", got)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	data := strings.Repeat("x", 1<<20)
	seed, verifier := newVerifier(b)
	crc := []Checksum{{CRC32, sum(CRC32, data)}}
	for _, bb := range []struct {
		name string
		body string
		d    func() Declared
	}{
		{"plain", data, func() Declared { return declare(Identity, len(data), nil) }},
		{"crc32", data, func() Declared {
			return Declared{Length: 1 << 20, EncodedLength: -1, Checksums: crc}
		}},
		{"unsigned chunks, crc64nvme", "100000\r\n" + data + "\r\n0\r\nx-amz-checksum-crc64nvme:" + sum(CRC64NVME, data) + "\r\n\r\n",
			func() Declared {
				return Declared{Framing: AWSChunkedUnsignedTrailer, Length: 1 << 20, EncodedLength: -1,
					Trailers: []string{CRC64NVME.Header()}}
			}},
		{"signed chunks", stream(AWSChunkedSigned, seed, data, 1<<16, false),
			func() Declared { return declare(AWSChunkedSigned, len(data), verifier) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(1 << 20)
			b.ReportAllocs()
			p := make([]byte, 64<<10)
			body := strings.NewReader("")
			for b.Loop() {
				body.Reset(bb.body)
				r, err := NewReader(body, bb.d())
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
