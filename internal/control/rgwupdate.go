package control

import (
	"context"

	"keystile/internal/keystile"
)

// RGWUserEdit changes what is not nil.
type RGWUserEdit struct {
	Name *string
	// The others are for admins.
	MaxSizeKB    *int64
	QuotaEnabled *bool
	Locked       *bool
	LockReason   *string
	Status       *keystile.Status
	// ForAdmins: the edit names what only admins set, even if it changes nothing.
	ForAdmins bool
	// Faults are what is wrong with the edit beyond that: only who may set the
	// values learns of it.
	Faults keystile.Faults
}

func (e RGWUserEdit) quota() bool { return e.MaxSizeKB != nil || e.QuotaEnabled != nil }

// action is the name of what the edit does in the audit trail.
func (e RGWUserEdit) action() string {
	switch {
	case e.Locked != nil && *e.Locked:
		return "rgw.user.lock"
	case e.Locked != nil:
		return "rgw.user.unlock"
	case e.quota():
		return "rgw.user.quota"
	case e.Status != nil && *e.Status == keystile.StatusDisabled:
		return "rgw.user.disable"
	case e.Status != nil:
		return "rgw.user.enable"
	}
	return "rgw.user.update"
}

// Update edits a user. One that names what only admins set is refused to
// everybody else, whole.
func (s *RGWUsers) Update(ctx context.Context, a Actor, id string, edit RGWUserEdit) (info RGWUserInfo, err error) {
	need := keystile.WriteAccess
	if edit.ForAdmins {
		need = keystile.AdminAccess
	}
	back, err := s.turn(ctx, a, edit.action(), id, need)
	if err != nil {
		return info, err
	}
	defer back()
	var u keystile.RGWUser
	var secrets keystile.RGWSecrets
	update := act{action: edit.action(), target: id, who: anyone, inProject: true, do: func(ch *change) error {
		if info, err = s.seen(ch, ch.actor, id, keystile.WriteAccess); err != nil {
			return err
		}
		u = info.RGWUser
		ch.aboutRGWUser(u)
		if edit.ForAdmins {
			if access, err := projectAccess(ch, ch.actor, u.ProjectID); err != nil || access < keystile.AdminAccess {
				return orDenied(err, "quota, locked, lock_reason and status are for admins: nothing was changed")
			}
		}
		if err := ch.rgwUserLives(u); err != nil {
			return err
		}
		if err := edit.apply(ch, &u); err != nil {
			return err
		}
		secrets, err = ch.RGWSecrets(id)
		return err
	}}
	err = s.stage(ctx, a, staged{
		act:    update,
		effect: func(ctx context.Context) error { return homeError(s.bringHome(ctx, edit, u, secrets)) },
		settle: func(ch *change) error {
			info.RGWUser = u
			if err := ch.saveRGWUser(&info.RGWUser); err != nil {
				return err
			}
			if edit.Status != nil {
				return ch.SetRGWSecrets(id, keystile.RGWSecrets{Current: secrets.Current})
			}
			return nil
		},
	})
	if err == nil {
		s.askHome(ctx, &info, secrets)
	}
	return info, err
}

func orDenied(err error, text string) error {
	if err != nil {
		return err
	}
	return explain(keystile.ErrDenied, "%s", text)
}

func (e RGWUserEdit) apply(ch *change, u *keystile.RGWUser) error {
	faults := e.Faults
	if e.Name != nil && *e.Name != u.Name {
		keystile.CheckRGWName(*e.Name, &faults)
		if len(faults) == 0 {
			if err := ch.rgwNameFree(u.ProjectID, *e.Name); err != nil {
				return err
			}
		}
		ch.changed("name", "%s", *e.Name)
		u.Name = *e.Name
	}
	replace(&u.Quota.MaxSizeKB, e.MaxSizeKB)
	replace(&u.Quota.Enabled, e.QuotaEnabled)
	if e.quota() {
		u.Quota.Check(&faults)
		ch.tellQuota(u.Quota)
	}
	e.applyLock(ch, u, &faults)
	if e.Status != nil {
		if *e.Status != keystile.StatusActive && *e.Status != keystile.StatusDisabled {
			faults.Add("status", "must be active or disabled")
		}
		u.Status = *e.Status
		ch.changed("status", "%s", u.Status)
	}
	return faults.Err()
}

// applyLock sets the lock and its reason, which goes with it.
func (e RGWUserEdit) applyLock(ch *change, u *keystile.RGWUser, faults *keystile.Faults) {
	replace(&u.Locked, e.Locked)
	replace(&u.LockReason, e.LockReason)
	if e.LockReason != nil && *e.LockReason != "" {
		keystile.CheckText("lock_reason", *e.LockReason, keystile.MaxLockReasonRunes, faults)
		if !u.Locked {
			faults.Add("lock_reason", "is for a user that is locked")
		}
	}
	if !u.Locked {
		u.LockReason = ""
	}
	if e.Locked != nil || e.LockReason != nil {
		ch.changed("locked", "%t", u.Locked)
		ch.changed("lock_reason", "%s", u.LockReason)
	}
}

// bringHome makes a user's home agree with an edit. What the edit names is set
// even if it is the same here: at the home it may not be.
func (s *RGWUsers) bringHome(ctx context.Context, edit RGWUserEdit, u keystile.RGWUser, secrets keystile.RGWSecrets) error {
	if edit.Name != nil {
		if err := s.homes.Rename(ctx, u); err != nil {
			return err
		}
	}
	if edit.quota() {
		if err := s.homes.SetQuota(ctx, u); err != nil {
			return err
		}
	}
	if edit.Status == nil {
		return nil
	}
	if u.Status == keystile.StatusActive {
		// A deletion that was cancelled left another secret.
		if err := s.homes.SetSecret(ctx, u, secrets.Current); err != nil {
			return err
		}
	}
	return s.homes.SetSuspended(ctx, u, u.Status != keystile.StatusActive)
}
