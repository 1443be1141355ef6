package s3wire

import (
	"keystile/internal/keystile"
)

// Level is what a request's path names.
type Level uint8

// The levels.
const (
	Service Level = iota // no bucket
	Bucket               // a bucket
	Object               // a bucket and a key
)

func (l Level) String() string { return [...]string{"service", "bucket", "object"}[l] }

// Class is how an operation is audited.
type Class string

// The classes. Admin is bucket administration: it is never open to a credential.
const (
	ClassRead   Class = "read"
	ClassWrite  Class = "write"
	ClassDelete Class = "delete"
	ClassAdmin  Class = "admin"
)

// Effect is what an operation does to the usage of its bucket.
type Effect string

// The effects.
const (
	EffectNone     Effect = "none"
	EffectAdds     Effect = "adds"     // the body's length
	EffectCopies   Effect = "copies"   // the source's length
	EffectFrees    Effect = "frees"    // what is deleted
	EffectHolds    Effect = "holds"    // parts, until complete or abort
	EffectReplaces Effect = "replaces" // parts by the object they make
)

// Caller is a set of those who may call an operation at all.
type Caller uint8

// The callers. An operation that nobody may call is refused to everyone.
const (
	Credentials Caller = 1 << iota
	Anonymous
	// Owners are RGW users, on buckets of their own.
	Owners
)

// BodyKind is what a request's body is.
type BodyKind uint8

// The kinds.
const (
	NoBody  BodyKind = iota // must be empty
	Payload                 // an object's bytes: streamed
	XMLBody                 // small: buffered, parsed and written anew
)

// Param is a query parameter that names an operation. It has the Value, if one
// is given: AnyValue stands for all but the empty one. Without a Value its
// presence alone counts.
type Param struct{ Name, Value string }

// AnyValue stands for any value that is not empty. Some backends take a
// parameter with an empty value for an absent one, and the request for another
// operation: DELETE with an empty uploadId would delete the object.
const AnyValue = "*"

// Operation is one row of the table: everything the gateway knows of it.
type Operation struct {
	Name   string // as in the S3 API Reference
	Method string
	Level  Level
	// By are the query parameters that tell this operation from others of its
	// method and level; all must be there.
	By []Param
	// CopySource: the header x-amz-copy-source tells this operation from others.
	CopySource bool
	Query      []string // further query parameters it may carry
	Headers    []string // x-amz- headers it may carry, lower-case
	Metadata   bool     // x-amz-meta- headers too
	// Standard are the headers without x-amz- that go on, canonical; any other is
	// left out. Length, type and digest of a body go on with the body.
	Standard []string
	Fields   []string // x-amz- fields its form may have, lower-case; x-amz-meta- too
	Body     BodyKind
	// Canonical checks an XML body strictly and writes it anew. Bodies whose
	// names are authorised or replaced one by one have none: DeleteObjects, and
	// PutObjectAcl.
	Canonical  func(body []byte) ([]byte, error)
	Permission keystile.Permission
	Effect     Effect
	Class      Class
	Callers    Caller
	// Served: the gateway carries it out. Otherwise it is refused by name.
	Served bool

	setting *Setting // what it reads or sets on a bucket; nil for most
}

// Action is the operation's name in the audit trail.
func (o *Operation) Action() string { return actionOf(o.Name) }

// Mutates reports whether the operation changes anything.
func (o *Operation) Mutates() bool { return o.Class != ClassRead }

// Listing reports whether the operation lists keys under a prefix.
func (o *Operation) Listing() bool {
	switch o.Name {
	case OpListObjects, OpListObjectsV2, OpListObjectVersions, OpListMultipartUploads:
		return true
	}
	return false
}

// Names of the operations that the gateway treats in a way of their own.
const (
	OpListBuckets             = "ListBuckets"
	OpCreateBucket            = "CreateBucket"
	OpHeadBucket              = "HeadBucket"
	OpGetBucketLocation       = "GetBucketLocation"
	OpListObjects             = "ListObjects"
	OpListObjectsV2           = "ListObjectsV2"
	OpListObjectVersions      = "ListObjectVersions"
	OpListMultipartUploads    = "ListMultipartUploads"
	OpDeleteObject            = "DeleteObject"
	OpDeleteObjects           = "DeleteObjects"
	OpAbortMultipartUpload    = "AbortMultipartUpload"
	OpCopyObject              = "CopyObject"
	OpPutObject               = "PutObject"
	OpUploadPart              = "UploadPart"
	OpUploadPartCopy          = "UploadPartCopy"
	OpCreateMultipartUpload   = "CreateMultipartUpload"
	OpCompleteMultipartUpload = "CompleteMultipartUpload"
	OpListParts               = "ListParts"
	OpGetObjectACL            = "GetObjectAcl"
	OpPutObjectACL            = "PutObjectAcl"
	OpGetObject               = "GetObject"
	OpHeadObject              = "HeadObject"
)

// Operations returns the whole table. It must not be changed.
func Operations() []Operation { return table }
