package sigv4

import (
	"crypto/sha256"
	"testing"
)

func BenchmarkVerify(b *testing.B) {
	for _, bb := range []struct {
		name    string
		request Request
	}{{"header", signedGet(b, nil)}, {"presigned", presignedGet(b, nil)}} {
		b.Run(bb.name, func(b *testing.B) {
			cache := NewKeyCache(16)
			b.ReportAllocs()
			for b.Loop() {
				auth, err := Parse(bb.request)
				if err != nil {
					b.Fatal(err)
				}
				if err := auth.Verify(cache.Key(exampleSecret, auth.Scope)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	s := NewSigner(exampleID, exampleSecret, "us-east-1", "s3")
	header := headers("Content-Type: text/plain", "X-Amz-Meta-Colour: blue")
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Sign("PUT", "/bucket/a%20key", "x-id=PutObject", "localhost:9000", header, UnsignedPayload, exampleTime); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDeriveKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		exampleKey()
	}
}

func BenchmarkChunk(b *testing.B) {
	auth, err := Parse(exampleChunked())
	if err != nil {
		b.Fatal(err)
	}
	sum := sha256.Sum256(nil)
	v := NewChunkVerifier(&auth, exampleKey())
	b.ReportAllocs()
	for b.Loop() {
		_ = v.Chunk(sum, v.prev[:])
	}
}
