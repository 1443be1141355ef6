package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"keystile/internal/keystile"
)

// ErrCounted is the error of a refusal that could not be recorded. It changed
// nothing, so that it may be answered as what it is: it is counted, and the trail
// tells how many there were, since when and why, as soon as it can be written.
var ErrCounted = errors.New("the refusal is not recorded, but counted")

// lostAction tells, in the trail, of events that it does not have.
const lostAction = "audit.incomplete"

// losses are what could not be recorded since the trail told of it last.
//
// On a full disk the first of them opens an event, in the room that is kept for
// what must not wait. The event is closed with the counts when there is room; a
// process that dies before leaves it, and the next one closes it as unknown.
type losses struct {
	event    keystile.Event // zero while there are none
	opening  Pending
	refusals int64
	reads    int64 // that were sampled
	last     time.Time
}

// lose counts what was in a batch that could not be committed. r.mu is held.
func (r *Recorder) lose(b, counts *batch) {
	refusals, reads, last := b.refusals, b.reads, b.last
	if counts != nil {
		for _, tally := range counts.tallies {
			refusals += tally.add
			last = latest(last, tally.last.Time)
		}
	}
	if refusals+reads == 0 || !r.tells {
		return
	}
	l := &r.lost
	l.refusals, l.reads, l.last = l.refusals+refusals, l.reads+reads, latest(l.last, last)
	if l.event.ID != "" {
		return
	}
	l.event = keystile.Event{
		ID: uuid.Must(uuid.NewV7()).String(), Time: time.Now(), Action: lostAction, Result: keystile.ResultUnknown, Open: true,
		Detail: keystile.EventDetail{Message: "the journal cannot be written: refusals are answered, but not recorded"},
	}
	r.next.urgent.Events = append(r.next.urgent.Events, l.event)
	l.opening = r.joined(true)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// tellLosses records how much was lost, if anything was: to be called when the
// journal can be written again.
func (r *Recorder) tellLosses(ctx context.Context) error {
	r.mu.Lock()
	l := r.lost
	r.lost = losses{}
	r.mu.Unlock()
	if l.event.ID == "" {
		return nil
	}
	opened := l.opening.Wait(ctx) == nil
	l.event.Open, l.event.Result = false, keystile.ResultError
	l.event.Detail.Count, l.event.Detail.LastTime = l.refusals, &l.last
	l.event.Detail.Changes = map[string]string{"refusals": fmt.Sprint(l.refusals), "sampled_reads": fmt.Sprint(l.reads)}
	err := r.add(true, func(b *batch) {
		if opened {
			b.urgent.Outcomes = append(b.urgent.Outcomes, keystile.Outcome{EventID: l.event.ID, Result: l.event.Result, Detail: l.event.Detail})
		} else {
			b.urgent.Events = append(b.urgent.Events, l.event)
		}
	}).Wait(ctx)
	if err != nil {
		r.untold(l)
	}
	return err
}

// untold takes back losses that could not be told. What was lost meanwhile has an
// event of its own.
func (r *Recorder) untold(l losses) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost.event.ID == "" {
		l.event.Detail.Count, l.event.Detail.LastTime, l.event.Detail.Changes = 0, nil, nil
		r.lost = l
		return
	}
	r.lost.refusals, r.lost.reads = r.lost.refusals+l.refusals, r.lost.reads+l.reads
}
