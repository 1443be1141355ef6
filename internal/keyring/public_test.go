package keyring_test

import (
	"context"
	"errors"
	"testing"

	"keystile/internal/keyring"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

// rgwUser makes a user with one bucket on a backend.
func (r *ring) rgwUser(id, backend, bucket, acl string) key {
	r.t.Helper()
	accessKeyID, secret := keystile.NewKeyPair()
	u := keystile.RGWUser{
		ID: id, Name: id, ProjectID: "p", BackendID: backend, AccessKeyID: accessKeyID, State: keystile.RGWLive, Status: keystile.StatusActive,
		CreatedAt: r.now(), UpdatedAt: r.now(), KeyRenewedAt: r.now(),
	}
	r.write(func(tx store.Tx, generation int64) error {
		u.Generation = generation
		if err := tx.CreateRGWUser(u, keystile.RGWSecrets{Current: secret}); err != nil {
			return err
		}
		return tx.CreateRGWBucket(keystile.RGWBucket{
			Bucket: keystile.Bucket{Backend: backend, Name: bucket}, UserID: id, ACL: acl, Made: true, CreatedAt: r.now(),
		})
	})
	r.sync()
	return key{accessKeyID, secret}
}

// editUser changes a user and its bucket, without a Sync.
func (r *ring) editUser(id string, change func(u *keystile.RGWUser, b *keystile.RGWBucket)) {
	r.t.Helper()
	r.write(func(tx store.Tx, generation int64) error {
		u, err := tx.RGWUser(id)
		if err != nil {
			return err
		}
		buckets, err := tx.RGWBuckets(id)
		if err != nil {
			return err
		}
		u.Generation = generation
		change(&u, &buckets[0])
		return errors.Join(tx.UpdateRGWBucket(buckets[0]), tx.UpdateRGWUser(u))
	})
}

// TestPublicBuckets: what takes the right away has cut those who read with it.
func TestPublicBuckets(t *testing.T) {
	bucket := keystile.Bucket{Backend: "prod", Name: "site"}
	shut := func(_ *keystile.RGWUser, b *keystile.RGWBucket) { b.ACL = keystile.ACLPrivate }
	for _, tt := range []struct {
		name   string
		change func(*keystile.RGWUser, *keystile.RGWBucket)
		cut    bool
	}{
		{"made private", shut, true},
		{"its owner is disabled", func(u *keystile.RGWUser, _ *keystile.RGWBucket) { u.Status = keystile.StatusDisabled }, true},
		{"its owner is being deleted", func(u *keystile.RGWUser, _ *keystile.RGWBucket) { u.State = keystile.RGWDeleting }, true},
		{"its owner is gone", func(u *keystile.RGWUser, _ *keystile.RGWBucket) { u.DeletedAt = u.CreatedAt }, true},
		{"its owner is renamed", func(u *keystile.RGWUser, _ *keystile.RGWBucket) { u.Name = "another" }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRing(t)
			r.rgwUser("owner", "prod", "site", keystile.ACLPublicRead)
			reader := r.rgwUser("reader", "prod", "own", keystile.ACLPrivate)
			outer, err := r.Authenticate(t.Context(), reader.id, func(keystile.Secret) error { return nil })
			must(t, err)
			signed, err := r.Public(outer, bucket)
			must(t, err)
			unsigned, err := r.Anonymous(t.Context(), "site")
			must(t, err)
			if b := unsigned.Binding; b == nil || b.Bucket != bucket || b.Mode != keystile.ModeReadList {
				t.Errorf("unsigned reads go through %+v", b)
			}
			for _, l := range []*keyring.Lease{signed, unsigned} {
				context.AfterFunc(l.Context(), l.Release)
			}
			r.editUser("owner", tt.change)
			r.sync() // waits for those who were cut
			if signed.Cut() != tt.cut || unsigned.Cut() != tt.cut || r.IsPublic(bucket) == tt.cut {
				t.Errorf("cut: %v and %v, open: %v", signed.Cut(), unsigned.Cut(), r.IsPublic(bucket))
			}
			again, err := r.Anonymous(t.Context(), "site")
			if errors.Is(err, keystile.ErrDenied) != tt.cut {
				t.Errorf("afterwards: %v", err)
			}
			if again != nil {
				again.Release()
			}
		})
	}
}

// TestPublicNames: without a signature a name stands for one bucket or for none,
// and for what an administrator bound it to before that.
func TestPublicNames(t *testing.T) {
	r := newRing(t)
	r.rgwUser("a", "prod", "site", keystile.ACLPublicRead)
	opens := func() string {
		l, err := r.Anonymous(t.Context(), "site")
		if err != nil {
			return ""
		}
		defer l.Release()
		return l.Binding.Bucket.String()
	}
	if got := opens(); got != "prod/site" {
		t.Errorf("one: %q", got)
	}
	r.rgwUser("b", "other", "site", keystile.ACLPublicRead)
	if got := opens(); got != "" {
		t.Errorf("two of that name: %q", got)
	}
	r.write(func(tx store.Tx, generation int64) error {
		return tx.CreateBinding(keystile.Binding{
			Name: "site", Bucket: keystile.Bucket{Backend: "prod", Name: "downloads"}, Mode: keystile.ModeRead, CreatedAt: r.now(), Generation: generation,
		})
	})
	r.sync()
	if got := opens(); got != "prod/downloads" {
		t.Errorf("a binding: %q", got)
	}
}
