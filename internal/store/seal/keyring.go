package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// The ways in which a blob does not open.
var (
	// ErrWrongKey: no key of the ring sealed it.
	ErrWrongKey = errors.New("sealed with another master key")
	// ErrCorrupt: it was altered, cut short, or belongs to another row or field.
	ErrCorrupt = errors.New("sealed value is corrupt or out of its place")
)

const (
	version    = 1
	nonceBytes = 12
	tagBytes   = 16
	headBytes  = 1 + len(keyID{})
	// Overhead is how many bytes longer than its plain text a blob is.
	Overhead = headBytes + nonceBytes + tagBytes
)

// Where names the place that a sealed value is stored in. A blob opens nowhere
// else.
type Where struct {
	Table, Row, Field string
}

// Keyring seals with its primary key and opens with any of its keys. It is safe
// for concurrent use and cannot be printed.
type Keyring struct {
	primary keyID
	ciphers map[keyID]cipher.AEAD
}

// New makes a ring that seals with primary. The older keys only open.
func New(primary Key, older ...Key) (*Keyring, error) {
	r := &Keyring{ciphers: map[keyID]cipher.AEAD{}}
	for _, key := range append([]Key{primary}, older...) {
		if key.IsZero() {
			return nil, errors.New("a master key is empty")
		}
		block, err := aes.NewCipher(key.raw())
		if err != nil {
			return nil, fmt.Errorf("master key: %w", err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("master key: %w", err)
		}
		r.ciphers[key.id()] = aead
	}
	r.primary = primary.id()
	return r, nil
}

// PrimaryID names the key that seals, as 16 hex digits. It is no secret.
func (r *Keyring) PrimaryID() string { return hex.EncodeToString(r.primary[:]) }

// Seal encrypts plain for the place where it is going to be stored.
func (r *Keyring) Seal(where Where, plain []byte) []byte {
	blob := make([]byte, headBytes+nonceBytes, Overhead+len(plain))
	blob[0] = version
	copy(blob[1:], r.primary[:])
	_, _ = rand.Read(blob[headBytes:]) // never fails: crypto/rand ends the process instead
	return r.ciphers[r.primary].Seal(blob, blob[headBytes:], plain, where.bind(blob[:headBytes]))
}

// Open decrypts a blob that Seal made for the same place. A blob of a key that
// is not on the ring is ErrWrongKey; all else that does not open is ErrCorrupt.
func (r *Keyring) Open(where Where, blob []byte) ([]byte, error) {
	if len(blob) < Overhead || blob[0] != version {
		return nil, where.fault(ErrCorrupt)
	}
	aead, ok := r.ciphers[keyID(blob[1:headBytes])]
	if !ok {
		return nil, where.fault(ErrWrongKey)
	}
	nonce, sealed := blob[headBytes:headBytes+nonceBytes], blob[headBytes+nonceBytes:]
	plain, err := aead.Open(nil, nonce, sealed, where.bind(blob[:headBytes]))
	if err != nil {
		return nil, where.fault(ErrCorrupt)
	}
	return plain, nil
}

// bind encodes the associated data: the blob's head and the place, each part
// after its length, so that no two places share an encoding.
func (w Where) bind(head []byte) []byte {
	data := append([]byte(nil), head...)
	for _, part := range []string{w.Table, w.Row, w.Field} {
		data = binary.AppendUvarint(data, uint64(len(part)))
		data = append(data, part...)
	}
	return data
}

func (w Where) fault(err error) error {
	return fmt.Errorf("%s %q, %s: %w", w.Table, w.Row, w.Field, err)
}

// Format implements fmt.Formatter for every verb.
func (r *Keyring) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// String implements fmt.Stringer.
func (r *Keyring) String() string { return redacted }
