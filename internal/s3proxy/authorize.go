package s3proxy

import (
	"slices"
	"strings"

	"keystile/internal/keystile"
	"keystile/internal/s3wire"
	"keystile/internal/upstream"
)

// authorize decides whether the caller may. What it lets through has the
// backend's names from here on.
func (p *Proxy) authorize(x *exchange) error {
	if err := x.mayCall(); err != nil {
		return err
	}
	if err := x.checkAccount(); err != nil {
		return err
	}
	if x.req.Op.Level == s3wire.Service {
		return nil
	}
	if x.ownsBuckets() {
		return x.authorizeOwn()
	}
	if err := x.resolve(); err != nil {
		return err
	}
	needs := x.req.Needs(x.real)
	if err := x.covered(needs...); err != nil {
		return err
	}
	if err := x.checkOwner(); err != nil {
		return err
	}
	if err := x.checkACL(needs[0]); err != nil {
		return err
	}
	backend, ok := p.Backends.Get(x.bucket.Backend)
	if !ok {
		return s3wire.BackendUnreachable.Err()
	}
	x.backend = backend
	if x.req.Source != nil {
		if x.sourceBackend, ok = p.Backends.Get(x.source.Backend); !ok {
			return s3wire.BackendUnreachable.Err()
		}
	}
	return x.checkKeys()
}

// mayCall looks at the operation alone.
func (x *exchange) mayCall() error {
	op := x.req.Op
	anonymous := x.lease.Binding != nil
	switch {
	case x.ownsBuckets():
		return nil
	case op.Callers&^s3wire.Owners == 0:
		return x.refuseAdministration()
	case anonymous && op.Callers&s3wire.Anonymous == 0:
		return s3wire.AccessDenied.Err()
	case !op.Served:
		return s3wire.NotImplemented.With("%s is not supported here.", op.Name)
	case anonymous:
		return x.checkAnonymousQuery()
	}
	return nil
}

// refuseAdministration says no to every caller. To create a bucket that the
// caller has already is answered as S3 does it: clients that create the bucket
// before they write, as rclone does, go on from there.
func (x *exchange) refuseAdministration() error {
	if x.req.Op.Name == s3wire.OpCreateBucket && x.lease.Binding == nil {
		if _, err := x.lease.Credential.Resolve(x.req.Bucket); err == nil {
			return s3wire.BucketAlreadyOwned.Err()
		}
	}
	return s3wire.AccessDenied.With("%s is bucket administration, which no access key of the gateway may do.", x.req.Op.Name)
}

// checkAnonymousQuery refuses what only signed requests may ask for: other
// response headers (a link could make a page of an object) and old versions.
func (x *exchange) checkAnonymousQuery() error {
	for name := range x.req.Query {
		if strings.HasPrefix(name, "response-") {
			return s3wire.InvalidRequest.With("Request specific response headers cannot be used for anonymous GET requests.")
		}
		if name == "versionId" {
			return s3wire.AccessDenied.Err()
		}
	}
	return nil
}

func (x *exchange) covered(needs ...keystile.Need) error {
	if x.lease.Binding != nil {
		return x.lease.Binding.Authorize(needs...)
	}
	if x.cephDecides() {
		return nil
	}
	if len(x.public) > 0 {
		own := slices.DeleteFunc(slices.Clone(needs), x.publicCovers)
		if len(own) == 0 {
			return nil
		}
		needs = own
	}
	return x.lease.Credential.Authorize(needs...)
}

// checkOwner compares the bucket owner that the client expects with the one it
// sees; the backend knows another.
func (x *exchange) checkOwner() error {
	for _, expected := range []string{x.req.ExpectedOwner, x.req.ExpectedSourceOwner} {
		if expected != "" && expected != x.owner().ID {
			return s3wire.AccessDenied.With("The bucket's owner is not the expected one.")
		}
	}
	return nil
}

// checkKeys refuses keys that their backend would take for others.
func (x *exchange) checkKeys() error {
	kept := x.keepsIn(x.backend, x.real.Key) && x.keepsIn(x.backend, x.real.Query.Get("prefix"))
	if x.req.Source != nil {
		kept = kept && x.keepsIn(x.sourceBackend, x.real.SourceKey)
	}
	if !kept {
		return s3wire.InvalidArgument.With("This bucket's backend is not proven to keep keys with \".\", \"..\" or empty segments.")
	}
	return nil
}

// keepsIn reports whether the backend takes the key or prefix for itself and no
// other.
func (x *exchange) keepsIn(b *upstream.Backend, name string) bool {
	if !keystile.HasOddSegments(name) {
		return true
	}
	x.await(b, keystile.KeepsKeys)
	return b.KeepsKeys()
}
