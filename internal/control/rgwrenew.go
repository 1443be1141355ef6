package control

import (
	"context"
	"errors"

	"keystile/internal/keystile"
)

// RenewKey gives a user's key a new secret, which is shown this once; the access
// key ID stays. When it returns, the secret before is dead at the gateway and at
// the user's home. A locked user keeps its secret: nothing changes, and none is
// shown.
//
// The new secret is sealed and stored as pending before the home hears of it, so
// that what is cut off between the steps is put right by the repair.
func (s *RGWUsers) RenewKey(ctx context.Context, a Actor, id string) (renewed RGWUserSecret, err error) {
	if err := s.refuseEmptied(ctx, a, "rgw.user.renew_key", id, keystile.WriteAccess); err != nil {
		return renewed, err
	}
	back, err := s.turns.renew(ctx, id)
	if err != nil {
		return renewed, s.core.refused(ctx, s.newEvent(a, "rgw.user.renew_key", id), s.hideFrom(ctx, a, id, keystile.WriteAccess, err))
	}
	defer back()
	secret := keystile.NewSecretKey()
	var u keystile.RGWUser
	locked := false
	renew := act{action: "rgw.user.renew_key", target: id, who: anyone, inProject: true, do: func(ch *change) error {
		info, err := s.seen(ch, ch.actor, id, keystile.WriteAccess)
		if err != nil {
			return err
		}
		u, renewed.RGWUserInfo = info.RGWUser, info
		ch.aboutRGWUser(u)
		ch.changed("access_key_id", "%s", u.AccessKeyID)
		if u.Locked {
			locked = true
			ch.event.Detail.Message = "the user is locked: nothing was changed"
			return nil
		}
		if err := ch.rgwUserLives(u); err != nil {
			return err
		}
		if u.Status != keystile.StatusActive {
			return explain(keystile.ErrConflict, "the user is disabled: an admin must enable it first")
		}
		secrets, err := ch.RGWSecrets(id)
		if err != nil {
			return err
		}
		if !secrets.Pending.IsZero() {
			return explain(keystile.ErrConflict, "a renewal that was cut off is being put right: try again in a moment")
		}
		return ch.SetRGWSecrets(id, keystile.RGWSecrets{Current: secrets.Current, Pending: secret})
	}}
	err = s.stage(ctx, a, staged{
		act: renew,
		effect: func(ctx context.Context) error {
			if locked {
				return nil
			}
			return homeError(s.homes.SetSecret(ctx, u, secret))
		},
		settle: func(ch *change) error {
			if locked {
				return nil
			}
			u.KeyRenewedAt = ch.now
			if err := ch.SetRGWSecrets(id, keystile.RGWSecrets{Current: secret}); err != nil {
				return err
			}
			if err := ch.saveRGWUser(&u); err != nil {
				return err
			}
			renewed.RGWUser = u
			return nil
		},
		undo: func(ch *change, err error) error {
			if errors.Is(err, keystile.ErrNotFound) || errors.Is(err, keystile.ErrDenied) {
				return ch.dropPending(id)
			}
			return nil // it may have the new one: the repair asks
		},
	})
	if err == nil && !locked {
		renewed.Secret = secret
	}
	return renewed, err
}

// hideFrom turns an error that tells of a user into "not found" for those who
// have no access to it, and into "denied" for those who have too little.
func (s *RGWUsers) hideFrom(ctx context.Context, a Actor, id string, need keystile.ProjectAccess, err error) error {
	if _, hidden := s.look(ctx, a, id, need); hidden != nil {
		return hidden
	}
	return err
}

// dropPending forgets a pending secret that the home does not have.
func (ch *change) dropPending(id string) error {
	secrets, err := ch.RGWSecrets(id)
	if err != nil {
		return err
	}
	return ch.SetRGWSecrets(id, keystile.RGWSecrets{Current: secrets.Current})
}
