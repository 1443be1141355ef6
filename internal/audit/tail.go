package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"keystile/internal/keystile"
)

const (
	// maxTails bounds those who follow at the same time.
	maxTails = 64
	// maxTailWeight bounds what waits for one of them, in names of things: an event
	// has one, and those of its keys.
	maxTailWeight = 20_000
)

// ErrTooSlow ends a Tail that did not take what came.
var ErrTooSlow = errors.New("what was recorded came faster than it was taken")

// ErrTailsEnded ends a Tail when the server does.
var ErrTailsEnded = errors.New("the server ends")

// Indexed is what became part of the index.
type Indexed struct {
	Events []keystile.Event
	// Changed are the ids of earlier events that got their outcome, or were counted
	// again.
	Changed []string
}

func (i *Indexed) size() int { return len(i.Events) + len(i.Changed) }

func (i *Indexed) weight() int {
	n := i.size()
	for j := range i.Events {
		d := &i.Events[j].Detail
		n += len(d.Keys) + len(d.KeyVersionIDs) + len(d.DeniedKeys) + len(d.FailedKeys)
	}
	return n
}

// Tail follows what becomes part of the index. Nothing waits for it: one that does
// not keep up is ended.
type Tail struct {
	tails *tails

	mu    sync.Mutex
	next  Indexed
	heavy int // its weight
	ended error
	more  chan struct{}
}

// Next waits for something. After the end it returns why it ended.
func (t *Tail) Next(ctx context.Context) (Indexed, error) {
	for {
		t.mu.Lock()
		next, ended := t.next, t.ended
		t.next, t.heavy = Indexed{}, 0
		t.mu.Unlock()
		switch {
		case ended != nil:
			return Indexed{}, ended
		case next.size() > 0:
			return next, nil
		}
		select {
		case <-t.more:
		case <-ctx.Done():
			return Indexed{}, ctx.Err()
		}
	}
}

// EndedTail is a Tail that ended before anything came.
func EndedTail(why error) *Tail { return &Tail{tails: &tails{}, ended: why} }

// Close ends the Tail.
func (t *Tail) Close() { t.tails.remove(t) }

func (t *Tail) offer(i Indexed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next.Events = append(t.next.Events, i.Events...)
	t.next.Changed = append(t.next.Changed, i.Changed...)
	if t.heavy += i.weight(); t.heavy > maxTailWeight {
		t.next, t.ended = Indexed{}, ErrTooSlow
	}
	nudge(t.more)
}

func (t *Tail) end(why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended == nil {
		t.ended = why
	}
	nudge(t.more)
}

// tails are all that follow.
type tails struct {
	mu    sync.Mutex
	all   map[*Tail]bool
	ended bool
}

// Follow begins with what becomes part of the index from now on. Too many at the
// same time are keystile.ErrThrottled.
func (t *Trail) Follow() (*Tail, error) { return t.index.tails.add() }

// EndTails ends all that follow: the server is about to end.
func (t *Trail) EndTails() {
	all := &t.index.tails
	all.mu.Lock()
	defer all.mu.Unlock()
	all.ended = true
	for one := range all.all {
		one.end(ErrTailsEnded)
	}
}

func (a *tails) add() (*Tail, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.ended:
		return EndedTail(ErrTailsEnded), nil
	case len(a.all) >= maxTails:
		return nil, fmt.Errorf("%d follow the trail already: %w", maxTails, keystile.ErrThrottled)
	case a.all == nil:
		a.all = map[*Tail]bool{}
	}
	one := &Tail{tails: a, more: make(chan struct{}, 1)}
	a.all[one] = true
	return one, nil
}

func (a *tails) remove(one *Tail) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.all, one)
}

// publish tells all who follow of what was indexed: a batch, and what of it came
// by the outbox.
func (a *tails) publish(b Batch, posted []keystile.OutboxEntry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.all) == 0 {
		return
	}
	i := indexedOf(b, posted)
	for one := range a.all {
		one.offer(i)
	}
}

// indexedOf names each event once. One that is among the events has its outcome
// already, but for what came by the outbox.
func indexedOf(b Batch, posted []keystile.OutboxEntry) Indexed {
	var i Indexed
	known := map[string]bool{}
	changed := func(id string) {
		if !known[id] {
			known[id] = true
			i.Changed = append(i.Changed, id)
		}
	}
	for _, o := range b.Outcomes {
		changed(o.EventID)
	}
	for _, t := range b.Tallies {
		changed(t.EventID)
	}
	for _, e := range posted {
		if e.Outcome != nil {
			changed(e.Outcome.EventID)
		}
	}
	for _, e := range b.Events {
		if !known[e.ID] {
			i.Events = append(i.Events, e)
		}
	}
	for _, e := range posted {
		if e.Event != nil && !known[e.Event.ID] {
			i.Events = append(i.Events, *e.Event)
		}
	}
	slices.SortStableFunc(i.Events, func(a, b keystile.Event) int { return a.Time.Compare(b.Time) })
	return i
}
