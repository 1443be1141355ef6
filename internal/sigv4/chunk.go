package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// ChunkVerifier verifies the signatures inside a body that was sent as
// STREAMING-AWS4-HMAC-SHA256-PAYLOAD or …-TRAILER. Each covers the one before,
// the first that of the request, so chunks must be given in order. It is not
// safe for concurrent use.
type ChunkVerifier struct {
	mac    hash.Hash
	head   string // time and scope, as every string to sign repeats them
	prev   [2 * sha256.Size]byte
	want   [2 * sha256.Size]byte
	sum    [sha256.Size]byte
	text   []byte
	failed bool
}

// NewChunkVerifier begins with the signature of a request that key has
// verified.
func NewChunkVerifier(a *Authorization, key SigningKey) *ChunkVerifier {
	v := &ChunkVerifier{
		mac:    hmac.New(sha256.New, key.bytes()),
		head:   string(appendScope(a.Time.AppendFormat(nil, "\n"+isoFormat+"\n"), a.Scope)) + "\n",
		failed: len(a.Signature) != 2*sha256.Size,
	}
	copy(v.prev[:], a.Signature)
	return v
}

// Chunk verifies the signature, in hex, of the next chunk, whose data has the
// SHA-256 digest sum. The last chunk is empty. After an ErrMismatch every
// further call fails.
func (v *ChunkVerifier) Chunk(sum [sha256.Size]byte, signature []byte) error {
	v.begin("AWS4-HMAC-SHA256-PAYLOAD")
	v.text = append(v.text, EmptySHA256+"\n"...)
	if !v.match(sum, signature) {
		return fmt.Errorf("%w: chunk signature", ErrMismatch)
	}
	return nil
}

// Trailer verifies the signature, in hex, of the trailing headers, which
// follow the last chunk. sum is the SHA-256 digest of their canonical form:
// for each in the order sent, lower-case name, colon, value, line feed.
func (v *ChunkVerifier) Trailer(sum [sha256.Size]byte, signature []byte) error {
	v.begin("AWS4-HMAC-SHA256-TRAILER")
	if !v.match(sum, signature) {
		return fmt.Errorf("%w: trailer signature", ErrMismatch)
	}
	return nil
}

func (v *ChunkVerifier) begin(kind string) {
	v.text = append(append(v.text[:0], kind...), v.head...)
	v.text = append(append(v.text, v.prev[:]...), '\n')
}

func (v *ChunkVerifier) match(sum [sha256.Size]byte, signature []byte) bool {
	v.text = hex.AppendEncode(v.text, sum[:])
	v.mac.Reset()
	v.mac.Write(v.text)
	hex.Encode(v.want[:], v.mac.Sum(v.sum[:0]))
	if !hmac.Equal(v.want[:], signature) {
		v.failed = true
	}
	v.prev = v.want
	return !v.failed
}
