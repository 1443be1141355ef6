package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"keystile/internal/keystile"
	"keystile/internal/password"
	"keystile/internal/store"
)

// SignIns tell who a client is.
type SignIns struct {
	*core
	hasher  *password.Hasher
	guesses *throttle
	limits  sessionLimits
}

type sessionLimits struct{ idle, lifetime time.Duration }

// lastsAt reports whether the session has not run out.
func (l sessionLimits) lastsAt(s keystile.Session, now time.Time) bool {
	return now.Before(s.ExpiresAt) && now.Sub(s.LastSeenAt) < l.idle
}

// touchEvery is how often the last use of a session or token is written.
const touchEvery = time.Minute

// SignedIn is a new session. Key is the cookie's value, shown once.
type SignedIn struct {
	Account keystile.Account
	Session keystile.Session
	Key     keystile.Secret
}

// SignIn begins a session by password. A wrong name, a wrong password and a
// disabled account are all the same ErrUnauthenticated and take the same time;
// too many guesses are Throttled. The session behind previous, the cookie that
// the client had, is ended.
func (s *SignIns) SignIn(ctx context.Context, req Request, name string, pass, previous keystile.Secret) (SignedIn, error) {
	event := s.newEvent(Actor{Request: req}, "session.create", "")
	event.Account = claimedName(name)
	account, rehash, err := s.authenticate(ctx, req, name, pass)
	if err != nil {
		return SignedIn{}, s.refused(ctx, event, err)
	}
	in, err := s.begin(ctx, event, account, rehash, previous)
	if err != nil {
		return SignedIn{}, s.refused(ctx, event, err)
	}
	s.guesses.right(req.Source, name)
	return in, nil
}

// claimedName is the account name that goes into the trail. What can be no name
// is left out: people type their password into the wrong field.
func claimedName(name string) string {
	var faults keystile.Faults
	if keystile.CheckAccountName(name, &faults); faults != nil {
		return ""
	}
	return name
}

// authenticate finds the account and compares the password. A hash made at an
// older cost is made anew.
func (s *SignIns) authenticate(ctx context.Context, req Request, name string, pass keystile.Secret) (account keystile.Account, rehash string, err error) {
	if err := s.guesses.begin(req.Source, name); err != nil {
		return account, "", err
	}
	err = s.store.Read(ctx, func(tx store.Tx) error {
		account, err = tx.AccountByName(name)
		return err
	})
	if err != nil && !errors.Is(err, keystile.ErrNotFound) {
		s.guesses.unanswered(req.Source, name)
		return account, "", err
	}
	known := err == nil && account.PasswordHash != "" && account.DisabledAt.IsZero()
	right, stale, err := s.compare(ctx, known, account.PasswordHash, pass)
	if err != nil {
		s.guesses.unanswered(req.Source, name)
		return account, "", err
	}
	if !right {
		return account, "", fmt.Errorf("sign-in: %w", keystile.ErrUnauthenticated)
	}
	if stale {
		rehash, err = s.hasher.Hash(ctx, pass.Reveal())
	}
	return account, rehash, err
}

func (s *SignIns) compare(ctx context.Context, known bool, hash string, pass keystile.Secret) (right, stale bool, err error) {
	if utf8.RuneCountInString(pass.Reveal()) > keystile.MaxPasswordRunes {
		return false, false, nil
	}
	if !known {
		return false, false, s.hasher.VerifyNothing(ctx, pass.Reveal())
	}
	return s.hasher.Verify(ctx, hash, pass.Reveal())
}

// begin stores the session with its event, if the account still stands as it
// was authenticated.
func (s *SignIns) begin(ctx context.Context, event keystile.Event, account keystile.Account, rehash string, previous keystile.Secret) (SignedIn, error) {
	now := s.now()
	key, id := keystile.NewSessionKey()
	csrf, _ := keystile.NewSessionKey()
	session := keystile.Session{
		ID: id, AccountID: account.ID, CSRF: csrf.Reveal(), CreatedAt: now, LastSeenAt: now,
		ExpiresAt: now.Add(s.limits.lifetime), SourceIP: event.SourceIP, UserAgent: event.UserAgent,
	}
	event.Account, event.Detail.Authenticated, event.Detail.Target = account.Name, true, publicID(id)
	checked := account.PasswordHash
	err := s.store.Write(store.Urgent(ctx), func(tx store.Tx) (err error) {
		if account, err = liveAccount(tx, account.ID); err != nil {
			return err
		}
		if account.PasswordHash != checked {
			return fmt.Errorf("password changed meanwhile: %w", keystile.ErrUnauthenticated)
		}
		if rehash != "" {
			account.PasswordHash = rehash
			if err := tx.UpdateAccount(account); err != nil {
				return err
			}
		}
		if err := endPrevious(tx, previous); err != nil {
			return err
		}
		if err := tx.CreateSession(session); err != nil {
			return err
		}
		return tx.AppendEvents([]keystile.Event{event})
	})
	return SignedIn{account, session, key}, err
}

func endPrevious(tx store.Tx, previous keystile.Secret) error {
	if previous.IsZero() {
		return nil
	}
	err := tx.DeleteSession(keystile.HashToken(previous.Reveal()))
	if errors.Is(err, keystile.ErrNotFound) {
		return nil
	}
	return err
}

// BySession tells who holds the session key. A session that is unknown or has
// run out, or whose account is disabled, is ErrUnauthenticated.
func (s *SignIns) BySession(ctx context.Context, req Request, key keystile.Secret) (Actor, keystile.Session, error) {
	var session keystile.Session
	var account keystile.Account
	now := s.now()
	err := s.store.Read(ctx, func(tx store.Tx) (err error) {
		if session, err = tx.Session(keystile.HashToken(key.Reveal())); err != nil {
			return gone(err)
		}
		account, err = liveAccount(tx, session.AccountID)
		return err
	})
	if err != nil {
		return Actor{}, session, err
	}
	if !s.limits.lastsAt(session, now) {
		return Actor{}, session, fmt.Errorf("session has run out: %w", keystile.ErrUnauthenticated)
	}
	if now.Sub(session.LastSeenAt) >= touchEvery {
		err = s.store.Write(ctx, func(tx store.Tx) error { return tx.TouchSession(session.ID, now) })
	}
	return Actor{Account: account, SessionID: session.ID, Request: req}, session, s.touched(err)
}

// ByToken tells whose API token it is. Anything but a live token of a live
// account is ErrUnauthenticated.
func (s *SignIns) ByToken(ctx context.Context, req Request, value keystile.Secret) (Actor, error) {
	if !strings.HasPrefix(value.Reveal(), keystile.TokenPrefix) {
		return Actor{}, fmt.Errorf("not an API token: %w", keystile.ErrUnauthenticated)
	}
	var token keystile.Token
	var account keystile.Account
	now := s.now()
	err := s.store.Read(ctx, func(tx store.Tx) (err error) {
		if token, err = tx.TokenByHash(keystile.HashToken(value.Reveal())); err != nil {
			return gone(err)
		}
		account, err = liveAccount(tx, token.AccountID)
		return err
	})
	if err != nil {
		return Actor{}, err
	}
	if tokenStatus(token, now) != keystile.StatusActive {
		return Actor{}, fmt.Errorf("token %s: %w", tokenStatus(token, now), keystile.ErrUnauthenticated)
	}
	if now.Sub(token.LastUsedAt) >= touchEvery {
		err = s.store.Write(ctx, func(tx store.Tx) error { return tx.TouchToken(token.ID, now) })
	}
	return Actor{Account: account, TokenID: token.ID, ProjectID: token.ProjectID, Request: req}, s.touched(err)
}

// touched forgives that the last use could not be written: it is approximate,
// and a full disk must not keep an admin from revoking a key. A session or
// token that is gone by now is refused.
func (s *SignIns) touched(err error) error {
	if errors.Is(err, keystile.ErrNotFound) {
		return gone(err)
	}
	return nil
}
