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

// CreateOwnBucket makes a bucket that the user owns.
func (s *RGWUsers) CreateOwnBucket(ctx context.Context, userID, name string) error {
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
		return s.makeBucket(ctx, as, name)
	}
	bucket := keystile.Bucket{Backend: as.User.BackendID, Name: name}
	if err := s.onOwn(ctx, func(ch *change) error {
		return ch.reserveBucket(as.User, keystile.RGWBucketInfo{Bucket: bucket})
	}); err != nil {
		return err
	}
	if err := s.makeBucket(ctx, as, name); err != nil {
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
	if err := s.owns(ctx, as, name); err != nil {
		return err
	}
	if err := s.homes.DeleteBucket(ctx, as, name); err != nil || as.User.AtCeph() {
		return err
	}
	return s.onOwn(ctx, func(ch *change) error {
		if err := ch.DeleteRGWBucket(keystile.Bucket{Backend: as.User.BackendID, Name: name}); err != nil {
			return err
		}
		return ch.rgwUserChanged(userID)
	})
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

// onOwn changes what a user owns, and waits for the gateways.
func (s *RGWUsers) onOwn(ctx context.Context, do func(*change) error) error {
	ch := &change{now: s.now()}
	err := s.store.Write(ctx, func(tx store.Tx) error {
		ch.Tx = tx
		return do(ch)
	})
	if err != nil {
		return err
	}
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
