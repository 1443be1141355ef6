package keystile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxKeyBytes is S3's limit on the length of an object key.
const MaxKeyBytes = 1024

// Bucket is always the pair of a backend and a bucket's name on it.
type Bucket struct {
	Backend string `json:"backend"`
	Name    string `json:"bucket"`
}

func (b Bucket) String() string { return b.Backend + "/" + b.Name }

// ParseBucket reads "BACKEND/BUCKET".
func ParseBucket(s string) (Bucket, error) {
	backend, name, ok := strings.Cut(s, "/")
	if !ok || backend == "" || name == "" || strings.Contains(name, "/") {
		return Bucket{}, fmt.Errorf("%q is not BACKEND/BUCKET: %w", s, ErrInvalid)
	}
	return Bucket{backend, name}, nil
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	dottedQuad = regexp.MustCompile(`^[0-9]+(\.[0-9]+){3}$`)
)

// Beginnings and ends that S3 keeps for itself. SDKs take a bucket with some of
// them for another kind of resource and sign or address it in another way.
var (
	keptPrefixes = []string{"amzn-s3-demo-", "sthree-", "xn--"}
	keptSuffixes = []string{"--ol-s3", "--table-s3", "--x-s3", "-s3alias", ".mrap"}
)

// CheckNewBucketName applies the naming rules for new buckets (S3 User Guide,
// "General purpose bucket naming rules"). Client-side names (aliases, names of
// anonymous bindings) follow them too.
func CheckNewBucketName(name string) error {
	if !bucketName.MatchString(name) || strings.Contains(name, "..") {
		return fmt.Errorf("bucket name %q must be 3 to 63 lower-case letters, digits, dots or hyphens, begin and end with a letter or digit: %w", name, ErrInvalid)
	}
	if dottedQuad.MatchString(name) {
		return fmt.Errorf("bucket name %q must not look like an IP address: %w", name, ErrInvalid)
	}
	if begins(name, keptPrefixes) || ends(name, keptSuffixes) {
		return fmt.Errorf("bucket name %q begins or ends as S3 keeps for its own resources: %w", name, ErrInvalid)
	}
	return checkNotReserved(name)
}

func begins(name string, with []string) bool {
	return slices.ContainsFunc(with, func(w string) bool { return strings.HasPrefix(name, w) })
}

func ends(name string, with []string) bool {
	return slices.ContainsFunc(with, func(w string) bool { return strings.HasSuffix(name, w) })
}

// CheckBucketName accepts what may exist on a backend already: also the longer
// names with capitals and underscores that old buckets have.
func CheckBucketName(name string) error {
	if !isOldBucketName(name) || strings.Contains(name, "..") {
		return fmt.Errorf("bucket name %q is not a valid S3 bucket name: %w", name, ErrInvalid)
	}
	return checkNotReserved(name)
}

// isOldBucketName is asked of every request: it does without an expression.
func isOldBucketName(name string) bool {
	const most = 255
	if len(name) < 3 || len(name) > most || !isAlphanumeric(name[0]) || !isAlphanumeric(name[len(name)-1]) {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !isAlphanumeric(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// reservedNames are first path segments that some backend serves its own admin
// or authentication API under. A path-style request for a bucket of that name
// would be that API, signed with the backend's admin key: admin, auth and swift
// on Ceph, minio and rustfs on the servers of these names.
var reservedNames = []string{"admin", "auth", "minio", "rustfs", "swift"}

// ReservedNames lists them.
func ReservedNames() []string { return slices.Clone(reservedNames) }

func checkNotReserved(name string) error {
	if IsReservedName(name) {
		return fmt.Errorf("bucket name %q is reserved: backends serve their own API under it: %w", name, ErrInvalid)
	}
	return nil
}

// IsReservedName reports whether name may never be addressed as a bucket. Case
// does not matter: something before the backend may not mind it either.
func IsReservedName(name string) bool { return slices.Contains(reservedNames, strings.ToLower(name)) }

// CheckKey refuses keys that S3 does not have: empty, longer than MaxKeyBytes,
// or not UTF-8.
func CheckKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("the key is empty: %w", ErrInvalid)
	case len(key) > MaxKeyBytes:
		return fmt.Errorf("the key has %d bytes, at most %d are allowed: %w", len(key), MaxKeyBytes, ErrInvalid)
	case !utf8.ValidString(key) || strings.ContainsRune(key, 0):
		return fmt.Errorf("the key is not valid UTF-8: %w", ErrInvalid)
	}
	return nil
}

// posixScratch is the directory inside each bucket where versitygw's posix
// backend keeps uploads in progress. A key below it reaches other uploads' parts.
const posixScratch = ".sgwtmp"

// HasOddSegments reports whether a key or prefix has a segment that a backend
// which keeps objects as files would take for something else: ".", "..", an
// empty one, or its own scratch directory. One slash at the end is no empty
// segment (it marks a folder).
func HasOddSegments(key string) bool {
	if key == "" {
		return false
	}
	segments := strings.Split(strings.TrimSuffix(key, "/"), "/")
	if segments[0] == posixScratch {
		return true
	}
	return slices.ContainsFunc(segments, func(s string) bool { return s == "" || s == "." || s == ".." })
}
