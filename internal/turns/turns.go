// Package turns lets one caller at a time act on what has a name, for as long as
// somebody does or waits: of a name that nobody uses nothing is kept.
package turns

import (
	"context"
	"fmt"
	"sync"
)

// Turns is ready to use as it is. Its methods may be called from anywhere.
type Turns struct {
	mu     sync.Mutex
	queues map[string]*queue
}

type queue struct {
	token chan struct{}
	users int // who has the turn or waits for it
}

// Take waits for the name's turn, until ctx ends. The turn must be given back.
func (t *Turns) Take(ctx context.Context, name string) (back func(), err error) {
	q := t.enter(name)
	select {
	case q.token <- struct{}{}:
		return func() { <-q.token; t.leave(name, q) }, nil
	case <-ctx.Done():
		t.leave(name, q)
		return nil, fmt.Errorf("waiting for %s: %w", name, ctx.Err())
	}
}

// TryTake is Take without waiting: false if somebody has the turn or waits for it.
func (t *Turns) TryTake(name string) (back func(), ok bool) {
	t.mu.Lock()
	busy := t.queues[name] != nil
	t.mu.Unlock()
	if busy {
		return nil, false
	}
	// Whoever comes in between is waited for: it is about to end.
	back, err := t.Take(context.Background(), name)
	return back, err == nil
}

func (t *Turns) enter(name string) *queue {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.queues == nil {
		t.queues = map[string]*queue{}
	}
	q := t.queues[name]
	if q == nil {
		q = &queue{token: make(chan struct{}, 1)}
		t.queues[name] = q
	}
	q.users++
	return q
}

func (t *Turns) leave(name string, q *queue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.users--; q.users == 0 {
		delete(t.queues, name)
	}
}
