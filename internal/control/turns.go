package control

import (
	"context"
	"fmt"
	"sync"

	"keystile/internal/keystile"
)

// turns lets one act at a time change a thing that lives outside the store too.
// Acts queue; a renewal that meets another one does not.
type turns struct {
	mu       sync.Mutex
	queues   map[string]*queue
	renewing map[string]bool
}

type queue struct {
	token chan struct{}
	users int // who has the turn or waits for it
}

func newTurns() *turns { return &turns{queues: map[string]*queue{}, renewing: map[string]bool{}} }

// take waits for the thing's turn; back gives it to the next.
func (t *turns) take(ctx context.Context, id string) (back func(), err error) {
	t.mu.Lock()
	q := t.queues[id]
	if q == nil {
		q = &queue{token: make(chan struct{}, 1)}
		t.queues[id] = q
	}
	q.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if q.users--; q.users == 0 {
			delete(t.queues, id)
		}
	}
	select {
	case q.token <- struct{}{}:
		return func() { <-q.token; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, fmt.Errorf("waiting for %s: %w", id, ctx.Err())
	}
}

// tryTake is take without waiting: false if somebody has the turn.
func (t *turns) tryTake(id string) (back func(), ok bool) {
	t.mu.Lock()
	busy := t.queues[id] != nil
	t.mu.Unlock()
	if busy {
		return nil, false
	}
	// Whoever comes in between is waited for: it is about to end.
	back, err := t.take(context.Background(), id)
	return back, err == nil
}

// renew is take for a renewal: while another one of the same thing is under way
// or waits, it is ErrConflict at once.
func (t *turns) renew(ctx context.Context, id string) (back func(), err error) {
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
	leave, err := t.take(ctx, id)
	if err != nil {
		done()
		return nil, err
	}
	return func() { done(); leave() }, nil
}
