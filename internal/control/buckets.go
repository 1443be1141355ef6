package control

import (
	"context"
	"errors"
	"slices"
	"strings"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Buckets are the use cases of buckets on backends; for admins.
type Buckets struct {
	*core
	upstreams Upstreams
	backends  *backendLookup
}

// List asks the backend for its buckets and returns them by name.
func (b *Buckets) List(ctx context.Context, a Actor, backendID string) ([]keystile.BucketInfo, error) {
	err := b.read(ctx, a, "bucket.list", backendID, admins, func(tx store.Tx) error {
		_, err := b.backends.get(tx, backendID)
		return err
	})
	if err != nil {
		return nil, err
	}
	list, err := b.upstreams.Buckets(ctx, backendID)
	slices.SortFunc(list, func(x, y keystile.BucketInfo) int { return strings.Compare(x.Bucket.Name, y.Bucket.Name) })
	return list, err
}

// Create makes a bucket on a backend.
func (b *Buckets) Create(ctx context.Context, a Actor, bucket keystile.Bucket) error {
	return b.outside(ctx, a, act{action: "bucket.create", target: bucket.String(), who: admins, do: func(ch *change) error {
		ch.aboutBucket(bucket)
		if _, err := b.backends.get(ch, bucket.Backend); err != nil {
			return err
		}
		var explained keystile.Faults
		if err := keystile.CheckNewBucketName(bucket.Name); err != nil {
			explained.Add("bucket", "%s", strings.TrimSuffix(err.Error(), ": "+keystile.ErrInvalid.Error()))
		}
		return explained.Err()
	}}, func(ctx context.Context) error {
		err := b.upstreams.CreateBucket(ctx, bucket)
		if errors.Is(err, keystile.ErrConflict) {
			return &Explained{"there is a bucket of that name already", err}
		}
		return err
	})
}

// Delete removes an empty bucket, and what was chosen for it here. Where a live
// credential or an open anonymous binding names it, force is needed; bindings end
// with it.
func (b *Buckets) Delete(ctx context.Context, a Actor, bucket keystile.Bucket, force bool) error {
	return b.outside(ctx, a, act{action: "bucket.delete", target: bucket.String(), who: admins, do: func(ch *change) error {
		ch.aboutBucket(bucket)
		if force {
			ch.changed("force", "true")
		}
		if _, err := b.backends.get(ch, bucket.Backend); err != nil {
			return err
		}
		if err := keystile.CheckBucketName(bucket.Name); err != nil {
			return explain(keystile.ErrNotFound, "there is no such bucket")
		}
		if force {
			return nil
		}
		return ch.bucketUnused(bucket)
	}}, func(ctx context.Context) error {
		err := b.upstreams.DeleteBucket(ctx, bucket)
		if errors.Is(err, keystile.ErrConflict) {
			return &Explained{"the bucket is not empty", err}
		}
		if err != nil {
			return err
		}
		return b.forget(ctx, a, bucket)
	})
}

func (ch *change) aboutBucket(bucket keystile.Bucket) {
	ch.event.Backend = printable(bucket.Backend, maxNameBytes)
	ch.event.Bucket = printable(bucket.Name, maxNameBytes)
}

// maxNameBytes bounds the names of a backend and of a bucket in an event: the
// longest valid one fits.
const maxNameBytes = 255

func (ch *change) bucketUnused(bucket keystile.Bucket) error {
	used := false
	err := ch.ChangedCredentials(0, func(cred keystile.Credential, _ keystile.CredentialSecrets) error {
		used = used || cred.RevokedAt.IsZero() &&
			slices.ContainsFunc(cred.Grants, func(g keystile.Grant) bool { return g.Bucket == bucket })
		return nil
	})
	if err != nil {
		return err
	}
	bindings, err := ch.Bindings()
	if err != nil {
		return err
	}
	used = used || slices.ContainsFunc(bindings, func(b keystile.Binding) bool { return b.Bucket == bucket })
	if used {
		return explain(keystile.ErrConflict, "live credentials or anonymous bindings name the bucket: revoke them or use force")
	}
	return nil
}
