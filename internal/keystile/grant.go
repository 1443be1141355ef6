package keystile

import (
	"fmt"
	"strings"
)

// Grant is one line of a credential's scope.
type Grant struct {
	Bucket     Bucket
	Permission Permission
	// Prefix that every key must start with, byte by byte; empty means the whole
	// bucket.
	Prefix string
	// Alias is the bucket name that the client sees; empty means the real one.
	// With a prefix it shows the keys under that prefix as a bucket of its own:
	// the client sees them without the prefix.
	Alias string
}

// Place is what a client's bucket name stands for.
type Place struct {
	Bucket Bucket
	// Hidden is how every real key begins, a part that the client does not see.
	// It is empty where the client sees keys as they are.
	Hidden string
}

func (p Place) String() string {
	if p.Hidden == "" {
		return p.Bucket.String()
	}
	return p.Bucket.String() + "/" + p.Hidden
}

// Place is what the grant's ClientName stands for. Without an alias the prefix
// only filters: it is not hidden.
func (g Grant) Place() Place {
	if g.Alias == "" {
		return Place{Bucket: g.Bucket}
	}
	return Place{Bucket: g.Bucket, Hidden: g.Prefix}
}

// ClientName is the bucket name under which the client sees the grant.
func (g Grant) ClientName() string {
	if g.Alias != "" {
		return g.Alias
	}
	return g.Bucket.Name
}

// Target says what of a bucket a Need is about.
type Target uint8

// The targets.
const (
	TargetObject Target = iota // one key
	TargetPrefix               // every key that starts with Name
	TargetBucket               // the bucket's existence and location
)

// Need is one right that a request asks for, in the backend's names.
type Need struct {
	Permission Permission
	Bucket     Bucket
	Target     Target
	Name       string // the key or the prefix
}

func (n Need) String() string {
	return fmt.Sprintf("%s %s/%s", n.Permission, n.Bucket, n.Name)
}

// Allows reports whether the grant alone covers the need. A bucket's existence
// is known to whoever holds any grant on it.
func (g Grant) Allows(n Need) bool {
	if g.Bucket != n.Bucket {
		return false
	}
	if n.Target == TargetBucket {
		return g.Permission != 0
	}
	return g.Permission.Has(n.Permission) && strings.HasPrefix(n.Name, g.Prefix)
}

// String writes the grant as the command line takes it.
func (g Grant) String() string {
	s := g.Bucket.String()
	if g.Prefix != "" {
		s += "/" + g.Prefix
	}
	s += ":" + g.Permission.String()
	if g.Alias != "" {
		s += "@" + g.Alias
	}
	return s
}

// ParseGrant reads BACKEND/BUCKET[/PREFIX]:PERMISSIONS[@ALIAS], split at the
// last colon. A prefix gets a slash at its end unless exact is set. An empty
// prefix behind a slash is ErrInvalid: a variable that was not set must not
// open the whole bucket.
func ParseGrant(s string, exact bool) (Grant, error) {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 {
		return Grant{}, fmt.Errorf("grant %q is not BACKEND/BUCKET[/PREFIX]:read,list,write,delete[@ALIAS]: %w", s, ErrInvalid)
	}
	bucket, prefix, err := ParseScope(s[:colon], exact)
	if err != nil {
		return Grant{}, fmt.Errorf("grant %q: %w", s, err)
	}
	names, alias, hasAlias := strings.Cut(s[colon+1:], "@")
	if hasAlias && alias == "" {
		return Grant{}, fmt.Errorf("grant %q has an empty alias: %w", s, ErrInvalid)
	}
	permission, err := ParsePermissions(strings.Split(names, ","))
	if err != nil {
		return Grant{}, fmt.Errorf("grant %q: %w", s, err)
	}
	return Grant{bucket, permission, prefix, alias}, nil
}

// ParseScope reads BACKEND/BUCKET[/PREFIX]. A prefix gets a slash at its end
// unless exact is set. A slash with nothing behind it is ErrInvalid: it may be a
// prefix that got lost, and would open the whole bucket.
func ParseScope(s string, exact bool) (bucket Bucket, prefix string, err error) {
	backend, rest, _ := strings.Cut(s, "/")
	name, prefix, hasPrefix := strings.Cut(rest, "/")
	if backend == "" || name == "" {
		return Bucket{}, "", fmt.Errorf("%q is not BACKEND/BUCKET[/PREFIX]: %w", s, ErrInvalid)
	}
	if hasPrefix && prefix == "" {
		return Bucket{}, "", fmt.Errorf("%q has an empty prefix: leave out the slash to mean the whole bucket: %w", s, ErrInvalid)
	}
	if prefix != "" && !exact && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return Bucket{backend, name}, prefix, nil
}

// maxGrants bounds the scope of one credential.
const maxGrants = 1000

// CheckGrants validates a credential's whole scope and reports every fault,
// with fields named "grants[i].…". Grants that share a client name must share
// what it stands for, so that they only add permissions to one another.
func CheckGrants(grants []Grant) error {
	var faults Faults
	checkGrants(grants, &faults)
	return faults.Err()
}

func checkGrants(grants []Grant, faults *Faults) {
	if len(grants) == 0 {
		faults.Add("grants", "at least one bucket scope is needed")
	}
	if len(grants) > maxGrants {
		faults.Add("grants", "at most %d bucket scopes are allowed", maxGrants)
		return
	}
	named := map[string]int{}
	for i, g := range grants {
		field := fmt.Sprintf("grants[%d]", i)
		g.check(field, faults)
		first, taken := named[g.ClientName()]
		if !taken {
			named[g.ClientName()] = i
		} else if grants[first].Place() != g.Place() {
			faults.Add(field+".alias", "the client would see both %s and %s as %q: give one another alias", grants[first].Place(), g.Place(), g.ClientName())
		}
	}
}

func (g Grant) check(field string, faults *Faults) {
	if g.Bucket.Backend == "" {
		faults.Add(field+".backend", "a backend is needed")
	}
	if err := CheckBucketName(g.Bucket.Name); err != nil {
		faults.Add(field+".bucket", "%s", plain(err))
	}
	if g.Permission == 0 {
		faults.Add(field+".permissions", "at least one permission is needed")
	}
	if g.Prefix != "" {
		if err := CheckKey(g.Prefix); err != nil {
			faults.Add(field+".prefix", "%s", plain(err))
		} else if HasOddSegments(g.Prefix) {
			faults.Add(field+".prefix", "a prefix must not have \".\", \"..\" or empty segments")
		}
	}
	if g.Alias == "" {
		return
	}
	if err := CheckNewBucketName(g.Alias); err != nil {
		faults.Add(field+".alias", "%s", plain(err))
	}
	if len(g.Prefix) >= MaxKeyBytes {
		faults.Add(field+".prefix", "a prefix that an alias hides must leave room for keys: at most %d bytes", MaxKeyBytes-1)
	}
}

// plain is the error's text without the sentinel's name behind it.
func plain(err error) string {
	return strings.TrimSuffix(err.Error(), ": "+ErrInvalid.Error())
}
