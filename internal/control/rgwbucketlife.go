package control

import (
	"context"
	"errors"
	"fmt"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// What is recorded of a bucket whose home is the gateway leads over the steps
// between the store and the backend. A bucket that was there before is never
// taken for the user's, and one that is gone is found out where the backend does
// not tell.

// refuseTaken refuses the creation of a bucket of a name that the backend has
// already, before it is recorded. Whoever may not create it is refused later, by
// the act itself.
func (s *RGWUsers) refuseTaken(ctx context.Context, a Actor, userID, name string) error {
	var u keystile.RGWUser
	err := s.store.Read(ctx, func(tx store.Tx) error {
		info, err := s.seen(tx, a, userID, keystile.WriteAccess)
		u = info.RGWUser
		return err
	})
	if err != nil || u.AtCeph() || !u.Works() {
		return nil //nolint:nilerr // the act finds the same, and records it
	}
	return bucketError(s.vacant(ctx, keystile.Bucket{Backend: u.BackendID, Name: name}))
}

// vacant refuses the name of a bucket that the backend has and no user owns. Where
// the backend does not tell nothing is recorded: whoever it belongs to, deleting a
// user deletes what is recorded of it.
func (s *RGWUsers) vacant(ctx context.Context, bucket keystile.Bucket) error {
	if err := keystile.CheckNewBucketName(bucket.Name); err != nil {
		return nil //nolint:nilerr // no backend is asked for it
	}
	err := s.store.Read(ctx, func(tx store.Tx) error {
		_, err := tx.RGWBucket(bucket)
		return err
	})
	if !errors.Is(err, keystile.ErrNotFound) {
		return err // who owns it is looked at where it is reserved
	}
	has, err := s.homes.HasBucket(ctx, bucket)
	if err == nil && has {
		err = fmt.Errorf("bucket %s: %w", bucket, keystile.ErrConflict)
	}
	return err
}

// allBuckets are those that a user owns, made or half made.
func (s *RGWUsers) allBuckets(ctx context.Context, u keystile.RGWUser) ([]keystile.RGWBucket, error) {
	if !u.AtCeph() {
		return s.ownedBuckets(ctx, u.ID)
	}
	list, err := s.homes.Buckets(ctx, u)
	return atCeph(list), err
}

func atCeph(list []keystile.RGWBucketInfo) []keystile.RGWBucket {
	all := make([]keystile.RGWBucket, len(list))
	for i, b := range list {
		all[i] = keystile.RGWBucket{Bucket: b.Bucket, Made: true}
	}
	return all
}

// toEnd finds a bucket that the user owns, to be deleted.
func (s *RGWUsers) toEnd(ctx context.Context, as RGWSigner, name string) (keystile.RGWBucket, error) {
	b := keystile.RGWBucket{Bucket: keystile.Bucket{Backend: as.User.BackendID, Name: name}, Made: true}
	if err := s.owns(ctx, as, name); err != nil || as.User.AtCeph() {
		return b, err
	}
	return s.ownedBucket(ctx, as.User, name)
}

// endBucket deletes an empty bucket. What is gone already is no error.
func (s *RGWUsers) endBucket(ctx context.Context, as RGWSigner, b keystile.RGWBucket) error {
	if !b.Made {
		return s.endUnmade(ctx, as, b)
	}
	if err := s.setEnding(ctx, as.User, b, true); err != nil {
		return err
	}
	err := s.homes.DeleteBucket(ctx, as, b.Bucket.Name)
	if errors.Is(err, keystile.ErrNotEmpty) || errors.Is(err, ErrHomeDenies) && !b.Ending { // it stays, for certain
		return orFirst(err, s.setEnding(ctx, as.User, b, false))
	}
	return s.unlessGone(ctx, b, err)
}

// endUnmade deletes a bucket whose creation was cut off. One that holds something
// is not the user's, and stays; a backend may delete one with unfinished uploads,
// and so is asked before.
func (s *RGWUsers) endUnmade(ctx context.Context, as RGWSigner, b keystile.RGWBucket) error {
	untouched, err := s.homes.Untouched(ctx, b.Bucket)
	if err == nil && untouched {
		err = s.homes.DeleteBucket(ctx, as, b.Bucket.Name)
	}
	if errors.Is(err, keystile.ErrNotEmpty) {
		return nil
	}
	return s.unlessGone(ctx, b, err)
}

// setEnding notes that a bucket is deleted from now on, or stays after all.
func (s *RGWUsers) setEnding(ctx context.Context, u keystile.RGWUser, b keystile.RGWBucket, ending bool) error {
	if u.AtCeph() {
		return nil
	}
	return s.store.Write(ctx, func(tx store.Tx) error {
		now, err := tx.RGWBucket(b.Bucket)
		if err != nil || now.Ending == ending {
			return err
		}
		now.Ending = ending
		return tx.UpdateRGWBucket(now)
	})
}

// unlessGone takes a refusal of what was asked of a bucket for its end, where that
// is what it means: the bucket is not there; or it may have been deleted already,
// or never have been made, and the backend denies what is asked of it and does not
// list it. A bucket that should be there and is denied may just be out of the
// key's reach.
func (s *RGWUsers) unlessGone(ctx context.Context, b keystile.RGWBucket, err error) error {
	switch {
	case errors.Is(err, keystile.ErrNotFound):
		return nil
	case !errors.Is(err, ErrHomeDenies) || b.Made && !b.Ending:
		return err
	}
	if listed, asking := s.homes.ListsBucket(ctx, b.Bucket); asking != nil || listed {
		return errors.Join(err, asking)
	}
	return nil
}
