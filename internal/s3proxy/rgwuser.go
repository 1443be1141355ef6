package s3proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/s3wire"
	"keystile/internal/sigv4"
	"keystile/internal/upstream"
)

// RGWBuckets makes, deletes and lists the buckets that RGW users own. Errors
// match keystile's: ErrConflict for a name that is taken, ErrNotEmpty,
// ErrNotFound, ErrInvalid, ErrDenied.
type RGWBuckets interface {
	OwnBuckets(ctx context.Context, userID string) ([]keystile.RGWBucketInfo, error)
	// CreateOwnBucket makes one with a canned ACL; one that the user owns already
	// is keystile.ErrOwned.
	CreateOwnBucket(ctx context.Context, userID, bucket, acl string) error
	DeleteOwnBucket(ctx context.Context, userID, bucket string) error
	// SetOwnACL and SetOwnCORS are for users whose home is the gateway; no rules
	// switch CORS off.
	SetOwnACL(ctx context.Context, userID, bucket, acl string) error
	SetOwnCORS(ctx context.Context, userID, bucket string, rules []keystile.CORSRule) error
	// MayUpload returns the name of an account that may change the user's objects
	// now; for any other it is ErrDenied.
	MayUpload(ctx context.Context, accountID, userID string) (account string, err error)
}

// checkAccount looks whether the account that asked for the URL of an upload may
// still do what the URL does.
func (x *exchange) checkAccount() error {
	if x.req.OnBehalfOf == "" {
		return nil
	}
	u := x.rgwUser()
	if u == nil || !x.auth.Presigned || x.p.RGW == nil {
		return s3wire.InvalidArgument.With("Only the URL of an upload names an account.")
	}
	account, err := x.p.RGW.MayUpload(x.context(), x.req.OnBehalfOf, u.UserID)
	if err != nil {
		return err
	}
	x.event.Account = account
	return nil
}

// rgwUser is whose key signed the request; nil if it is no RGW user's.
func (x *exchange) rgwUser() *keystile.RGWIdentity {
	if x.lease == nil || x.lease.Credential == nil {
		return nil
	}
	return x.lease.Credential.RGW
}

// cephDecides reports whether the request goes on as a user that the Ceph knows:
// then it alone says what the user may.
func (x *exchange) cephDecides() bool {
	u := x.rgwUser()
	return u != nil && u.Ceph
}

// findAtCeph is find for a user of a Ceph: names are the Ceph's own.
func (x *exchange) findAtCeph(name string) (keystile.Place, error) {
	if err := keystile.CheckBucketName(name); err != nil {
		return keystile.Place{}, s3wire.InvalidBucketName.Err()
	}
	return keystile.Place{Bucket: keystile.Bucket{Backend: x.rgwUser().Backend, Name: name}}, nil
}

// sign has a user's own key sign what goes to its Ceph.
func (x *exchange) sign(out *upstream.Request, to *upstream.Backend) {
	if x.cephDecides() {
		out.As = sigv4.NewSigner(x.lease.Credential.AccessKeyID, x.lease.Secret.Reveal(), to.Info().Region, "s3")
	}
}

// ownsBuckets reports whether the operation is on the caller's own buckets
// themselves.
func (x *exchange) ownsBuckets() bool {
	return x.req.Op.Callers == s3wire.Owners && x.rgwUser() != nil
}

// authorizeOwn checks an operation on a bucket itself. On a Ceph that decides;
// elsewhere a user sets and deletes only what it owns.
func (x *exchange) authorizeOwn() error {
	u := x.rgwUser()
	x.real = s3wire.Real{Bucket: keystile.Bucket{Backend: u.Backend, Name: x.req.Bucket}, Query: x.req.Query}
	x.bucket = x.real.Bucket
	x.event.Backend, x.event.Bucket = u.Backend, clip(x.req.Bucket, 255)
	create := x.req.Op.Name == s3wire.OpCreateBucket
	if err := keystile.CheckBucketName(x.req.Bucket); err != nil || create && keystile.CheckNewBucketName(x.req.Bucket) != nil {
		return s3wire.InvalidBucketName.Err()
	}
	if !u.Ceph && !create {
		if _, err := x.lease.Credential.Resolve(x.req.Bucket); err != nil {
			return err
		}
	}
	if err := x.checkOwner(); err != nil {
		return err
	}
	backend, ok := x.p.Backends.Get(u.Backend)
	if !ok || x.p.RGW == nil {
		return s3wire.BackendUnreachable.Err()
	}
	x.backend = backend
	return nil
}

// changeOwn makes, sets or deletes a bucket of the caller. Its intent is durable
// before the backend hears of it.
func (p *Proxy) changeOwn(x *exchange) error {
	user, bucket := x.rgwUser().UserID, x.bucket.Name
	if s, ok := x.req.Op.Setting(); ok {
		return p.ownSetting(x, s)
	}
	if x.req.Op.Name != s3wire.OpCreateBucket {
		return x.change(http.StatusNoContent, func(ctx context.Context) error { return p.RGW.DeleteOwnBucket(ctx, user, bucket) })
	}
	acl, err := x.checkNewBucket()
	if err != nil {
		return err
	}
	return x.change(http.StatusOK, func(ctx context.Context) error { return p.RGW.CreateOwnBucket(ctx, user, bucket, acl) })
}

const ownBucketTimeout = time.Minute

// ownBucketError is what S3 says of a change that did not happen.
func (x *exchange) ownBucketError(err error) error {
	switch {
	case errors.Is(err, keystile.ErrOwned):
		return s3wire.OwnBucketExists.Caused(err)
	case errors.Is(err, keystile.ErrNotEmpty):
		return s3wire.BucketNotEmpty.Caused(err)
	case errors.Is(err, keystile.ErrConflict):
		return s3wire.BucketExists.Caused(err)
	case errors.Is(err, keystile.ErrNotFound):
		return s3wire.NoSuchBucket.Caused(err)
	case errors.Is(err, keystile.ErrInvalid):
		return s3wire.InvalidBucketName.Caused(err)
	}
	return err
}

// checkNewBucket refuses what a new bucket cannot have here: another region, an
// ACL that is not canned, object lock. It returns the canned ACL.
func (x *exchange) checkNewBucket() (acl string, err error) {
	for name := range x.req.Header {
		switch name {
		case "X-Amz-Bucket-Object-Lock-Enabled", "X-Amz-Object-Ownership", "X-Amz-Bucket-Namespace":
			return "", s3wire.NotImplemented.With("A bucket cannot be made with %s here.", name)
		}
	}
	if acl, err = x.newBucketACL(); err != nil {
		return "", err
	}
	body, err := x.readXML()
	if err != nil || len(body) == 0 {
		return acl, err
	}
	location, err := s3wire.ParseLocationConstraint(body)
	if err != nil {
		return "", err
	}
	if location != "" && location != x.p.Region && location != defaultRegion {
		return "", s3wire.InvalidLocation.Err()
	}
	return acl, nil
}

// newBucketACL is the canned ACL of a new bucket: of a Ceph any, elsewhere one
// that the gateway can keep.
func (x *exchange) newBucketACL() (string, error) {
	if x.cephDecides() && x.req.CannedACL != "" {
		return x.req.CannedACL, nil
	}
	return x.askedACL()
}

// ownBuckets are the buckets of a user that its Ceph knows.
func (x *exchange) ownBuckets() ([]s3wire.BucketEntry, error) {
	u := x.rgwUser()
	x.bucket.Backend, x.event.Backend = u.Backend, u.Backend
	if x.p.RGW == nil {
		return nil, s3wire.BackendUnreachable.Err()
	}
	list, err := x.p.RGW.OwnBuckets(x.context(), u.UserID)
	if err != nil {
		return nil, fmt.Errorf("buckets of an RGW user: %w", err)
	}
	entries := make([]s3wire.BucketEntry, len(list))
	for i, b := range list {
		entries[i] = s3wire.BucketEntry{Name: b.Bucket.Name, CreatedAt: b.CreatedAt}
	}
	return entries, nil
}
