package upstream

import (
	"context"
	"sync"

	"keystile/internal/keystile"
)

// proving tells whether a probe of a backend is under way or about to begin, and
// wakes those who wait for what it finds.
type proving struct {
	mu    sync.Mutex
	on    bool
	moved chan struct{} // closed, and made anew, at every change; nil: nobody waits
}

// set says that a probe is to be expected, or that none is any more.
func (p *proving) set(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on = on
	p.wake()
}

// told says that there is news.
func (p *proving) told() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake()
}

func (p *proving) wake() {
	if p.moved != nil {
		close(p.moved)
		p.moved = nil
	}
}

func (p *proving) state() (on bool, moved <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.moved == nil {
		p.moved = make(chan struct{})
	}
	return p.on, p.moved
}

// Await returns once it is known whether the backend has all of the abilities,
// or no probe is under way that could tell, or ctx ends. It is for requests that
// would be refused only because a backend has just been added.
func (b *Backend) Await(ctx context.Context, abilities ...keystile.Ability) {
	for !b.knows(abilities) {
		on, moved := b.proving.state()
		if !on || b.knows(abilities) { // again: it may have moved in between
			return
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return
		}
	}
}

// knows reports whether there is a verdict, now, about all of the abilities.
func (b *Backend) knows(abilities []keystile.Ability) bool {
	p := b.proof.Load()
	if p == nil {
		return len(abilities) == 0
	}
	found := p.Abilities.InForce(b.now())
	for _, a := range abilities {
		if found[a].Verdict == keystile.Unknown {
			return false
		}
	}
	return true
}
