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

	"github.com/minio/crc64nvme"
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
)

// Algorithms lists all of them.
func Algorithms() []Algorithm {
	return []Algorithm{CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5}
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
	}
	return nil
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
