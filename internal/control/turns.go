package control

import (
	"context"
	"sync"

	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/turns"
)

// userTurns lets one act at a time change an RGW user, which lives outside the
// store too. Acts queue; a renewal that meets another one does not.
type userTurns struct {
	turns.Turns

	mu       sync.Mutex
	renewing map[string]bool
}

func newUserTurns() *userTurns { return &userTurns{renewing: map[string]bool{}} }

// renew is Take for a renewal: while another one of the same user is under way or
// waits, it is ErrConflict at once.
func (t *userTurns) renew(ctx context.Context, id string) (back func(), err error) {
	t.mu.Lock()
	busy := t.renewing[id]
	t.renewing[id] = true
	t.mu.Unlock()
	if busy {
		return nil, explain(keystile.ErrConflict, "another renewal of this key is under way")
	}
	done := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.renewing, id)
	}
	leave, err := t.Take(ctx, id)
	if err != nil {
		done()
		return nil, err
	}
	return func() { done(); leave() }, nil
}

// turn waits until the actor may change the user.
func (s *RGWUsers) turn(ctx context.Context, a Actor, action, id string, need keystile.ProjectAccess) (back func(), err error) {
	if err := s.refuseEmptied(ctx, a, action, id, need); err != nil {
		return nil, err
	}
	return s.turns.Take(ctx, id)
}

// refuseEmptied refuses to change a user whose buckets are being emptied: the job
// has the user's turn for as long as that takes.
func (s *RGWUsers) refuseEmptied(ctx context.Context, a Actor, action, id string, need keystile.ProjectAccess) error {
	var u keystile.RGWUser
	err := s.store.Read(ctx, func(tx store.Tx) (err error) {
		u, err = tx.RGWUser(id)
		return err
	})
	if err != nil || u.State != keystile.RGWDeleting {
		return nil //nolint:nilerr // the act finds the same, and records it
	}
	refusal := explain(keystile.ErrConflict, "the user is being deleted")
	return s.core.refused(ctx, s.newEvent(a, action, id), s.hideFrom(ctx, a, id, need, refusal))
}
