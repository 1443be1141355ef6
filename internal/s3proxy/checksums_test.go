package s3proxy_test

import (
	"crypto/md5"  //nolint:gosec // S3 defines it as a checksum
	"crypto/sha1" //nolint:gosec // S3 defines it as a checksum
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/minio/crc64nvme"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/zeebo/xxh3"
)

// checksums are all kinds that S3 has.
var checksums = map[string]func() hash.Hash{
	"CRC32":     func() hash.Hash { return crc32.NewIEEE() },
	"CRC32C":    func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	"CRC64NVME": func() hash.Hash { return crc64nvme.New() },
	"MD5":       md5.New, "SHA1": sha1.New, "SHA256": sha256.New, "SHA512": sha512.New,
	"XXHASH64": func() hash.Hash { return xxhash.New() },
	"XXHASH3":  func() hash.Hash { return xxh3.New() },
}

func sumOf(algorithm, body string) string {
	h := checksums[algorithm]()
	_, _ = io.WriteString(h, body)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// TestChecksumsOfEveryKind sends each kind in a header and as a trailer, in a
// body of a declared length and in one of chunks: right, and of another body.
func TestChecksumsOfEveryKind(t *testing.T) {
	for algorithm := range checksums {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			k := g.mint("prod/uploads:write")
			name := "x-amz-checksum-" + strings.ToLower(algorithm)
			for _, of := range []string{"hello", "jello"} {
				status, code := 200, ""
				if of != "hello" {
					status, code = 400, "BadDigest"
				}
				inHeader := call{method: put, path: "/uploads/" + of + "-header", body: "hello", payloadHash: "UNSIGNED-PAYLOAD"}
				inHeader.header = header(name, sumOf(algorithm, of), "X-Amz-Sdk-Checksum-Algorithm", algorithm)
				trailer := "5\r\nhello\r\n0\r\n" + name + ":" + sumOf(algorithm, of) + "\r\n\r\n"
				inTrailer := call{method: put, path: "/uploads/" + of + "-trailer", body: trailer, payloadHash: unsignedTrailer}
				inTrailer.header = header("X-Amz-Decoded-Content-Length", "5", "X-Amz-Trailer", name, "X-Amz-Sdk-Checksum-Algorithm", algorithm)
				chunked := inTrailer
				chunked.path = "/uploads/" + of + "-chunked"
				chunked.tamper = func(r *http.Request) { r.ContentLength = -1 }
				for _, c := range []call{inHeader, inTrailer, chunked} {
					wantStatus(t, g.do(k, c), status, code)
					g.backend.Wait()
					stored, there := g.backend.Objects("uploads")[strings.TrimPrefix(c.path, "/uploads/")]
					if there != (status == 200) || (there && string(stored) != "hello") {
						t.Errorf("%s: stored %v %q", c.path, there, stored)
					}
				}
			}
		})
	}
}

func TestAnnouncedChecksums(t *testing.T) {
	const sdk = "X-Amz-Sdk-Checksum-Algorithm"
	crc32, sha1 := "X-Amz-Checksum-Crc32", "X-Amz-Checksum-Sha1"
	for _, tt := range []struct {
		name   string
		header http.Header
		status int
		code   string
	}{
		{"with its value", header(sdk, "CRC32", crc32, sumOf("CRC32", "x")), 200, ""},
		{"in lower case", header(sdk, "crc32", crc32, sumOf("CRC32", "x")), 200, ""},
		{"without a value", header(sdk, "CRC32"), 400, "InvalidRequest"},
		{"with the value of another kind", header(sdk, "CRC32", sha1, sumOf("SHA1", "x")), 400, "InvalidRequest"},
		{"by minio's header, with its value", header("X-Amz-Checksum-Algorithm", "CRC32", crc32, sumOf("CRC32", "x")), 200, ""},
		{"by minio's header, with the value of another kind", header("X-Amz-Checksum-Algorithm", "SHA1", crc32, sumOf("CRC32", "x")), 400, "InvalidRequest"},
		{"of an unknown kind", header(sdk, "CRC16", crc32, sumOf("CRC32", "x")), 400, "InvalidRequest"},
		{"of two kinds", header(crc32, sumOf("CRC32", "x"), sha1, sumOf("SHA1", "x")), 400, "InvalidRequest"},
		{"with a value that is too short", header(crc32, "AAA="), 400, "InvalidRequest"},
		{"with a value that is not base64", header(crc32, "AAAA!!=="), 400, "InvalidRequest"},
		{"of a kind that S3 does not have", header("X-Amz-Checksum-Crc16", "AAA="), 501, "NotImplemented"},
		{"as a trailer of a body that has none", header("X-Amz-Trailer", "x-amz-checksum-crc32"), 400, "InvalidRequest"},
		{"a digest that is not one", header("Content-Md5", "AAAA"), 400, "InvalidDigest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			k := g.mint("prod/uploads:write")
			wantStatus(t, g.do(k, call{method: put, path: "/uploads/b.txt", body: "x", header: tt.header}), tt.status, tt.code)
			if tt.status != 200 {
				g.backendSaw(0)
			}
		})
	}
}

// TestLooseTrailers sends the trailer as minio-go writes it: its line ends in LF
// alone, with an empty line before the signature.
func TestLooseTrailers(t *testing.T) {
	for _, loose := range []bool{false, true} {
		for _, of := range []string{"hello", "jello"} {
			t.Run(fmt.Sprintf("loose %v, of %s", loose, of), func(t *testing.T) {
				t.Parallel()
				g := newGateway(t)
				k := g.mint("prod/uploads:write")
				end := "\r\n\r\n"
				if loose {
					end = "\n\r\n\r\n"
				}
				body := "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + crc32Of(of) + end
				c := trailerCall(5)
				c.body = body
				status, code := 200, ""
				if of != "hello" {
					status, code = 400, "BadDigest"
				}
				wantStatus(t, g.do(k, c), status, code)
				g.backend.Wait()
				if stored := g.stored("uploads") == 1; stored != (status == 200) {
					t.Errorf("stored %v", stored)
				}
			})
		}
	}
}

// TestSignedChunksWithinChunks sends signed chunks in a body without a declared
// length.
func TestSignedChunksWithinChunks(t *testing.T) {
	for _, tt := range []struct {
		name, old, with string
		status          int
	}{{"as signed", "", "", 200}, {"a changed chunk", "world", "w0rld", 403}, {"without its end", "\r\n0;", "\r\n1;", 400}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			k := g.mint("prod/uploads:write")
			c := call{
				method: put, path: "/uploads/b.txt", payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", date: time.Now(),
				header: header("X-Amz-Decoded-Content-Length", "10"),
			}
			var wire string
			c.header, wire = g.signedChunks(k, c, "hello", "world")
			c.body, c.unsigned = strings.Replace(wire, tt.old, tt.with, 1), true
			c.tamper = func(r *http.Request) { r.ContentLength = -1 }
			must(t, g.do(k, c).is(tt.status))
			g.backend.Wait()
			if got, there := g.backend.Objects("uploads")["b.txt"]; there != (tt.status == 200) || (there && string(got) != "helloworld") {
				t.Errorf("stored %v %q", there, got)
			}
		})
	}
}

// TestMinioGoTrailers has minio-go sign chunks and trailers, of every kind that
// it knows.
func TestMinioGoTrailers(t *testing.T) {
	g := newGateway(t)
	k := g.mint("prod/uploads:write")
	client, err := minio.New(g.addr, &minio.Options{
		Creds: credentials.NewStaticV4(k.id, k.secret.Reveal(), ""), Region: "eu-test-1", TrailingHeaders: true,
	})
	must(t, err)
	body := strings.Repeat("hello", 40_000)
	for _, kind := range []minio.ChecksumType{
		minio.ChecksumCRC32, minio.ChecksumCRC32C, minio.ChecksumCRC64NVME, minio.ChecksumSHA1, minio.ChecksumSHA256,
	} {
		_, err := client.PutObject(t.Context(), "uploads", kind.String(), strings.NewReader(body), int64(len(body)),
			minio.PutObjectOptions{Checksum: kind})
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if got := string(g.backend.Objects("uploads")[kind.String()]); got != body {
			t.Errorf("%s: %d bytes are stored", kind, len(got))
		}
	}
}
