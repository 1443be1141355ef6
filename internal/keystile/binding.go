package keystile

import (
	"strings"
	"time"
)

// BindingMode is what an anonymous binding opens.
type BindingMode string

// The modes.
const (
	ModeRead     BindingMode = "read"      // objects by key
	ModeReadList BindingMode = "read-list" // and listing them
)

// Binding opens a bucket, or a prefix of it, to unsigned reads under a name of
// its own that is unique at the gateway. The prefix filters; it is not hidden.
type Binding struct {
	Name   string // the bucket name that anonymous clients use
	Bucket Bucket
	Prefix string
	Mode   BindingMode
	// RatePerSecond bounds requests per second and source address; 0: the
	// configured default.
	RatePerSecond float64
	// IndexDocument is the object that a read of a folder, or of the bucket
	// itself, stands for: "index.html". Empty: none.
	IndexDocument string
	CreatedBy     string // account id
	CreatedAt     time.Time
	RemovedAt     time.Time // zero while open
	Generation    int64
}

// maxRatePerSecond bounds a binding's rate to something a limiter can count.
const maxRatePerSecond = 100_000

// Check validates a binding.
func (b *Binding) Check() error {
	var faults Faults
	if err := CheckNewBucketName(b.Name); err != nil {
		faults.Add("name", "%s", plain(err))
	}
	g := Grant{Bucket: b.Bucket, Prefix: b.Prefix, Permission: b.permission()}
	if b.Mode != ModeRead && b.Mode != ModeReadList {
		faults.Add("mode", "must be %q or %q", ModeRead, ModeReadList)
		g.Permission = Read
	}
	if !(b.RatePerSecond >= 0 && b.RatePerSecond <= maxRatePerSecond) {
		faults.Add("rate_per_second", "must lie between 0 and %d", maxRatePerSecond)
	}
	b.checkIndex(&faults)
	g.check("bucket", &faults)
	return faults.Err()
}

// maxIndexBytes leaves room for the folder in front of it.
const maxIndexBytes = 255

func (b *Binding) checkIndex(faults *Faults) {
	name := b.IndexDocument
	switch {
	case name == "":
	case len(name) > maxIndexBytes || strings.Contains(name, "/") || HasOddSegments(name) || CheckKey(name) != nil:
		faults.Add("index_document", "must be the name of an object without slashes, of at most %d bytes, such as index.html", maxIndexBytes)
	case b.Prefix != "" && !strings.HasSuffix(b.Prefix, "/"):
		faults.Add("index_document", "needs a prefix that ends with a slash, or none")
	}
}

func (b *Binding) permission() Permission {
	switch b.Mode {
	case ModeRead:
		return Read
	case ModeReadList:
		return Read | List
	}
	return 0
}

// Authorize reports ErrDenied for anything the binding does not open.
func (b *Binding) Authorize(needs ...Need) error {
	scope := Credential{Grants: []Grant{{Bucket: b.Bucket, Prefix: b.Prefix, Permission: b.permission()}}}
	return scope.Authorize(needs...)
}
