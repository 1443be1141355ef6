package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keystile/internal/audit"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

// tailCheck is how often it is looked whether somebody may still follow, where
// nothing comes.
const tailCheck = 5 * time.Second

// Tail is the trail as it grows.
type Tail struct {
	audit  *Audit
	actor  Actor
	filter keystile.EventFilter
	words  []string
	tail   *audit.Tail
}

// Follow begins to follow the events of the filter. Close ends it.
func (t *Audit) Follow(ctx context.Context, a Actor, f keystile.EventFilter) (*Tail, error) {
	one := &Tail{audit: t, actor: a, filter: f}
	if f.Text != "" {
		var err error
		if one.words, err = f.SearchWords(); err != nil {
			return nil, err
		}
	}
	if err := one.admit(ctx, nil); err != nil {
		return nil, err
	}
	var err error
	one.tail, err = t.journal.Follow()
	return one, err
}

// admit looks whether the actor may still follow, in a transaction in which more
// can be read.
func (t *Tail) admit(ctx context.Context, more func(store.Tx) error) error {
	return t.audit.read(ctx, t.actor, "audit.tail", "", admins, func(tx store.Tx) error {
		live := &change{Tx: tx}
		if err := live.admit(t.actor, admins); err != nil {
			return err
		}
		if t.actor.TokenID != "" {
			token, err := tx.Token(t.actor.TokenID)
			if err != nil {
				return gone(err)
			}
			if now := t.audit.now(); !token.ExpiresAt.IsZero() && !now.Before(token.ExpiresAt) {
				return fmt.Errorf("token expired: %w", keystile.ErrUnauthenticated)
			}
		}
		if t.actor.SessionID != "" {
			session, err := tx.Session(t.actor.SessionID)
			if err != nil {
				return gone(err)
			}
			if !t.audit.now().Before(session.ExpiresAt) {
				return fmt.Errorf("session expired: %w", keystile.ErrUnauthenticated)
			}
		}
		if more == nil {
			return nil
		}
		return more(tx)
	})
}

// Next returns events, each as it is by then: new ones, and such as have got their
// outcome. An event may come more than once. It returns none, and no error, when
// nothing came for a while. Errors end it: that the actor may no longer follow,
// ErrTooSlow, ErrTailsEnded.
func (t *Tail) Next(ctx context.Context) ([]keystile.Event, error) {
	waiting, cancel := context.WithTimeout(ctx, tailCheck)
	defer cancel()
	came, err := t.tail.Next(waiting)
	if err != nil && (ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
		return nil, err
	}
	var found []keystile.Event
	keep := func(e keystile.Event) {
		if t.filter.Matches(&e, t.words) {
			found = append(found, e)
		}
	}
	err = t.admit(ctx, func(tx store.Tx) error {
		for _, id := range came.Changed {
			e, err := tx.Event(id)
			if errors.Is(err, keystile.ErrNotFound) {
				continue // retention was faster
			}
			if err != nil {
				return err
			}
			keep(e)
		}
		for _, e := range came.Events {
			keep(e)
		}
		return nil
	})
	return found, err
}

// Close ends it.
func (t *Tail) Close() { t.tail.Close() }
