package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"hash/maphash"
	"sync/atomic"
)

// SigningKey is a secret narrowed to one day, region and service. It prints as
// "[redacted]".
type SigningKey struct {
	// Two pointers deep, so that fmt shows an address and not the key even
	// where it cannot call Format, as in an unexported field: it follows one
	// pointer when a verb does not fit.
	hidden *hiddenKey
}

type hiddenKey struct {
	key   *[sha256.Size]byte
	spare atomic.Pointer[keyedMAC] // ready for use
}

// keyedMAC is an HMAC with its key and the place of its result: making one
// costs more than using it.
type keyedMAC struct {
	hash.Hash
	sum [sha256.Size]byte
}

func (k SigningKey) bytes() []byte { return k.hidden.key[:] }

// mac computes the HMAC of text.
func (k SigningKey) mac(text []byte) [sha256.Size]byte {
	m := k.hidden.spare.Swap(nil)
	if m == nil {
		m = &keyedMAC{Hash: hmac.New(sha256.New, k.bytes())}
	}
	m.Write(text)
	m.Sum(m.sum[:0])
	sum := m.sum
	m.Reset()
	k.hidden.spare.Store(m)
	return sum
}

// Format prints "[redacted]" for every verb.
func (SigningKey) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte("[redacted]")) }

// DeriveKey computes the signing key of a secret.
func DeriveKey(secret string, s Scope) SigningKey {
	key := make([]byte, 0, 64)
	key = append(append(key, "AWS4"...), secret...)
	for _, part := range [...]string{s.Date, s.Region, s.Service, terminator} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return SigningKey{&hiddenKey{key: (*[sha256.Size]byte)(key)}}
}

const cacheWays = 4

// KeyCache keeps derived signing keys, so that a request costs one HMAC
// instead of five. It is safe for concurrent use and takes no lock: a fixed
// table of slots, each replaced whole. An entry is found only by the very
// secret that it was derived from, so a rotated secret needs no invalidation;
// the old one stays in memory until its slot is used again. A nil *KeyCache
// derives every time.
type KeyCache struct {
	seed maphash.Seed
	sets [][cacheWays]atomic.Pointer[cachedKey]
	next atomic.Uint32
}

type cachedKey struct {
	secret string
	scope  Scope
	key    SigningKey
}

// NewKeyCache makes a cache for about the given number of keys; one key takes
// some 200 bytes, and some 400 more once it has signed.
func NewKeyCache(keys int) *KeyCache {
	sets := max(1, (keys+cacheWays-1)/cacheWays)
	return &KeyCache{
		seed: maphash.MakeSeed(),
		sets: make([][cacheWays]atomic.Pointer[cachedKey], sets),
	}
}

// Key returns the signing key of secret for the scope s.
func (c *KeyCache) Key(secret string, s Scope) SigningKey {
	if c == nil {
		return DeriveKey(secret, s)
	}
	set := &c.sets[c.hash(secret, s)%uint64(len(c.sets))]
	for i := range set {
		if e := set[i].Load(); e != nil && e.secret == secret && e.scope == s {
			return e.key
		}
	}
	e := &cachedKey{secret: secret, scope: s, key: DeriveKey(secret, s)}
	for i := range set {
		if set[i].CompareAndSwap(nil, e) {
			return e.key
		}
	}
	set[c.next.Add(1)%cacheWays].Store(e)
	return e.key
}

func (c *KeyCache) hash(secret string, s Scope) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	_, _ = h.WriteString(secret)
	_, _ = h.WriteString(s.Date)
	_, _ = h.WriteString(s.Region)
	return h.Sum64()
}
