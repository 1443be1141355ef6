package control

import (
	"context"
	"errors"
	"slices"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// look reads a user, as somebody with enough access may act on its buckets.
func (s *RGWUsers) look(ctx context.Context, a Actor, id string, need keystile.ProjectAccess) (as RGWSigner, err error) {
	err = s.store.Read(ctx, func(tx store.Tx) error {
		as, err = s.signer(tx, a, id, need)
		return err
	})
	return as, err
}

// signer is look within a transaction. Buckets and objects can be reached while
// the user's key works, and no longer.
func (s *RGWUsers) signer(tx store.Tx, a Actor, id string, need keystile.ProjectAccess) (RGWSigner, error) {
	info, err := s.seen(tx, a, id, need)
	if err != nil {
		return RGWSigner{}, err
	}
	secrets, err := tx.RGWSecrets(id)
	return RGWSigner{info.RGWUser, secrets.Current}, err
}

// reading is signer for an act that changes nothing: refusals are recorded.
func (s *RGWUsers) reading(ctx context.Context, a Actor, action, id string) (as RGWSigner, err error) {
	err = s.readIn(ctx, a, action, id, anyone, func(tx store.Tx) error {
		as, err = s.signer(tx, a, id, keystile.ReadAccess)
		return err
	})
	return as, err
}

// Buckets lists a user's buckets with what they hold, by name.
func (s *RGWUsers) Buckets(ctx context.Context, a Actor, id string) ([]keystile.RGWBucketInfo, error) {
	as, err := s.reading(ctx, a, "rgw.bucket.list", id)
	if err != nil {
		return nil, err
	}
	list, err := s.bucketsOf(ctx, as)
	return list, homeError(err)
}

// Bucket shows one of a user's buckets.
func (s *RGWUsers) Bucket(ctx context.Context, a Actor, id, name string) (info keystile.RGWBucketInfo, err error) {
	as, err := s.reading(ctx, a, "rgw.bucket.show", id)
	if err != nil {
		return info, err
	}
	info, err = s.bucketOf(ctx, as, name)
	return info, homeError(err)
}

func (s *RGWUsers) bucketsOf(ctx context.Context, as RGWSigner) ([]keystile.RGWBucketInfo, error) {
	if as.User.AtCeph() {
		list, err := s.homes.Buckets(ctx, as.User)
		for i := range list {
			list[i].Owner = as.User.ID
		}
		slices.SortFunc(list, func(x, y keystile.RGWBucketInfo) int { return compareNames(x.Bucket, y.Bucket) })
		return list, err
	}
	owned, err := s.ownedBuckets(ctx, as.User.ID)
	list := make([]keystile.RGWBucketInfo, 0, len(owned))
	for _, b := range owned {
		if !b.Made {
			continue
		}
		info, err := s.countBucket(ctx, b)
		switch {
		case err == nil:
			list = append(list, info)
		case b.Ending && s.unlessGone(ctx, b, err) == nil:
			// Its deletion was cut off, but the backend has carried it out.
		default:
			return nil, err
		}
	}
	return list, err
}

func (s *RGWUsers) ownedBuckets(ctx context.Context, userID string) (owned []keystile.RGWBucket, err error) {
	err = s.store.Read(ctx, func(tx store.Tx) error {
		owned, err = tx.RGWBuckets(userID)
		return err
	})
	return owned, err
}

func (s *RGWUsers) countBucket(ctx context.Context, b keystile.RGWBucket) (keystile.RGWBucketInfo, error) {
	info := keystile.RGWBucketInfo{Bucket: b.Bucket, Owner: b.UserID, CreatedAt: b.CreatedAt}
	var err error
	info.Bytes, info.Objects, err = s.homes.Usage(ctx, b.Bucket)
	return info, err
}

// bucketOf is a bucket if the user owns it; another's is ErrNotFound, as one
// that is not there.
func (s *RGWUsers) bucketOf(ctx context.Context, as RGWSigner, name string) (info keystile.RGWBucketInfo, err error) {
	if keystile.CheckBucketName(name) != nil {
		return info, explain(keystile.ErrNotFound, "there is no such bucket")
	}
	if as.User.AtCeph() {
		info, err = s.homes.Owner(ctx, as.User, name)
		if err == nil && info.Owner != as.User.UID {
			err = keystile.ErrNotFound
		}
		info.Owner = as.User.ID
	} else {
		var b keystile.RGWBucket
		if b, err = s.ownedBucket(ctx, as.User, name); err == nil {
			info, err = s.countBucket(ctx, b)
		}
	}
	if errors.Is(err, keystile.ErrNotFound) {
		return info, explain(keystile.ErrNotFound, "the user has no such bucket")
	}
	return info, err
}

func (s *RGWUsers) ownedBucket(ctx context.Context, u keystile.RGWUser, name string) (b keystile.RGWBucket, err error) {
	err = s.store.Read(ctx, func(tx store.Tx) error {
		b, err = tx.RGWBucket(keystile.Bucket{Backend: u.BackendID, Name: name})
		if err == nil && (b.UserID != u.ID || !b.Made) {
			return keystile.ErrNotFound
		}
		return err
	})
	return b, err
}

// owns checks that the user owns a bucket, without counting what it holds.
func (s *RGWUsers) owns(ctx context.Context, as RGWSigner, name string) error {
	if as.User.AtCeph() {
		_, err := s.bucketOf(ctx, as, name)
		return err
	}
	_, err := s.ownedBucket(ctx, as.User, name)
	if errors.Is(err, keystile.ErrNotFound) {
		return explain(keystile.ErrNotFound, "the user has no such bucket")
	}
	return err
}

// CreateBucket makes a bucket that the user owns. Its name is recorded before
// the backend hears of it, so that none is ever without its owner.
func (s *RGWUsers) CreateBucket(ctx context.Context, a Actor, id, name string) (info keystile.RGWBucketInfo, err error) {
	back, err := s.turn(ctx, a, "rgw.bucket.create", id, keystile.WriteAccess)
	if err != nil {
		return info, err
	}
	defer back()
	var as RGWSigner
	var again bool
	create := s.onBucket("rgw.bucket.create", id, name, &as)
	find := create.do
	create.prepare = func(ctx context.Context) error { return s.refuseTaken(ctx, a, id, name) }
	create.do = func(ch *change) (err error) {
		if err := find(ch); err != nil {
			return err
		}
		if err := keystile.CheckNewBucketName(name); err != nil {
			return keystile.Faults{{Field: "name", Message: trimInvalid(err)}}
		}
		info = keystile.RGWBucketInfo{Bucket: keystile.Bucket{Backend: as.User.BackendID, Name: name}, Owner: id, CreatedAt: ch.now}
		if as.User.AtCeph() {
			return nil
		}
		again, err = ch.reserveBucket(as.User, info.Bucket, keystile.ACLPrivate)
		return err
	}
	err = s.stage(ctx, a, staged{
		act: create,
		effect: func(ctx context.Context) error {
			return bucketError(s.makeBucket(ctx, as, name, keystile.ACLPrivate, again))
		},
		settle: func(ch *change) error { return ch.bucketMade(as.User, name) },
		undo: func(ch *change, err error) error {
			if as.User.AtCeph() || !errors.Is(err, keystile.ErrConflict) && !errors.Is(err, keystile.ErrInvalid) {
				return nil // it may be there: its name stays reserved
			}
			return ch.DeleteRGWBucket(info.Bucket)
		},
	})
	return info, err
}

// makeBucket creates a bucket. A Ceph takes the creation of a bucket that the
// user has already for done, and so must be asked before. Elsewhere, where it is
// tried again, the bucket may be there by the try before, whose answer never came:
// then the backend had none of that name, and nothing has ever been put into it.
func (s *RGWUsers) makeBucket(ctx context.Context, as RGWSigner, name, acl string, again bool) error {
	if as.User.AtCeph() {
		switch found, err := s.homes.Owner(ctx, as.User, name); {
		case err == nil && found.Owner == as.User.UID:
			return keystile.ErrOwned
		case err == nil:
			return keystile.ErrConflict
		case !errors.Is(err, keystile.ErrNotFound):
			return err
		}
	}
	err := s.homes.CreateBucket(ctx, as, name, acl)
	if !again || !errors.Is(err, keystile.ErrConflict) {
		return err
	}
	untouched, asking := s.homes.Untouched(ctx, keystile.Bucket{Backend: as.User.BackendID, Name: name})
	if asking != nil || !untouched {
		return err
	}
	return nil
}

// reserveBucket records the owner of a bucket that is about to be made. What was
// reserved before and never made may be made again by the same user: it tells.
func (ch *change) reserveBucket(u keystile.RGWUser, bucket keystile.Bucket, acl string) (again bool, err error) {
	had, err := ch.RGWBucket(bucket)
	switch {
	case err == nil && had.UserID == u.ID && had.Made:
		return false, &Explained{"the user has a bucket of that name already", keystile.ErrOwned}
	case err == nil && had.UserID == u.ID:
		had.ACL = acl
		return true, ch.UpdateRGWBucket(had)
	case err != nil && !errors.Is(err, keystile.ErrNotFound):
		return false, err
	}
	err = ch.CreateRGWBucket(keystile.RGWBucket{Bucket: bucket, UserID: u.ID, ACL: acl, CreatedAt: ch.now})
	if errors.Is(err, keystile.ErrConflict) {
		return false, &Explained{"there is a bucket of that name already", err}
	}
	return false, err
}

func (ch *change) bucketMade(u keystile.RGWUser, name string) error {
	if u.AtCeph() {
		return nil
	}
	b, err := ch.RGWBucket(keystile.Bucket{Backend: u.BackendID, Name: name})
	if err != nil {
		return err
	}
	b.Made = true
	if err := ch.UpdateRGWBucket(b); err != nil {
		return err
	}
	if err := ch.countNewBucket(b.Bucket); err != nil {
		return err
	}
	return ch.rgwUserChanged(u.ID)
}

// rgwUserChanged has the gateways read a user again.
func (ch *change) rgwUserChanged(id string) error {
	u, err := ch.RGWUser(id)
	if err != nil {
		return err
	}
	return ch.saveRGWUser(&u)
}

// DeleteBucket deletes an empty bucket of the user.
func (s *RGWUsers) DeleteBucket(ctx context.Context, a Actor, id, name string) error {
	back, err := s.turn(ctx, a, "rgw.bucket.delete", id, keystile.WriteAccess)
	if err != nil {
		return err
	}
	defer back()
	var as RGWSigner
	return s.stage(ctx, a, staged{
		act: s.onBucket("rgw.bucket.delete", id, name, &as),
		effect: func(ctx context.Context) error {
			b, err := s.toEnd(ctx, as, name)
			if err != nil {
				return err
			}
			return bucketError(s.endBucket(ctx, as, b))
		},
		settle: func(ch *change) error {
			if as.User.AtCeph() {
				return nil
			}
			if err := ch.dropRGWBucket(keystile.Bucket{Backend: as.User.BackendID, Name: name}); err != nil {
				return err
			}
			return ch.rgwUserChanged(id)
		},
	})
}

func bucketError(err error) error {
	if errors.Is(err, keystile.ErrNotEmpty) {
		return &Explained{"the bucket holds objects", err}
	}
	if errors.Is(err, keystile.ErrConflict) {
		return &Explained{"there is a bucket of that name already", err}
	}
	return homeError(err)
}

// onBucket is an act on a bucket of a user whose key works, by who may change
// it.
func (s *RGWUsers) onBucket(action, id, bucket string, as *RGWSigner) act {
	return act{action: action, target: id, who: anyone, inProject: true, do: func(ch *change) (err error) {
		ch.event.Bucket = printable(bucket, maxNameBytes)
		if *as, err = s.signer(ch, ch.actor, id, keystile.WriteAccess); err != nil {
			return err
		}
		ch.aboutRGWUser(as.User)
		if err := ch.rgwUserLives(as.User); err != nil {
			return err
		}
		if as.User.Status != keystile.StatusActive {
			return explain(keystile.ErrConflict, "the user is disabled")
		}
		return nil
	}}
}

// BucketACL tells the canned ACL of a bucket of the user; "custom" if it is none
// of them.
func (s *RGWUsers) BucketACL(ctx context.Context, a Actor, id, name string) (string, error) {
	as, err := s.reading(ctx, a, "rgw.bucket.acl", id)
	if err != nil {
		return "", err
	}
	if !as.User.AtCeph() {
		b, err := s.ownedBucket(ctx, as.User, name)
		return b.ACL, homeError(err)
	}
	if err := s.owns(ctx, as, name); err != nil {
		return "", homeError(err)
	}
	acl, err := s.homes.ACL(ctx, as, name)
	return acl, homeError(err)
}

// SetBucketACL gives a bucket of the user a canned ACL.
func (s *RGWUsers) SetBucketACL(ctx context.Context, a Actor, id, name, acl string) error {
	back, err := s.turn(ctx, a, "rgw.bucket.set_acl", id, keystile.WriteAccess)
	if err != nil {
		return err
	}
	defer back()
	var as RGWSigner
	set := s.onBucket("rgw.bucket.set_acl", id, name, &as)
	find := set.do
	set.do = func(ch *change) error {
		if err := find(ch); err != nil {
			return err
		}
		ch.changed("acl", "%s", printable(acl, maxNameBytes))
		return checkACL(as.User, acl)
	}
	return s.stage(ctx, a, staged{
		act: set,
		effect: func(ctx context.Context) error {
			if err := s.owns(ctx, as, name); err != nil || !as.User.AtCeph() {
				return err
			}
			return homeError(s.homes.SetACL(ctx, as, name, acl))
		},
		settle: func(ch *change) error {
			if as.User.AtCeph() {
				return nil
			}
			b, err := ch.RGWBucket(keystile.Bucket{Backend: as.User.BackendID, Name: name})
			if err != nil {
				return err
			}
			return ch.setACL(b, acl)
		},
	})
}

// setACL gives a bucket a canned ACL that the gateways keep.
func (ch *change) setACL(b keystile.RGWBucket, acl string) error {
	b.ACL = acl
	if err := ch.UpdateRGWBucket(b); err != nil {
		return err
	}
	return ch.rgwUserChanged(b.UserID)
}

func checkACL(u keystile.RGWUser, acl string) error {
	known := []string{keystile.ACLPrivate, keystile.ACLPublicRead}
	if u.AtCeph() {
		known = append(known, keystile.ACLPublicReadWrite, keystile.ACLAuthenticatedRead)
	}
	if !slices.Contains(known, acl) {
		return keystile.Faults{{Field: "acl", Message: "must be one of " + joinWords(known)}}
	}
	return nil
}
