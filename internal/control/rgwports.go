package control

import (
	"context"
	"fmt"
	"io"
	"time"

	"keystile/internal/keystile"
)

// RGWHomes are where RGW users live: a Ceph, or the gateway itself, for which
// what concerns the user alone does nothing. Errors match keystile's:
// ErrNotFound, ErrConflict, ErrNotEmpty, ErrInvalid and ErrDenied where the
// backend said so, ErrUnavailable where it gave no clear answer.
type RGWHomes interface {
	// Create makes the user with its one key and its quota. Done again, it is nil.
	Create(ctx context.Context, u keystile.RGWUser, secret keystile.Secret) error
	// SetSecret replaces the secret of the user's key, or makes the key.
	SetSecret(ctx context.Context, u keystile.RGWUser, secret keystile.Secret) error
	SetQuota(ctx context.Context, u keystile.RGWUser) error
	SetSuspended(ctx context.Context, u keystile.RGWUser, suspended bool) error
	Rename(ctx context.Context, u keystile.RGWUser) error
	// Remove removes the user; ErrNotEmpty if it has buckets.
	Remove(ctx context.Context, u keystile.RGWUser) error
	// Look tells what the home says of the user now, its usage counted anew.
	Look(ctx context.Context, u keystile.RGWUser, secret keystile.Secret) (keystile.RGWHome, error)
	// Owner is who owns a bucket at the user's home, of any user; only for a Ceph.
	Owner(ctx context.Context, u keystile.RGWUser, bucket string) (keystile.RGWBucketInfo, error)
	// Buckets lists the user's, with what they hold; only for a Ceph.
	Buckets(ctx context.Context, u keystile.RGWUser) ([]keystile.RGWBucketInfo, error)
	// Usage counts the objects of a bucket; not for a Ceph, which tells.
	Usage(ctx context.Context, bucket keystile.Bucket) (bytes, objects int64, err error)

	// CreateBucket makes one; at a Ceph with a canned ACL, elsewhere the gateway
	// keeps that.
	CreateBucket(ctx context.Context, as RGWSigner, bucket, acl string) error
	DeleteBucket(ctx context.Context, as RGWSigner, bucket string) error
	// HasBucket reports whether the backend has a bucket, and ListsBucket whether
	// it is among those that it lists; not for a Ceph.
	HasBucket(ctx context.Context, bucket keystile.Bucket) (bool, error)
	ListsBucket(ctx context.Context, bucket keystile.Bucket) (bool, error)
	// Untouched reports whether a bucket holds nothing at all: no object, no
	// version, no delete marker and no unfinished upload. A backend that cannot
	// list versions, or uploads, has none. Not for a Ceph.
	Untouched(ctx context.Context, bucket keystile.Bucket) (bool, error)
	// Empty deletes objects, versions, delete markers and unfinished uploads of a
	// bucket, up to about a thousand; done tells that none is left.
	Empty(ctx context.Context, as RGWSigner, bucket string) (deleted int64, done bool, err error)
	ACL(ctx context.Context, as RGWSigner, bucket string) (string, error)
	SetACL(ctx context.Context, as RGWSigner, bucket, acl string) error

	Objects(ctx context.Context, as RGWSigner, bucket string, q ObjectQuery) (ObjectPage, error)
	Put(ctx context.Context, as RGWSigner, bucket string, o NewObject) (ObjectInfo, error)
	Open(ctx context.Context, as RGWSigner, bucket, key, byteRange string) (*OpenObject, error)
	Head(ctx context.Context, as RGWSigner, bucket, key string) (ObjectInfo, error)
	// UploadURL presigns an upload through the gateway, or straight to the backend
	// where no gateway is served.
	UploadURL(as RGWSigner, bucket string, in UploadRequest) (UploadURL, error)
	DeleteObject(ctx context.Context, as RGWSigner, bucket, key string) error

	// Unmanaged reads a Ceph's user as it is there, with its keys.
	Unmanaged(ctx context.Context, backendID, uid string) (CephUser, error)
	// UIDs lists a Ceph's users in pages.
	UIDs(ctx context.Context, backendID, cursor string, limit int) (uids []string, next string, err error)
}

// ErrHomeDenies: a home that is no Ceph does not let the gateway's key do this with
// the bucket. Some say so of a bucket that is not there.
var ErrHomeDenies = fmt.Errorf("the backend denies it: %w", keystile.ErrUnavailable)

// RGWSigner is whose key signs what is done with a user's buckets: its own at a
// Ceph, the gateway's everywhere else.
type RGWSigner struct {
	User   keystile.RGWUser
	Secret keystile.Secret // at a Ceph
}

// CephUser is a user as a Ceph has it.
type CephUser struct {
	UID  string
	Home keystile.RGWHome
	Keys []CephKey
}

// CephKey is one key pair of a Ceph's user.
type CephKey struct {
	AccessKeyID string
	Secret      keystile.Secret
}

// ObjectQuery selects objects of a bucket.
type ObjectQuery struct {
	Prefix, Delimiter, Cursor string
	Limit                     int
}

// ObjectPage is a page of objects, by key.
type ObjectPage struct {
	Objects  []ObjectInfo
	Prefixes []string
	Next     string // cursor; empty on the last page
}

// ObjectInfo is an object without its bytes.
type ObjectInfo struct {
	Key          string
	Size         int64
	ETag         string // without quotes
	VersionID    string // empty where the backend names none
	LastModified time.Time
	ContentType  string
	Metadata     map[string]string // the user's own
}

// NewObject is an object on its way to a bucket.
type NewObject struct {
	Key         string
	ContentType string
	Body        io.Reader // of unknown length
}

// OpenObject is an object that is being read; its body must be closed.
type OpenObject struct {
	ObjectInfo
	Partial      bool
	ContentRange string
	Length       int64 // of the body
	Body         io.ReadCloser
}
