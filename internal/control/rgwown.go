package control

import (
	"context"
	"errors"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// What follows is for the gateway, at which an RGW user acts with its own key. It
// has authenticated the user and records the act itself.

// OwnBuckets lists the buckets that the user owns, by name.
func (s *RGWUsers) OwnBuckets(ctx context.Context, userID string) ([]keystile.RGWBucketInfo, error) {
	as, err := s.ownSigner(ctx, userID)
	if err != nil {
		return nil, err
	}
	return s.bucketsOf(ctx, as)
}

// CreateOwnBucket makes a bucket that the user owns, with a canned ACL. One that it
// owns already is keystile.ErrOwned.
func (s *RGWUsers) CreateOwnBucket(ctx context.Context, userID, name, acl string) error {
	back, err := s.turns.Take(ctx, userID)
	if err != nil {
		return err
	}
	defer back()
	as, err := s.ownSigner(ctx, userID)
	if err != nil {
		return err
	}
	if as.User.AtCeph() {
		return s.makeBucket(ctx, as, name, acl, false)
	}
	bucket := keystile.Bucket{Backend: as.User.BackendID, Name: name}
	if err := s.vacant(ctx, bucket); err != nil {
		return err
	}
	again := false
	err = s.onOwn(ctx, func(ch *change) (err error) {
		again, err = ch.reserveBucket(as.User, bucket, acl)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.makeBucket(ctx, as, name, acl, again); err != nil {
		if Classify(err).Status < 500 {
			return orFirst(err, s.onOwn(ctx, func(ch *change) error { return ch.DeleteRGWBucket(bucket) }))
		}
		return err // it may be there: its name stays reserved
	}
	return s.onOwn(ctx, func(ch *change) error { return ch.bucketMade(as.User, name) })
}

// DeleteOwnBucket deletes an empty bucket that the user owns.
func (s *RGWUsers) DeleteOwnBucket(ctx context.Context, userID, name string) error {
	back, err := s.turns.Take(ctx, userID)
	if err != nil {
		return err
	}
	defer back()
	as, err := s.ownSigner(ctx, userID)
	if err != nil {
		return err
	}
	b, err := s.toEnd(ctx, as, name)
	if err != nil {
		return err
	}
	if err := s.endBucket(ctx, as, b); err != nil || as.User.AtCeph() {
		return err
	}
	return s.onOwn(ctx, func(ch *change) error {
		if err := ch.dropRGWBucket(keystile.Bucket{Backend: as.User.BackendID, Name: name}); err != nil {
			return err
		}
		return ch.rgwUserChanged(userID)
	})
}

// SetOwnACL gives a bucket of a user whose home is the gateway a canned ACL.
func (s *RGWUsers) SetOwnACL(ctx context.Context, userID, name, acl string) error {
	return s.setOwn(ctx, userID, name, func(ch *change, b keystile.RGWBucket) error { return ch.setACL(b, acl) })
}

// SetOwnCORS chooses which pages of other origins may use a bucket of a user whose
// home is the gateway; without rules none may.
func (s *RGWUsers) SetOwnCORS(ctx context.Context, userID, name string, rules []keystile.CORSRule) error {
	return s.setOwn(ctx, userID, name, func(ch *change, b keystile.RGWBucket) error {
		choice := keystile.BucketCORS{Bucket: b.Bucket, Mode: keystile.CORSGateway, Rules: rules, UpdatedAt: ch.now}
		if len(rules) == 0 {
			choice.Mode = keystile.CORSOff
		}
		if err := choice.Check(); err != nil {
			return err
		}
		if _, err := ch.stamp(); err != nil {
			return err
		}
		return ch.SaveBucketCORS(choice)
	})
}

// setOwn changes a bucket that the user owns, as it is when its turn has come.
func (s *RGWUsers) setOwn(ctx context.Context, userID, name string, do func(*change, keystile.RGWBucket) error) error {
	back, err := s.turns.Take(ctx, userID)
	if err != nil {
		return err
	}
	defer back()
	as, err := s.ownSigner(ctx, userID)
	if err != nil {
		return err
	}
	b, err := s.ownedBucket(ctx, as.User, name)
	if err != nil {
		return err
	}
	return s.onOwn(ctx, func(ch *change) error { return do(ch, b) })
}

func orFirst(first, second error) error {
	if second != nil {
		return second
	}
	return first
}

// ownSigner reads a user whose key works.
func (s *RGWUsers) ownSigner(ctx context.Context, userID string) (as RGWSigner, err error) {
	err = s.store.Read(ctx, func(tx store.Tx) error {
		if as.User, err = tx.RGWUser(userID); err != nil {
			return err
		}
		if !as.User.Works() {
			return keystile.ErrDenied
		}
		secrets, err := tx.RGWSecrets(userID)
		as.Secret = secrets.Current
		return err
	})
	return as, err
}

// onOwn changes what a user owns, and waits for the gateways. What changes along
// with it is recorded here.
func (s *RGWUsers) onOwn(ctx context.Context, do func(*change) error) error {
	ch := &change{now: s.now(), event: s.newEvent(System(), "rgw.bucket.change", "")}
	err := s.store.Write(ctx, func(tx store.Tx) error {
		ch.Tx, ch.also = tx, nil
		if err := do(ch); err != nil {
			return err
		}
		return tx.AppendEvents(ch.also)
	})
	if err != nil {
		return err
	}
	s.trail.Posted()
	return s.confirm(ctx, "", ch.generation)
}

// MayUpload returns the name of an account that may change the user's objects
// now; for any other it is ErrDenied.
func (s *RGWUsers) MayUpload(ctx context.Context, accountID, userID string) (name string, err error) {
	err = s.store.Read(ctx, func(tx store.Tx) error {
		account, err := liveAccount(tx, accountID)
		if err != nil {
			return err
		}
		name = account.Name
		_, err = s.seen(tx, Actor{Account: account}, userID, keystile.WriteAccess)
		return err
	})
	if errors.Is(err, keystile.ErrUnauthenticated) || errors.Is(err, keystile.ErrNotFound) {
		err = keystile.ErrDenied
	}
	return name, err
}
