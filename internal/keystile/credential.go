package keystile

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what an admin may write into a credential.
const (
	MaxDescriptionRunes = 256
	MaxOverlap          = 30 * 24 * time.Hour
)

// Status is what a credential, account or token is good for now.
type Status string

// The statuses.
const (
	StatusActive   Status = "active"
	StatusDisabled Status = "disabled"
	StatusExpired  Status = "expired"
	StatusRevoked  Status = "revoked"
)

// Credential is a virtual S3 key pair that only the gateway knows; no backend
// ever sees it. Its secrets are kept apart, in CredentialSecrets.
type Credential struct {
	AccessKeyID string // "AKIA" and 16 letters or digits, stable for life
	Description string
	Grants      []Grant
	Owner       string // account id; empty: no owner
	CreatedBy   string // account id
	CreatedAt   time.Time
	UpdatedAt   time.Time
	ExpiresAt   time.Time // zero: never
	DisabledAt  time.Time // zero: not disabled
	DisabledBy  string    // account id
	RevokedAt   time.Time // zero: not revoked; never undone
	RotatedAt   time.Time // zero: never rotated
	// OverlapUntil is when the secret before the last rotation stops working;
	// zero when there is none.
	OverlapUntil time.Time
	LastUsedAt   time.Time // approximate to a minute; zero: never
	// Generation is the store's generation of the last change.
	Generation int64
	// Limits bound what it writes; nil: it inherits its buckets' quotas.
	Limits *CredentialLimits
	// RGW marks the key of an RGW user, which is no credential in the store; nil
	// for every other.
	RGW *RGWIdentity
}

// CredentialSecrets are the sealed part of a credential.
type CredentialSecrets struct {
	Current  Secret
	Previous Secret // works until Credential.OverlapUntil
}

// StatusAt tells what the credential is good for at now. Revocation outranks
// disabling, which outranks expiry.
func (c *Credential) StatusAt(now time.Time) Status {
	switch {
	case !c.RevokedAt.IsZero():
		return StatusRevoked
	case !c.DisabledAt.IsZero():
		return StatusDisabled
	case !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt):
		return StatusExpired
	}
	return StatusActive
}

// Resolve finds what the bucket name that the client uses stands for. Outside
// the scope it is ErrDenied, whether or not such a bucket exists.
func (c *Credential) Resolve(clientName string) (Place, error) {
	for i := range c.Grants {
		if c.Grants[i].ClientName() == clientName {
			return c.Grants[i].Place(), nil
		}
	}
	return Place{}, fmt.Errorf("bucket %q is not in the scope: %w", clientName, ErrDenied)
}

// Authorize fails closed: a request that needs nothing is refused too.
func (c *Credential) Authorize(needs ...Need) error {
	if len(needs) == 0 {
		return fmt.Errorf("nothing requested: %w", ErrDenied)
	}
	for _, n := range needs {
		if !slices.ContainsFunc(c.Grants, func(g Grant) bool { return g.Allows(n) }) {
			return fmt.Errorf("%s: %w", n, ErrDenied)
		}
	}
	return nil
}

// Buckets lists the names that the client sees, sorted, each once.
func (c *Credential) Buckets() []string {
	names := make([]string, 0, len(c.Grants))
	for i := range c.Grants {
		names = append(names, c.Grants[i].ClientName())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Check validates what a person may choose: description, scope and expiry.
func (c *Credential) Check(now time.Time) error {
	var faults Faults
	CheckText("description", c.Description, MaxDescriptionRunes, &faults)
	checkGrants(c.Grants, &faults)
	if !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(now) {
		faults.Add("expires_at", "the expiry must lie in the future")
	}
	return faults.Err()
}

// CheckText bounds a free text of one line: not blank, at most limit runes, no
// control characters.
func CheckText(field, text string, limit int, faults *Faults) {
	switch {
	case strings.TrimSpace(text) == "":
		faults.Add(field, "must not be empty")
	case !utf8.ValidString(text):
		faults.Add(field, "must be valid UTF-8")
	case utf8.RuneCountInString(text) > limit:
		faults.Add(field, "must have at most %d characters", limit)
	case strings.ContainsFunc(text, unicode.IsControl):
		faults.Add(field, "must not have control characters")
	}
}

// accessKeyAlphabet is that of AWS: RFC 4648 base32.
var accessKeyAlphabet = base32.StdEncoding

// NewKeyPair makes a random access key ID ("AKIA" + 16, 80 random bits) and a
// secret of 40 characters (240 random bits).
func NewKeyPair() (accessKeyID string, secret Secret) {
	id := make([]byte, 10)
	_, _ = rand.Read(id) // never fails: crypto/rand ends the process instead
	return "AKIA" + accessKeyAlphabet.EncodeToString(id), NewSecretKey()
}

// NewSecretKey makes a random secret access key of 40 characters.
func NewSecretKey() Secret {
	b := make([]byte, 30)
	_, _ = rand.Read(b)
	return NewSecret(base64.StdEncoding.EncodeToString(b))
}
