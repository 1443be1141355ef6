package control

import (
	"context"
	"sync"

	"keystile/internal/keystile"
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
