package seal

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// KeyBytes is the length of a master key.
const KeyBytes = 32

const redacted = "[redacted]"

// Key is a master key. It cannot be printed: every format verb, JSON, text and
// slog yield "[redacted]". The zero Key seals nothing.
type Key struct {
	// In an unexported field fmt may call none of the methods below and prints
	// what it can reach, through pointers too. It cannot reach into a function.
	raw func() []byte
}

func keyOf(raw []byte) Key { return Key{func() []byte { return raw }} }

// NewKey makes a random key.
func NewKey() Key {
	raw := make([]byte, KeyBytes)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the process instead
	return keyOf(raw)
}

var errNotAKey = errors.New("a master key is 32 bytes in base64 or in 64 hex digits")

// ParseKey reads a key of 32 bytes in base64 (any alphabet, padded or not) or
// hex, with blanks around it. The error does not repeat the text.
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	b, err := decodeKey(text)
	if err != nil || len(b) != KeyBytes {
		return Key{}, errNotAKey
	}
	return keyOf(b), nil
}

func decodeKey(text string) ([]byte, error) {
	if len(text) == hex.EncodedLen(KeyBytes) {
		return hex.DecodeString(text)
	}
	text = strings.TrimRight(text, "=")
	if strings.ContainsAny(text, "-_") {
		return base64.RawURLEncoding.Strict().DecodeString(text)
	}
	return base64.RawStdEncoding.Strict().DecodeString(text)
}

// Derive makes a key of 32 bytes for another purpose (HKDF-SHA-256, RFC 5869). It
// tells nothing about the master key or the keys of other purposes, and is the
// same wherever the master key is.
func (k Key) Derive(purpose string) []byte {
	derived, err := hkdf.Key(sha256.New, k.raw(), nil, "keystile "+purpose, KeyBytes)
	if err != nil {
		panic(err) // only for a length that HKDF does not have
	}
	return derived
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.raw == nil }

// encode gives the key away as one line of its file.
func (k Key) encode() string { return base64.StdEncoding.EncodeToString(k.raw()) + "\n" }

// keyID names a key in blobs without telling anything about it.
type keyID [8]byte

func (k Key) id() keyID {
	h := sha256.New()
	h.Write([]byte("keystile master key id\x00"))
	h.Write(k.raw())
	return keyID(h.Sum(nil)[:8])
}

// Format implements fmt.Formatter for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// String implements fmt.Stringer.
func (k Key) String() string { return redacted }

// MarshalJSON never reveals.
func (k Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText never reveals.
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer.
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }
