// Package password hashes and verifies the passwords of accounts with argon2id
// (RFC 9106), written as PHC strings.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Params are the cost of one hash.
type Params struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

// Default is the cost that new hashes have: 19 MiB, two passes, one lane, as
// OWASP's "Password Storage Cheat Sheet" has it.
func Default() Params { return Params{MemoryKiB: 19 * 1024, Passes: 2, Lanes: 1} }

const (
	saltBytes = 16
	keyBytes  = 32
	// maxConcurrent bounds the memory that guesses can claim together.
	maxConcurrent = 4
	// maxMemoryKiB and maxPasses bound what a stored hash can make us spend.
	maxMemoryKiB = 1 << 20
	maxPasses    = 64
)

// ErrFormat is a stored hash that this package did not write.
var ErrFormat = errors.New("malformed password hash")

// Hasher hashes a few passwords at a time; further callers wait.
type Hasher struct {
	params Params
	slots  chan struct{}
	dummy  hash
}

// New makes a hasher whose new hashes cost params.
func New(params Params) *Hasher {
	h := &Hasher{params: params, slots: make(chan struct{}, maxConcurrent)}
	h.dummy = hash{Params: params, salt: make([]byte, saltBytes), key: make([]byte, keyBytes)}
	return h
}

// Hash returns the PHC string of the password under a new salt. It fails only
// if ctx ends while it waits.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	made := hash{Params: h.params, salt: make([]byte, saltBytes)}
	_, _ = rand.Read(made.salt) // never fails: crypto/rand ends the process instead
	key, err := h.derive(ctx, made, password)
	if err != nil {
		return "", err
	}
	made.key = key
	return made.String(), nil
}

// Verify tells whether the password is the one behind phc, and whether phc
// should be replaced because it was made at another cost.
func (h *Hasher) Verify(ctx context.Context, phc, password string) (ok, stale bool, err error) {
	stored, err := parse(phc)
	if err != nil {
		return false, false, err
	}
	key, err := h.derive(ctx, stored, password)
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(key, stored.key) == 1, stored.Params != h.params, nil
}

// VerifyNothing costs what Verify does, for accounts that do not exist or have
// no password, so that the time taken does not tell which do.
func (h *Hasher) VerifyNothing(ctx context.Context, password string) error {
	_, err := h.derive(ctx, h.dummy, password)
	return err
}

func (h *Hasher) derive(ctx context.Context, from hash, password string) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(password), from.salt, from.Passes, from.MemoryKiB, from.Lanes, keyBytes), nil
}

// hash is a PHC string taken apart.
type hash struct {
	Params
	salt, key []byte
}

func (h hash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.MemoryKiB, h.Passes, h.Lanes,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.key))
}

func parse(phc string) (hash, error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return hash{}, ErrFormat
	}
	var h hash
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.MemoryKiB, &h.Passes, &h.Lanes); err != nil {
		return hash{}, ErrFormat
	}
	var saltErr, keyErr error
	h.salt, saltErr = base64.RawStdEncoding.DecodeString(parts[4])
	h.key, keyErr = base64.RawStdEncoding.DecodeString(parts[5])
	// Written again it must be the same text: that refuses every odd spelling.
	if saltErr != nil || keyErr != nil || h.String() != phc || !h.bounded() {
		return hash{}, ErrFormat
	}
	return h, nil
}

func (h hash) bounded() bool {
	return h.MemoryKiB >= 8 && h.MemoryKiB <= maxMemoryKiB && h.Passes >= 1 && h.Passes <= maxPasses &&
		h.Lanes >= 1 && len(h.salt) >= 8 && len(h.key) == keyBytes
}
