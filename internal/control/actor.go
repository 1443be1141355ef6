package control

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"keystile/internal/keystile"
)

// Request is where an act comes from.
type Request struct {
	ID        string
	Source    netip.Addr
	UserAgent string
	// Success is the HTTP status that the client gets if all goes well, for the
	// audit event; 0 where there is no HTTP.
	Success int
}

// Actor is who acts. Use cases read the account anew before they change
// anything, so that an act cannot outlive the rights it began with.
type Actor struct {
	Account   keystile.Account
	SessionID string // of a signed-in person, else empty
	TokenID   string // of an API token, else empty
	ProjectID string // that the API token is bound to, else empty
	Request   Request
	system    bool
}

// SystemName is the account name in events of acts that no account did: the
// first run and the offline commands. No account may have it.
const SystemName = "system"

// System is the actor of acts that no account does. Whoever holds the store may
// act as it; no request of a client ever does.
func System() Actor {
	return Actor{Account: keystile.Account{Name: SystemName, Role: keystile.RoleAdmin}, system: true}
}

// who says which roles may do something.
type who func(keystile.Role) bool

// allowed checks what needs no store: the role, and that a token which is bound
// to a project is used for nothing else. Acts in a project look into which.
func (a Actor) allowed(action string, who who, inProject bool) error {
	if a.ProjectID != "" && !inProject {
		return fmt.Errorf("%s: %w", action, errBound)
	}
	if !who(a.Account.Role) {
		return fmt.Errorf("%s as %s: %w", action, a.Account.Role, keystile.ErrDenied)
	}
	return nil
}

var errBound = explain(keystile.ErrDenied, "this API token is bound to a project and good for nothing else")

func admins(r keystile.Role) bool  { return r == keystile.RoleAdmin }
func writers(r keystile.Role) bool { return r == keystile.RoleAdmin || r == keystile.RoleUser }
func anyone(r keystile.Role) bool  { return r.Valid() }

// printable cuts hostile text to at most limit bytes for an event: valid UTF-8
// without control characters.
func printable(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, s[:cut(s, limit)])
	return s[:cut(s, limit)]
}

// cut is the length of the longest prefix of at most limit bytes that ends at
// a character.
func cut(s string, limit int) int {
	if len(s) <= limit {
		return len(s)
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return limit
}
