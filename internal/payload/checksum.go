package payload

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/minio/crc64nvme"
	"github.com/zeebo/xxh3"
)

// Algorithm is a checksum algorithm by its S3 name.
type Algorithm string

// The algorithms that can be verified.
const (
	CRC32     Algorithm = "CRC32"
	CRC32C    Algorithm = "CRC32C"
	CRC64NVME Algorithm = "CRC64NVME"
	SHA1      Algorithm = "SHA1"
	SHA256    Algorithm = "SHA256"
	SHA512    Algorithm = "SHA512"
	MD5       Algorithm = "MD5"
	XXHASH64  Algorithm = "XXHASH64"
	XXHASH3   Algorithm = "XXHASH3"
	XXHASH128 Algorithm = "XXHASH128"
)

// Algorithms lists all of them.
func Algorithms() []Algorithm {
	return []Algorithm{CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, XXHASH64, XXHASH3, XXHASH128}
}

// Usual reports whether S3 clients send the algorithm without being told to, or
// did so long before others were defined: CRC32, CRC32C, CRC64NVME, SHA1, SHA256.
func (a Algorithm) Usual() bool {
	switch a {
	case CRC32, CRC32C, CRC64NVME, SHA1, SHA256:
		return true
	}
	return false
}

// Sum is the checksum of data.
func (a Algorithm) Sum(data []byte) Checksum {
	h := a.newHash()
	h.Write(data)
	return Checksum{a, base64.StdEncoding.EncodeToString(h.Sum(nil))}
}

const checksumPrefix = "x-amz-checksum-"

// Checksum is a declared or verified checksum.
type Checksum struct {
	Algorithm Algorithm
	Value     string // base64
}

// Header returns the name, in lower case, of the header or trailer that
// carries the checksum.
func (a Algorithm) Header() string { return checksumPrefix + strings.ToLower(string(a)) }

// algorithmOf finds the algorithm of a name in any case, such as "crc32c".
func algorithmOf(name string) (Algorithm, bool) {
	a := Algorithm(strings.ToUpper(name))
	return a, a.size() != 0
}

// AlgorithmOf finds the algorithm of a header or trailer by its name in lower
// case.
func AlgorithmOf(header string) (Algorithm, bool) {
	suffix, ok := strings.CutPrefix(header, checksumPrefix)
	if !ok {
		return "", false
	}
	return algorithmOf(suffix)
}

// size is the length of a checksum in bytes, 0 for an unknown algorithm.
func (a Algorithm) size() int {
	switch a {
	case CRC32, CRC32C:
		return crc32.Size
	case CRC64NVME:
		return crc64nvme.Size
	case SHA1:
		return sha1.Size
	case SHA256:
		return sha256.Size
	case SHA512:
		return sha512.Size
	case MD5:
		return md5.Size
	case XXHASH64, XXHASH3:
		return 8
	case XXHASH128:
		return 16
	}
	return 0
}

// newHash returns nil for an unknown algorithm.
func (a Algorithm) newHash() hash.Hash {
	switch a {
	case CRC32:
		return crc32.NewIEEE()
	case CRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case CRC64NVME:
		return crc64nvme.New()
	case SHA1:
		return sha1.New()
	case SHA256:
		return sha256.New()
	case SHA512:
		return sha512.New()
	case MD5:
		return md5.New()
	case XXHASH64:
		return xxhash.New()
	case XXHASH3:
		return xxh3.New()
	case XXHASH128:
		return xxh128{xxh3.New()}
	}
	return nil
}

// xxh128 is XXH3 with its sum of 128 bits, in the canonical order of its bytes.
type xxh128 struct{ *xxh3.Hasher }

func (x xxh128) Size() int { return 16 }

func (x xxh128) Sum(b []byte) []byte {
	sum := x.Sum128().Bytes()
	return append(b, sum[:]...)
}

// decode reads the base64 value of a checksum, strictly and of the right length.
func (a Algorithm) decode(value string) ([]byte, bool) {
	sum, err := base64.StdEncoding.Strict().DecodeString(value)
	// The decoder skips line breaks; a header value holds none, a trailer's could.
	if err != nil || len(sum) == 0 || len(sum) != a.size() || strings.ContainsAny(value, "\r\n") {
		return nil, false
	}
	return sum, true
}
