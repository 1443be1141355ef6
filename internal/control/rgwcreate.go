package control

import (
	"context"
	"errors"
	"strings"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// NewRGWUser is what is chosen of a user.
type NewRGWUser struct {
	Name      string
	ProjectID string
	BackendID string              // empty: the one Ceph, or the one backend, that there is
	Quota     *keystile.SizeQuota // nil: the default; only admins set one
}

// Create makes a user and its key at its home. The secret is shown this once.
// What is cut off on the way is taken back by the repair: nobody has seen the
// key then.
func (s *RGWUsers) Create(ctx context.Context, a Actor, in NewRGWUser) (made RGWUserSecret, err error) {
	var u keystile.RGWUser
	secret := keystile.Secret{}
	back := func() {} // the user's turn is kept until all is made: the repair would take it back
	defer func() { back() }()
	create := act{action: "rgw.user.create", target: in.Name, who: anyone, inProject: true, do: func(ch *change) error {
		if u, err = s.newUser(ch, in); err != nil {
			return err
		}
		back() // of a try before this one, which was for another id
		back = func() {}
		taken, ok := s.turns.TryTake(u.ID)
		if !ok {
			return keystile.ErrConflict
		}
		back = taken
		u.AccessKeyID, secret = keystile.NewKeyPair()
		ch.aboutRGWUser(u)
		ch.changed("access_key_id", "%s", u.AccessKeyID)
		ch.tellQuota(u.Quota)
		return ch.CreateRGWUser(u, keystile.RGWSecrets{Current: secret})
	}}
	err = s.stage(ctx, a, staged{
		act: create,
		effect: func(ctx context.Context) error {
			return homeError(s.homes.Create(ctx, u, secret))
		},
		settle: func(ch *change) error {
			u.State = keystile.RGWLive
			if err := ch.saveRGWUser(&u); err != nil {
				return err
			}
			made.RGWUserInfo, err = s.infoOf(ch, u)
			return err
		},
		undo: func(ch *change, err error) error {
			if errors.Is(err, keystile.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
				return nil // it may be there: the repair removes it
			}
			return ch.buryRGWUser(&u)
		},
	})
	if err == nil {
		made.Secret = secret
	}
	return made, err
}

// newUser checks what is chosen of a user.
func (s *RGWUsers) newUser(ch *change, in NewRGWUser) (keystile.RGWUser, error) {
	access, err := needAccess(ch, ch.actor, in.ProjectID, keystile.WriteAccess)
	if err != nil {
		return keystile.RGWUser{}, err
	}
	u := keystile.RGWUser{
		ID: newID(), Name: in.Name, ProjectID: in.ProjectID, State: keystile.RGWCreating, Status: keystile.StatusActive,
		Quota: s.defaultQuota, CreatedAt: ch.now, UpdatedAt: ch.now, KeyRenewedAt: ch.now,
	}
	if in.Quota != nil {
		if access < keystile.AdminAccess {
			return u, explain(keystile.ErrDenied, "only an admin sets quotas")
		}
		u.Quota = *in.Quota
	}
	var faults keystile.Faults
	keystile.CheckRGWName(in.Name, &faults)
	u.Quota.Check(&faults)
	backend, err := s.chooseBackend(ch, in.BackendID, &faults)
	if err != nil {
		return u, err
	}
	if err := faults.Err(); err != nil {
		return u, err
	}
	u.BackendID = backend.ID
	if backend.Kind == keystile.KindCeph {
		u.UID = keystile.RGWUID(u.ID)
	}
	return u, ch.rgwNameFree(in.ProjectID, in.Name)
}

func (ch *change) rgwNameFree(projectID, name string) error {
	u, err := ch.RGWUserByName(projectID, name)
	switch {
	case err == nil && u.State == keystile.RGWCreating:
		return explain(ErrNameTaken, "a user of that name is being made; if that was cut off, the name is free when it has been taken back: try again in a minute")
	case err == nil:
		return explain(ErrNameTaken, "the project has a user of that name already")
	case errors.Is(err, keystile.ErrNotFound):
		return nil
	}
	return err
}

// chooseBackend finds the backend of a new user. Where none is named it is the
// one Ceph that there is, or the one backend.
func (s *RGWUsers) chooseBackend(tx store.Tx, id string, faults *keystile.Faults) (keystile.Backend, error) {
	if id != "" {
		backend, err := s.backends.get(tx, id)
		if errors.Is(err, keystile.ErrNotFound) {
			faults.Add("backend_id", "there is no such backend")
			err = nil
		}
		return backend, err
	}
	stored, err := tx.Backends()
	if err != nil {
		return keystile.Backend{}, err
	}
	all := append(s.backends.upstreams.Declared(), stored...)
	var cephs []keystile.Backend
	for _, b := range all {
		if b.Kind == keystile.KindCeph {
			cephs = append(cephs, b)
		}
	}
	switch {
	case len(cephs) == 1:
		return cephs[0], nil
	case len(all) == 1:
		return all[0], nil
	}
	faults.Add("backend_id", "is needed: there are %d backends", len(all))
	return keystile.Backend{}, nil
}

// buryRGWUser makes a user gone: its names are free, its secrets erased.
func (ch *change) buryRGWUser(u *keystile.RGWUser) error {
	u.DeletedAt = ch.now
	if err := ch.SetRGWSecrets(u.ID, keystile.RGWSecrets{}); err != nil {
		return err
	}
	return ch.saveRGWUser(u)
}

// homeError explains what a home said, for the client.
func homeError(err error) error {
	var explained *Explained
	var faults keystile.Faults
	switch {
	case err == nil, errors.As(err, &explained), errors.As(err, &faults), errors.Is(err, keystile.ErrRange):
		return err
	case errors.Is(err, keystile.ErrNotEmpty):
		return &Explained{"there are buckets that hold objects", err}
	case errors.Is(err, keystile.ErrNotFound):
		return &Explained{"the backend does not know the user, or the bucket", err}
	case errors.Is(err, keystile.ErrConflict):
		return &Explained{"the backend says that it is there already", err}
	case errors.Is(err, keystile.ErrDenied):
		return &Explained{"the backend does not allow it", err}
	case errors.Is(err, keystile.ErrInvalid):
		return &Explained{"the backend does not accept it", err}
	case errors.Is(err, keystile.ErrKeyRefused):
		return &Explained{"the backend refuses the gateway's own key: a test of the backend tells what the key lacks", err}
	case errors.Is(err, keystile.ErrUnavailable):
		return &Explained{"the backend gave no clear answer", err}
	}
	return err
}

// Delete removes a user whose buckets are empty, with them. A locked one stays,
// for admins too.
func (s *RGWUsers) Delete(ctx context.Context, a Actor, id string) error {
	back, err := s.turn(ctx, a, "rgw.user.delete", id, keystile.WriteAccess)
	if err != nil {
		return err
	}
	defer back()
	var u keystile.RGWUser
	var as RGWSigner
	remove := act{action: "rgw.user.delete", target: id, who: anyone, inProject: true, ends: true}
	remove.do = func(ch *change) error {
		if as, err = s.toDelete(ch, id); err != nil {
			return err
		}
		u = as.User
		u.State = keystile.RGWDeleting
		return ch.saveRGWUser(&u)
	}
	remove.prepare = func(ctx context.Context) error { return s.refuseFull(ctx, a, id) }
	return s.stage(ctx, a, staged{
		act:    remove,
		effect: func(ctx context.Context) error { return homeError(s.unmake(ctx, as)) },
		settle: func(ch *change) error { return ch.forgetBuckets(&u) },
		undo: func(ch *change, err error) error {
			if !errors.Is(err, keystile.ErrConflict) {
				return nil // nobody knows how far it came: the repair ends it
			}
			u.State = keystile.RGWLive
			return ch.saveRGWUser(&u)
		},
	})
}

// toDelete checks that a user may be deleted by the actor.
func (s *RGWUsers) toDelete(ch *change, id string) (RGWSigner, error) {
	info, err := s.seen(ch, ch.actor, id, keystile.WriteAccess)
	if err != nil {
		return RGWSigner{}, err
	}
	ch.aboutRGWUser(info.RGWUser)
	if err := ch.rgwUserLives(info.RGWUser); err != nil {
		return RGWSigner{}, err
	}
	if info.Locked {
		return RGWSigner{}, explain(ErrLocked, "the user is locked: an admin must unlock it first")
	}
	secrets, err := ch.RGWSecrets(id)
	return RGWSigner{info.RGWUser, secrets.Current}, err
}

// refuseFull refuses to delete a user that has objects, before its key stops.
// Whoever may not delete it is refused later, by the act itself.
func (s *RGWUsers) refuseFull(ctx context.Context, a Actor, id string) error {
	var as RGWSigner
	err := s.store.Read(ctx, func(tx store.Tx) error {
		info, err := s.seen(tx, a, id, keystile.WriteAccess)
		if err != nil {
			return err
		}
		secrets, err := tx.RGWSecrets(id)
		as = RGWSigner{info.RGWUser, secrets.Current}
		return err
	})
	if err != nil || as.User.Locked || as.User.State != keystile.RGWLive {
		return nil //nolint:nilerr // the act finds the same, and records it
	}
	buckets, err := s.bucketsOf(ctx, as)
	if err != nil && !errors.Is(err, keystile.ErrNotFound) {
		return homeError(err)
	}
	for _, b := range buckets {
		if b.Objects > 0 {
			return explain(keystile.ErrNotEmpty, "there are buckets that hold objects, such as %s", b.Bucket.Name)
		}
	}
	return nil
}

// unmake removes a user's empty buckets and the user. What is gone already is no
// error.
func (s *RGWUsers) unmake(ctx context.Context, as RGWSigner) error {
	buckets, err := s.allBuckets(ctx, as.User)
	if err != nil && !errors.Is(err, keystile.ErrNotFound) {
		return err
	}
	for _, b := range buckets {
		if err := s.endBucket(ctx, as, b); err != nil {
			return err
		}
	}
	if err := s.homes.Remove(ctx, as.User); err != nil && !errors.Is(err, keystile.ErrNotFound) {
		return err
	}
	return nil
}

// forgetBuckets makes a user gone with its buckets, all of which are.
func (ch *change) forgetBuckets(u *keystile.RGWUser) error {
	owned, err := ch.RGWBuckets(u.ID)
	if err != nil {
		return err
	}
	for _, b := range owned {
		if err := ch.dropRGWBucket(b.Bucket); err != nil {
			return err
		}
	}
	return ch.buryRGWUser(u)
}

func (ch *change) tellQuota(q keystile.SizeQuota) {
	ch.changed("quota.max_size_kb", "%d", q.MaxSizeKB)
	ch.changed("quota.enabled", "%t", q.Enabled)
}

func trimInvalid(err error) string {
	return strings.TrimSuffix(err.Error(), ": "+keystile.ErrInvalid.Error())
}
