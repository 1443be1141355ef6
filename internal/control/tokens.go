package control

import (
	"context"
	"fmt"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Tokens are the use cases of API tokens: each account's own, and those of
// others for admins to see and revoke.
type Tokens struct{ *core }

// TokenInfo is a token with its status.
type TokenInfo struct {
	keystile.Token
	Status keystile.Status
}

const (
	maxTokenNameRunes = 64
	// maxLiveTokens bounds what one account can fill the store with.
	maxLiveTokens = 200
)

func tokenStatus(t keystile.Token, now time.Time) keystile.Status {
	switch {
	case !t.RevokedAt.IsZero():
		return keystile.StatusRevoked
	case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		return keystile.StatusExpired
	}
	return keystile.StatusActive
}

// List returns the actor's own tokens, newest first.
func (s *Tokens) List(ctx context.Context, a Actor) (list []TokenInfo, err error) {
	err = s.read(ctx, a, "token.list", "", anyone, func(tx store.Tx) error {
		list, err = s.of(tx, a.Account.ID)
		return err
	})
	return list, err
}

// ListOf returns the tokens of an account; for admins.
func (s *Tokens) ListOf(ctx context.Context, a Actor, name string) (list []TokenInfo, err error) {
	err = s.read(ctx, a, "token.list", name, admins, func(tx store.Tx) error {
		account, err := tx.AccountByName(name)
		if err != nil {
			return err
		}
		list, err = s.of(tx, account.ID)
		return err
	})
	return list, err
}

func (s *Tokens) of(tx store.Tx, accountID string) ([]TokenInfo, error) {
	tokens, err := tx.TokensOf(accountID)
	list := make([]TokenInfo, len(tokens))
	for i, token := range tokens {
		list[i] = TokenInfo{token, tokenStatus(token, s.now())}
	}
	return list, err
}

// Create makes a token of the actor's own account. Its value is shown once. A
// token made by a token does not outlive it.
// With a project it is good for that project alone, of which the account is a
// member or an admin, and dies with the membership.
func (s *Tokens) Create(ctx context.Context, a Actor, name, projectID string, expiry Expiry) (info TokenInfo, value keystile.Secret, err error) {
	err = s.mutate(ctx, a, act{action: "token.create", target: name, who: anyone, do: func(ch *change) error {
		if err := s.roomFor(ch); err != nil {
			return err
		}
		info.Token, value, err = s.issue(ch, newToken{ch.actor.Account.ID, projectID, name, expiry})
		info.Status = keystile.StatusActive
		return err
	}})
	return info, value, err
}

func (s *Tokens) roomFor(ch *change) error {
	tokens, err := s.of(ch, ch.actor.Account.ID)
	live := 0
	for _, token := range tokens {
		if token.Status == keystile.StatusActive {
			live++
		}
	}
	if live >= maxLiveTokens {
		return explain(keystile.ErrConflict, "the account has %d live tokens: revoke some", live)
	}
	return err
}

type newToken struct {
	accountID, projectID, name string
	expiry                     Expiry
}

func (s *Tokens) issue(ch *change, in newToken) (keystile.Token, keystile.Secret, error) {
	var faults keystile.Faults
	keystile.CheckText("name", in.name, maxTokenNameRunes, &faults)
	if in.projectID != "" {
		if err := ch.projectOf(in.projectID, &faults); err != nil {
			return keystile.Token{}, keystile.Secret{}, err
		}
	}
	expires := in.expiry.resolve(ch.now, &faults)
	if err := outlives(ch, expires, &faults); err != nil {
		return keystile.Token{}, keystile.Secret{}, err
	}
	if err := faults.Err(); err != nil {
		return keystile.Token{}, keystile.Secret{}, err
	}
	value, hash := keystile.NewToken()
	token := keystile.Token{
		ID: newID(), AccountID: in.accountID, ProjectID: in.projectID, Name: in.name, Hash: hash, CreatedAt: ch.now, ExpiresAt: expires,
	}
	ch.event.Detail.Target = token.ID
	ch.changed("name", "%s", in.name)
	if in.projectID != "" {
		ch.changed("project_id", "%s", in.projectID)
	}
	ch.changed("expires_at", "%s", instant(expires))
	return token, value, ch.CreateToken(token)
}

func outlives(ch *change, expires time.Time, faults *keystile.Faults) error {
	if ch.actor.TokenID == "" {
		return nil
	}
	parent, err := ch.Token(ch.actor.TokenID)
	if err != nil {
		return err
	}
	if !parent.ExpiresAt.IsZero() && (expires.IsZero() || expires.After(parent.ExpiresAt)) {
		faults.Add("expires_at", "a token cannot make one that outlives it (%s)", instant(parent.ExpiresAt))
	}
	return nil
}

// Revoke ends one of the actor's own tokens.
func (s *Tokens) Revoke(ctx context.Context, a Actor, id string) error {
	return s.revoke(ctx, a, id, anyone, func(ch *change) (string, error) { return ch.actor.Account.ID, nil })
}

// RevokeOf ends a token of an account; for admins.
func (s *Tokens) RevokeOf(ctx context.Context, a Actor, name, id string) error {
	return s.revoke(ctx, a, id, admins, func(ch *change) (string, error) {
		account, err := ch.AccountByName(name)
		return account.ID, err
	})
}

func (s *Tokens) revoke(ctx context.Context, a Actor, id string, who who, owner func(*change) (string, error)) error {
	return s.mutate(ctx, a, act{action: "token.revoke", target: id, who: who, do: func(ch *change) error {
		accountID, err := owner(ch)
		if err != nil {
			return err
		}
		token, err := ch.Token(id)
		if err != nil {
			return err
		}
		if token.AccountID != accountID {
			return fmt.Errorf("token %s: %w", id, errHidden)
		}
		ch.changed("name", "%s", token.Name)
		if !token.RevokedAt.IsZero() {
			ch.event.Detail.Message = "was revoked already"
			return nil
		}
		return ch.RevokeToken(id, ch.now)
	}})
}
