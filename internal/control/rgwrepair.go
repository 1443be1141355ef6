package control

import (
	"context"
	"errors"
	"fmt"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Repair puts right what was cut off: the making, renewing and deleting of
// users. A home that does not answer is asked again at the next call; the error
// tells of it. Jobs have their own way to go on.
func (s *RGWUsers) Repair(ctx context.Context) error {
	var unsettled []keystile.RGWUser
	err := s.store.Read(ctx, func(tx store.Tx) (err error) {
		unsettled, err = tx.UnsettledRGWUsers()
		return err
	})
	if err != nil {
		return err
	}
	var faults []error
	for _, u := range unsettled {
		back, free := s.turns.TryTake(u.ID)
		if !free {
			continue // somebody is at it
		}
		if err := s.repair(ctx, u.ID); err != nil {
			faults = append(faults, fmt.Errorf("RGW user %s: %w", u.ID, err))
		}
		back()
	}
	return errors.Join(faults...)
}

// repair settles one user. Whoever calls it has the user's turn.
func (s *RGWUsers) repair(ctx context.Context, id string) error {
	var as RGWSigner
	var secrets keystile.RGWSecrets
	emptied := false
	err := s.store.Read(ctx, func(tx store.Tx) (err error) {
		if as.User, err = tx.RGWUser(id); err != nil {
			return err
		}
		if secrets, err = tx.RGWSecrets(id); err != nil {
			return err
		}
		as.Secret = secrets.Current
		job, err := tx.LastRGWJob(id)
		emptied = err == nil && !job.State.Over()
		if errors.Is(err, keystile.ErrNotFound) {
			return nil
		}
		return err
	})
	switch {
	case errors.Is(err, keystile.ErrNotFound):
		return nil // it has been settled
	case err != nil || emptied:
		return err
	case as.User.State == keystile.RGWCreating:
		return s.takeBack(ctx, as)
	case as.User.State == keystile.RGWDeleting:
		return s.goOnDeleting(ctx, as)
	case !secrets.Pending.IsZero():
		return s.settlePending(ctx, as.User, secrets)
	}
	return nil
}

// takeBack removes a user whose key nobody was shown.
func (s *RGWUsers) takeBack(ctx context.Context, as RGWSigner) error {
	if err := s.homes.Remove(ctx, as.User); err != nil && !errors.Is(err, keystile.ErrNotFound) {
		return err
	}
	return s.repaired(ctx, as.User, "its making was cut off: it was removed", func(ch *change, u *keystile.RGWUser) error {
		return ch.forgetBuckets(u)
	})
}

// goOnDeleting ends a deletion. A user that has got objects meanwhile stays.
func (s *RGWUsers) goOnDeleting(ctx context.Context, as RGWSigner) error {
	err := s.unmake(ctx, as)
	if errors.Is(err, keystile.ErrNotEmpty) {
		return s.repaired(ctx, as.User, "its deletion was cut off and it has objects: it stays", func(ch *change, u *keystile.RGWUser) error {
			u.State = keystile.RGWLive
			return ch.saveRGWUser(u)
		})
	}
	if err != nil {
		return err
	}
	return s.repaired(ctx, as.User, "its deletion was cut off: it was ended", func(ch *change, u *keystile.RGWUser) error {
		return ch.forgetBuckets(u)
	})
}

// settlePending asks the home which secret it has. Nobody was shown a pending
// one: where the home has it, it gets back the one that its user knows.
func (s *RGWUsers) settlePending(ctx context.Context, u keystile.RGWUser, secrets keystile.RGWSecrets) error {
	home, err := s.homes.Look(ctx, u, secrets.Current)
	if err != nil && !errors.Is(err, keystile.ErrNotFound) {
		return err
	}
	note := "a renewal was cut off: the secret before it is in force"
	switch {
	case err != nil:
		note = "a renewal was cut off, and the user is gone from its home"
	case home.Secret.Equal(secrets.Pending):
		if err := s.homes.SetSecret(ctx, u, secrets.Current); err != nil {
			return err
		}
	case !home.Secret.Equal(secrets.Current):
		note = "a renewal was cut off, and its home has another secret"
	}
	return s.repaired(ctx, u, note, func(ch *change, _ *keystile.RGWUser) error { return ch.dropPending(u.ID) })
}

// repaired makes the end of a repair known, and to the audit trail.
func (s *RGWUsers) repaired(ctx context.Context, u keystile.RGWUser, note string, do func(*change, *keystile.RGWUser) error) error {
	return s.mutate(ctx, System(), act{action: "rgw.user.repair", target: u.ID, who: anyone, do: func(ch *change) error {
		ch.aboutRGWUser(u)
		ch.event.Detail.Message = note
		now, err := ch.RGWUser(u.ID)
		if err != nil {
			return err
		}
		return do(ch, &now)
	}})
}
