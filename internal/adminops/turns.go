package adminops

import (
	"context"
	"sync"
)

// turns lets one caller at a time act on a name: of changes to one user that
// meet, a radosgw carries out a few and fails the others.
type turns struct {
	mu    sync.Mutex
	queue map[string]*turn
}

type turn struct {
	token chan struct{}
	users int // who hold it or wait
}

// take waits for the name's turn, until ctx ends. The turn must be given back.
func (t *turns) take(ctx context.Context, name string) (back func(), err error) {
	t.mu.Lock()
	if t.queue == nil {
		t.queue = map[string]*turn{}
	}
	q := t.queue[name]
	if q == nil {
		q = &turn{token: make(chan struct{}, 1)}
		t.queue[name] = q
	}
	q.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if q.users--; q.users == 0 {
			delete(t.queue, name)
		}
	}
	select {
	case q.token <- struct{}{}:
		return func() { <-q.token; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
