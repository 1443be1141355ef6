package keystile

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"time"
	"unicode/utf8"
)

// Role is what an account may do.
type Role string

// The roles. A readonly account sees what it was granted and changes nothing.
const (
	RoleAdmin    Role = "admin"
	RoleUser     Role = "user"
	RoleReadonly Role = "readonly"
)

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return r == RoleAdmin || r == RoleUser || r == RoleReadonly }

// Account is a person who signs in, or for whom API tokens act.
type Account struct {
	ID           string // UUID
	Name         string // unique, never changed
	Role         Role
	PasswordHash string // argon2id in PHC string format; empty: no local password
	CreatedAt    time.Time
	UpdatedAt    time.Time
	DisabledAt   time.Time // zero: not disabled
}

var accountName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{0,62}[a-z0-9]$`)

// CheckAccountName wants 2 to 64 lower-case letters, digits, dots, hyphens,
// underscores or at signs.
func CheckAccountName(name string, faults *Faults) {
	if !accountName.MatchString(name) {
		faults.Add("name", "must be 2 to 64 lower-case letters, digits, '.', '_', '-' or '@', begin and end with a letter or digit")
	}
}

// Bounds of a password in characters: NIST SP 800-63B's minimum is kept above,
// the maximum bounds the work of a guess.
const (
	MinPasswordRunes = 12
	MaxPasswordRunes = 256
)

// CheckPassword bounds a new password's length.
func CheckPassword(password string, faults *Faults) {
	n := utf8.RuneCountInString(password)
	if n < MinPasswordRunes || n > MaxPasswordRunes {
		faults.Add("password", "must have %d to %d characters", MinPasswordRunes, MaxPasswordRunes)
	}
}

// Session is one sign-in of an account. The cookie's value is never stored,
// only its hash.
type Session struct {
	ID         string // SHA-256 of the cookie's value, hex
	AccountID  string
	CSRF       string // token bound to the session, sent back in a header
	CreatedAt  time.Time
	LastSeenAt time.Time // approximate to a minute
	ExpiresAt  time.Time // absolute limit
	SourceIP   string
	UserAgent  string
}

// Token is an API token. It acts as its account and never above its role.
type Token struct {
	ID         string // UUID
	AccountID  string
	ProjectID  string // the one project it is good for; empty: wherever its account is
	Name       string
	Hash       string // SHA-256 of the token, hex
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: never
	RevokedAt  time.Time // zero: not revoked
	LastUsedAt time.Time // approximate to a minute; zero: never
}

// TokenPrefix begins every API token, so that scanners can find leaked ones.
const TokenPrefix = "ks_"

// NewToken makes a random API token (256 bits) and the hash that is stored.
func NewToken() (token Secret, hash string) {
	token = NewSecret(TokenPrefix + randomText(32))
	return token, HashToken(token.Reveal())
}

// NewSessionKey makes a random cookie value (256 bits) and the hash that is
// stored.
func NewSessionKey() (key Secret, hash string) {
	key = NewSecret(randomText(32))
	return key, HashToken(key.Reveal())
}

// HashToken is how tokens and session keys are looked up: they are random, so
// a plain SHA-256 suffices.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func randomText(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// NewPassword makes a random password of 24 characters (144 bits).
func NewPassword() Secret { return NewSecret(randomText(18)) }
