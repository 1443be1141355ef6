package s3proxy

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"keystile/internal/keystile"
)

// tokenSealer hides what a backend's continuation token says from a client that
// sees a part of a bucket as a bucket of its own: most tokens are the last key,
// and a client that could make its own would begin elsewhere.
//
// Each listing (place, prefix, delimiter) has an AES-256-GCM key of its own,
// derived with HMAC-SHA-256, so that a token opens for no other, and so that no
// one key is used often enough for random nonces to meet.
type tokenSealer struct{ key keystile.Secret }

// listing is what a continuation token goes on with.
type listing struct {
	place             keystile.Place
	prefix, delimiter string // as the client sent them
}

// aead makes the listing's cipher. Its nonces are random and stand before what
// it seals.
func (s tokenSealer) aead(l listing) cipher.AEAD {
	mac := hmac.New(sha256.New, []byte(s.key.Reveal()))
	for _, part := range []string{l.place.Bucket.Backend, l.place.Bucket.Name, l.place.Hidden, l.prefix, l.delimiter} {
		// Each after its length: no two listings are written alike.
		_, _ = mac.Write(binary.AppendUvarint(nil, uint64(len(part))))
		_, _ = mac.Write([]byte(part))
	}
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return aead
}

// seal makes the client's token from the backend's.
func (s tokenSealer) seal(l listing, backendToken string) string {
	return base64.RawURLEncoding.EncodeToString(s.aead(l).Seal(nil, nil, []byte(backendToken), nil))
}

// open takes the backend's token out of the client's. One that was altered, or
// made for another listing, is ErrInvalid.
func (s tokenSealer) open(l listing, token string) (string, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return "", fmt.Errorf("continuation token: %w", keystile.ErrInvalid)
	}
	plain, err := s.aead(l).Open(nil, nil, sealed, nil)
	if err != nil {
		return "", fmt.Errorf("continuation token: %w", keystile.ErrInvalid)
	}
	return string(plain), nil
}
