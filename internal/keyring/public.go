package keyring

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"keystile/internal/keystile"
)

// publicEntry is a bucket of an RGW user that everybody may read.
type publicEntry struct {
	bindingEntry
	userID string
}

// putPublic takes over which buckets of a user everybody may read. before is the
// user's key as it was; nil if it is new. Reads in flight go on where nothing
// changed.
func (d *draft) putPublic(u keystile.RGWUser, before *entry, buckets []keystile.RGWBucket) {
	open := map[keystile.Bucket]bool{}
	for _, b := range buckets {
		if b.Made && b.ACL == keystile.ACLPublicRead && u.Works() && !u.AtCeph() {
			open[b.Bucket] = true
		}
	}
	if before != nil {
		for _, g := range before.credential.Grants {
			if e := d.next.publicOf(g.Bucket); e != nil && e.userID == u.ID && !open[g.Bucket] {
				d.setPublic(g.Bucket, nil)
				d.lost = append(d.lost, e.right)
			}
		}
	}
	for bucket := range open {
		if e := d.next.publicOf(bucket); e != nil && e.userID == u.ID {
			continue
		}
		b := keystile.Binding{Name: bucket.Name, Bucket: bucket, Mode: keystile.ModeReadList, CreatedAt: u.CreatedAt}
		d.setPublic(bucket, &publicEntry{bindingEntry{b, newRight(keystile.Secret{}, time.Time{})}, u.ID})
	}
}

// setPublic replaces what a bucket opens; nil: nothing.
func (d *draft) setPublic(bucket keystile.Bucket, e *publicEntry) {
	if !d.ownPublic {
		d.ownPublic, d.next.public = true, maps.Clone(d.next.public)
		if d.next.public == nil {
			d.next.public = map[string][]*publicEntry{}
		}
	}
	others := slices.Clone(d.next.public[bucket.Name])
	others = slices.DeleteFunc(others, func(o *publicEntry) bool {
		if o.binding.Bucket == bucket && e != nil {
			d.lost = append(d.lost, o.right)
		}
		return o.binding.Bucket == bucket
	})
	if e != nil {
		others = append(others, e)
	}
	if len(others) == 0 {
		delete(d.next.public, bucket.Name)
		return
	}
	d.next.public[bucket.Name] = others
}

func (s *snapshot) publicOf(bucket keystile.Bucket) *publicEntry {
	for _, e := range s.public[bucket.Name] {
		if e.binding.Bucket == bucket {
			return e
		}
	}
	return nil
}

// IsPublic reports whether everybody may read the bucket of an RGW user.
func (k *Keyring) IsPublic(bucket keystile.Bucket) bool { return k.view.Load().publicOf(bucket) != nil }

// Public lets a request that was admitted read the bucket of another RGW user.
// The lease stands for both rights and takes the place of the other. Where the
// bucket is not open it is ErrDenied, and the other lease is as it was.
func (k *Keyring) Public(of *Lease, bucket keystile.Bucket) (*Lease, error) {
	for {
		if err := k.await(of.Context()); err != nil {
			return nil, err
		}
		e := k.view.Load().publicOf(bucket)
		if e == nil {
			return nil, fmt.Errorf("bucket %q is not public: %w", bucket.Name, keystile.ErrDenied)
		}
		l := &Lease{Credential: of.Credential, Owner: of.Owner, Secret: of.Secret, outer: of}
		if err := e.right.admit(of.Context(), l, k.now()); !errors.Is(err, errDead) {
			return l, err
		}
	}
}

// anonymousPublic is what a name opens to unsigned reads where no binding has it:
// the public bucket of that name, if there is just one on all backends.
func (s *snapshot) anonymousPublic(name string) *bindingEntry {
	if found := s.public[name]; len(found) == 1 {
		return &found[0].bindingEntry
	}
	return nil
}
