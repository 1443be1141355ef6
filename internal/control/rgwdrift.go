package control

import (
	"context"
	"errors"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Unmanaged lists a page of a Ceph's users that are not managed here; for
// admins. A page may be short, or empty, though there is a next one.
func (s *RGWUsers) Unmanaged(ctx context.Context, a Actor, backendID, cursor string, limit int) (uids []string, next string, err error) {
	err = s.read(ctx, a, "rgw.user.list_unmanaged", backendID, admins, func(tx store.Tx) error { return s.isCeph(tx, backendID) })
	if err != nil {
		return nil, "", err
	}
	all, next, err := s.homes.UIDs(ctx, backendID, cursor, limit)
	if err != nil {
		return nil, "", homeError(err)
	}
	err = s.store.Read(ctx, func(tx store.Tx) error {
		for _, uid := range all {
			_, err := tx.RGWUserByUID(backendID, uid)
			switch {
			case errors.Is(err, keystile.ErrNotFound):
				uids = append(uids, uid)
			case err != nil:
				return err
			}
		}
		return nil
	})
	return uids, next, err
}

func (s *RGWUsers) isCeph(tx store.Tx, backendID string) error {
	b, err := s.backends.get(tx, backendID)
	if errors.Is(err, keystile.ErrNotFound) {
		return explain(err, "there is no such backend")
	}
	if err == nil && b.Kind != keystile.KindCeph {
		return explain(keystile.ErrConflict, "backend %q is no Ceph", backendID)
	}
	return err
}

// RGWAdoption says which user of a Ceph is taken under management.
type RGWAdoption struct {
	BackendID string
	UID       string
	ProjectID string
	Name      string // empty: that at the Ceph
}

// Adopt takes a user of a Ceph under management; for admins. It keeps its key,
// of which it must have just one, its quota and whether it is suspended.
func (s *RGWUsers) Adopt(ctx context.Context, a Actor, in RGWAdoption) (info RGWUserInfo, err error) {
	var found CephUser
	err = s.mutate(ctx, a, act{
		action: "rgw.user.adopt", target: in.UID, who: admins,
		prepare: func(ctx context.Context) error {
			if err := s.store.Read(ctx, func(tx store.Tx) error { return s.isCeph(tx, in.BackendID) }); err != nil {
				return err
			}
			found, err = s.homes.Unmanaged(ctx, in.BackendID, in.UID)
			if errors.Is(err, keystile.ErrNotFound) {
				return explain(err, "the Ceph has no user of that uid")
			}
			return homeError(err)
		},
		do: func(ch *change) error {
			u, err := s.adopted(ch, in, found)
			if err != nil {
				return err
			}
			ch.aboutRGWUser(u)
			ch.changed("uid", "%s", u.UID)
			ch.changed("access_key_id", "%s", u.AccessKeyID)
			if err := ch.CreateRGWUser(u, keystile.RGWSecrets{Current: found.Keys[0].Secret}); err != nil {
				if errors.Is(err, keystile.ErrConflict) {
					return &Explained{"the user, or its key, is managed here already", err}
				}
				return err
			}
			info, err = s.infoOf(ch, u)
			return err
		},
	})
	return info, err
}

func (s *RGWUsers) adopted(ch *change, in RGWAdoption, found CephUser) (keystile.RGWUser, error) {
	u := keystile.RGWUser{
		ID: newID(), Name: in.Name, ProjectID: in.ProjectID, BackendID: in.BackendID, UID: found.UID, Adopted: true,
		State: keystile.RGWLive, Status: keystile.StatusActive, Quota: found.Home.Quota,
		CreatedAt: ch.now, UpdatedAt: ch.now, KeyRenewedAt: ch.now,
	}
	if _, err := needAccess(ch, ch.actor, in.ProjectID, keystile.AdminAccess); err != nil {
		return u, err
	}
	if len(found.Keys) != 1 {
		return u, explain(keystile.ErrConflict, "the user has %d S3 keys: one that is managed here has just one", len(found.Keys))
	}
	u.AccessKeyID = found.Keys[0].AccessKeyID
	if found.Home.Suspended {
		u.Status = keystile.StatusDisabled
	}
	if u.Name == "" {
		u.Name = found.Home.Name
	}
	var faults keystile.Faults
	keystile.CheckRGWName(u.Name, &faults)
	if err := faults.Err(); err != nil {
		return u, err
	}
	if b, err := s.backends.get(ch, in.BackendID); err != nil || b.AdminAccessKeyID == u.AccessKeyID || b.AccessKeyID == u.AccessKeyID {
		return u, orDenied(err, "the gateway itself uses this user's key")
	}
	if _, err := ch.Credential(u.AccessKeyID); !errors.Is(err, keystile.ErrNotFound) {
		if err == nil {
			err = explain(keystile.ErrConflict, "a credential has this access key ID")
		}
		return u, err
	}
	if _, err := ch.RGWUserByUID(u.BackendID, u.UID); !errors.Is(err, keystile.ErrNotFound) {
		if err == nil {
			err = explain(keystile.ErrConflict, "the user is managed here already")
		}
		return u, err
	}
	if err := ch.rgwNameFree(u.ProjectID, u.Name); err != nil {
		return u, err
	}
	var err error
	u.Generation, err = ch.stamp()
	return u, err
}

// Forget gives a Ceph's user back; for admins. It stays there as it is, and its
// key no longer works at the gateway.
func (s *RGWUsers) Forget(ctx context.Context, a Actor, id string) error {
	back, err := s.turn(ctx, a, "rgw.user.forget", id, keystile.AdminAccess)
	if err != nil {
		return err
	}
	defer back()
	return s.mutate(ctx, a, act{action: "rgw.user.forget", target: id, who: admins, ends: true, do: func(ch *change) error {
		u, err := ch.RGWUser(id)
		if err != nil {
			return err
		}
		ch.aboutRGWUser(u)
		if err := ch.rgwUserLives(u); err != nil {
			return err
		}
		switch {
		case u.Locked:
			return explain(ErrLocked, "the user is locked: unlock it first")
		case !u.AtCeph():
			return explain(keystile.ErrConflict, "the gateway is the user's home: it can only be deleted")
		}
		return ch.buryRGWUser(&u)
	}})
}
