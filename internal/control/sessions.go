package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"unicode/utf8"

	"keystile/internal/keystile"
	"keystile/internal/password"
	"keystile/internal/store"
)

// Sessions are the use cases of sign-ins: each account's own, and those of
// others for admins.
type Sessions struct {
	*core
	hasher  *password.Hasher
	guesses *throttle
}

// SessionInfo is a session as it may be shown.
type SessionInfo struct {
	ID string // short and public; not what authenticates
	keystile.Session
	Current bool // the one that asks
}

// publicID names a session without telling the hash it is found by.
func publicID(sessionID string) string {
	sum := sha256.Sum256([]byte("session " + sessionID))
	return hex.EncodeToString(sum[:8])
}

// List returns the actor's own sessions, newest first.
func (s *Sessions) List(ctx context.Context, a Actor) (list []SessionInfo, err error) {
	err = s.read(ctx, a, "session.list", "", anyone, func(tx store.Tx) error {
		list, err = sessionsOf(tx, a, a.Account.ID)
		return err
	})
	return list, err
}

// ListOf returns the sessions of an account; for admins.
func (s *Sessions) ListOf(ctx context.Context, a Actor, name string) (list []SessionInfo, err error) {
	err = s.read(ctx, a, "session.list", name, admins, func(tx store.Tx) error {
		account, err := tx.AccountByName(name)
		if err != nil {
			return err
		}
		list, err = sessionsOf(tx, a, account.ID)
		return err
	})
	return list, err
}

func sessionsOf(tx store.Tx, a Actor, accountID string) ([]SessionInfo, error) {
	sessions, err := tx.SessionsOf(accountID)
	list := make([]SessionInfo, len(sessions))
	for i, session := range sessions {
		list[i] = SessionInfo{publicID(session.ID), session, session.ID == a.SessionID}
	}
	return list, err
}

// SignOut ends the session that asks.
func (s *Sessions) SignOut(ctx context.Context, a Actor) error {
	return s.mutate(ctx, a, act{action: "session.delete", target: "this session", who: anyone, do: func(ch *change) error {
		if a.SessionID == "" {
			return explain(keystile.ErrConflict, "an API token has no session to end")
		}
		ch.event.Detail.Target = publicID(a.SessionID)
		return ch.DeleteSession(a.SessionID)
	}})
}

// End ends one of the actor's own sessions by its public id.
func (s *Sessions) End(ctx context.Context, a Actor, id string) error {
	return s.mutate(ctx, a, act{action: "session.delete", target: id, who: anyone, do: func(ch *change) error {
		list, err := sessionsOf(ch, a, ch.actor.Account.ID)
		if err != nil {
			return err
		}
		for _, session := range list {
			if session.ID == id {
				return ch.DeleteSession(session.Session.ID)
			}
		}
		return fmt.Errorf("session %s: %w", id, keystile.ErrNotFound)
	}})
}

// EndAll ends all of the actor's own sessions.
func (s *Sessions) EndAll(ctx context.Context, a Actor) error {
	return s.mutate(ctx, a, act{action: "session.delete_all", target: a.Account.Name, who: anyone, do: func(ch *change) error {
		return ch.DeleteSessionsOf(ch.actor.Account.ID, "")
	}})
}

// EndAllOf ends all sessions of an account; for admins.
func (s *Sessions) EndAllOf(ctx context.Context, a Actor, name string) error {
	return s.mutate(ctx, a, act{action: "session.delete_all", target: name, who: admins, do: func(ch *change) error {
		account, err := ch.AccountByName(name)
		if err != nil {
			return err
		}
		return ch.DeleteSessionsOf(account.ID, "")
	}})
}

// ChangePassword replaces the actor's password and ends its other sessions. It
// needs a session and the current password, whose guesses are throttled.
func (s *Sessions) ChangePassword(ctx context.Context, a Actor, current, next keystile.Secret) error {
	var hash string
	return s.mutate(ctx, a, act{
		action: "account.change_password", target: a.Account.Name, who: anyone,
		prepare: func(ctx context.Context) (err error) {
			if err := s.checkChange(ctx, a, current, next); err != nil {
				return err
			}
			hash, err = s.hasher.Hash(ctx, next.Reveal())
			return err
		},
		do: func(ch *change) error {
			account := ch.actor.Account
			if account.PasswordHash != a.Account.PasswordHash {
				return explain(keystile.ErrConflict, "the password was changed meanwhile")
			}
			account.PasswordHash, account.UpdatedAt = hash, ch.now
			if err := ch.UpdateAccount(account); err != nil {
				return err
			}
			return ch.DeleteSessionsOf(account.ID, a.SessionID)
		},
	})
}

func (s *Sessions) checkChange(ctx context.Context, a Actor, current, next keystile.Secret) error {
	if a.SessionID == "" {
		return explain(keystile.ErrDenied, "sign in to change the password: an API token cannot")
	}
	var faults keystile.Faults
	keystile.CheckPassword(next.Reveal(), &faults)
	for i := range faults {
		faults[i].Field = "new_password"
	}
	if err := faults.Err(); err != nil {
		return err
	}
	if a.Account.PasswordHash == "" {
		return explain(keystile.ErrConflict, "the account has no local password")
	}
	return s.checkCurrent(ctx, a, current)
}

func (s *Sessions) checkCurrent(ctx context.Context, a Actor, current keystile.Secret) error {
	wrong := keystile.Faults{{Field: "current_password", Message: "is not right"}}
	if utf8.RuneCountInString(current.Reveal()) > keystile.MaxPasswordRunes {
		return wrong
	}
	if err := s.guesses.begin(a.Request.Source, a.Account.Name); err != nil {
		return err
	}
	right, _, err := s.hasher.Verify(ctx, a.Account.PasswordHash, current.Reveal())
	switch {
	case err != nil:
		s.guesses.unanswered(a.Request.Source, a.Account.Name)
		return err
	case !right:
		return wrong
	}
	s.guesses.right(a.Request.Source, a.Account.Name)
	return nil
}
