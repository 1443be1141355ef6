package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"keystile/internal/keystile"
)

// Sink is where a recorder makes its records durable.
type Sink interface {
	// Commit makes all of a batch durable, or none of it. ErrNoRoom is for batches
	// that are not urgent: what is urgent in them may be committed by itself.
	Commit(ctx context.Context, b Batch) error
	// OpenEvents lists the events whose outcome is not recorded.
	OpenEvents(ctx context.Context) ([]keystile.Event, error)
	// CaughtUp returns nil once queries find all that was committed before.
	CaughtUp(ctx context.Context) error
}

// Batch is what one commit makes durable, in the order of its fields.
type Batch struct {
	Events   []keystile.Event
	Outcomes []keystile.Outcome
	Tallies  []keystile.Tally
	// Urgent batches end what was begun, or say what has been done: they may take
	// the room that is kept for that. Others get ErrNoRoom on a full disk.
	Urgent bool
}

// ErrClosed is returned for a record that comes after Close.
var ErrClosed = errors.New("the audit recorder is closed")

// commitTimeout bounds one commit of a batch, retries included.
const commitTimeout = 15 * time.Second

// retries of a commit that failed, each after a longer pause. A record that
// cannot be made in the end fails the request that waits for it.
var retries = []time.Duration{20 * time.Millisecond, 200 * time.Millisecond}

// Recorder writes audit events in groups. A group waits for more records while
// there are other writers and they keep coming: making a group durable costs as
// much as hundreds of records, in CPU too.
type Recorder struct {
	sink   Sink
	posted func() // nil: there is no journal to take anything to
	wait   time.Duration

	mu     sync.Mutex
	floods *floods // guarded by mu, so that counts and batches agree
	next   *batch
	begun  int // events whose outcome has not been taken over yet
	lost   losses
	tells  bool // somebody calls tellLosses: refusals may be counted
	// counts gathers what adds to counted events. It is committed together with
	// next, but no sooner than countPace after the last of its kind, so that the
	// journal grows with the time that a flood takes and not with its requests.
	counts    *batch
	countPace time.Duration
	countedAt time.Time
	closed    bool
	wake      chan struct{}
	stopped   chan struct{}
}

// batch is what one commit makes durable.
type batch struct {
	records   int // that were taken over
	events    []keystile.Event
	awaited   bool               // somebody may wait for it, though nothing is left in it
	tallies   map[string]counted // by the id of the event that counts
	refusals  int64              // among events, with those that they count
	reads     int64              // among events
	last      time.Time          // of the last refusal
	urgent    Batch              // committed first, and by itself on a full disk
	done      chan struct{}      // closed after the commit
	err       error              // set before done is closed, as urgentErr is
	urgentErr error
}

// counted is how many refusals one event is to count, and the last of them.
type counted struct {
	add  int64
	last keystile.Event
}

func newBatch() *batch {
	return &batch{tallies: map[string]counted{}, done: make(chan struct{})}
}

func (b *batch) empty() bool { return len(b.events) == 0 && b.urgent.size() == 0 }

// NewRecorder starts a recorder whose groups do not wait. Close ends it, but not
// its sink.
func NewRecorder(s Sink, now func() time.Time) *Recorder { return newRecorder(s, now, 0) }

func newRecorder(s Sink, now func() time.Time, wait time.Duration) *Recorder {
	r := &Recorder{
		sink: s, wait: wait, floods: newFloods(now), next: newBatch(), counts: newBatch(),
		wake: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	go r.run()
	return r
}

// Recover closes the intents that an earlier process left open as unknown, and
// returns how many there were. It is called once, before the first record.
func (r *Recorder) Recover(ctx context.Context) (orphans int, err error) {
	open, err := r.sink.OpenEvents(ctx)
	if err != nil {
		return 0, err
	}
	var closing []Pending
	for _, e := range open {
		closing = append(closing, r.Settle(keystile.Outcome{
			EventID: e.ID, Result: keystile.ResultUnknown, Status: e.Status, Detail: e.Detail,
		}))
	}
	for _, p := range closing {
		if err := p.Wait(ctx); err != nil {
			return 0, err
		}
	}
	return len(open), nil
}

// CaughtUp returns nil once queries of the trail find all that is durable now.
func (r *Recorder) CaughtUp(ctx context.Context) error { return r.sink.CaughtUp(ctx) }

// Posted says that a transaction of the store has recorded something: it is taken
// to the journal now rather than within a second.
func (r *Recorder) Posted() {
	if r.posted != nil {
		r.posted()
	}
}

// Pending is a record on its way to the disk.
type Pending struct {
	batch   *batch
	urgent  bool
	counted bool // if it cannot be recorded
}

func (p Pending) err() error {
	switch {
	case p.urgent:
		return p.batch.urgentErr
	case p.counted && p.batch.err != nil:
		return fmt.Errorf("%w: %w", ErrCounted, p.batch.err)
	}
	return p.batch.err
}

// Wait returns nil once the record is durable.
func (p Pending) Wait(ctx context.Context) error {
	select {
	case <-p.batch.done:
		return p.err()
	case <-ctx.Done():
	}
	select {
	case <-p.batch.done: // what is durable is so, however late it was asked
		return p.err()
	default:
		return context.Cause(ctx)
	}
}

// WaitUntil is Wait for those whom no context hurries. After end it returns
// context.DeadlineExceeded.
func (p Pending) WaitUntil(end time.Time) error {
	select {
	case <-p.batch.done: // most are by then: no timer for them
		return p.err()
	default:
	}
	timer := time.NewTimer(time.Until(end))
	defer timer.Stop()
	select {
	case <-p.batch.done:
		return p.err()
	case <-timer.C:
	}
	select {
	case <-p.batch.done:
		return p.err()
	default:
		return context.DeadlineExceeded
	}
}

// Append takes over an event.
func (r *Recorder) Append(e keystile.Event) Pending {
	return r.add(false, func(b *batch) {
		if e.Open {
			r.begun++
		} else {
			b.reads++
		}
		b.events = append(b.events, e)
	})
}

// Settle takes over the outcome of an open event.
func (r *Recorder) Settle(o keystile.Outcome) Pending {
	return r.add(true, func(b *batch) {
		r.begun = max(r.begun-1, 0) // what was recovered was begun elsewhere
		b.urgent.Outcomes = append(b.urgent.Outcomes, o)
	})
}

// Refuse takes over a refusal. A flood of one refusal from one source becomes
// one counted event. In a
// [Trail] one that cannot be recorded is ErrCounted.
func (r *Recorder) Refuse(e keystile.Event) Pending {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p, over := r.over(false); over {
		return p
	}
	record, countedBy := r.floods.take(e)
	if countedBy == "" {
		r.next.events = append(r.next.events, record)
		r.next.refusals++
		r.next.last = latest(r.next.last, e.Time)
		p := r.joined(false)
		p.counted = r.tells
		return p
	}
	r.counts.tallies[countedBy] = counted{r.counts.tallies[countedBy].add + 1, e}
	if !r.counts.awaited {
		r.counts.awaited = true
		time.AfterFunc(r.countPace-time.Since(r.countedAt), func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			if !r.closed {
				r.awake()
			}
		})
	}
	return Pending{batch: r.counts, counted: r.tells}
}

// transfer takes over what the store has recorded already. It is made durable
// whole or not at all.
func (r *Recorder) transfer(from Batch) Pending {
	return r.add(true, func(b *batch) {
		b.urgent.Events = append(b.urgent.Events, from.Events...)
		b.urgent.Outcomes = append(b.urgent.Outcomes, from.Outcomes...)
	})
}

func (r *Recorder) add(urgent bool, put func(*batch)) Pending {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p, over := r.over(urgent); over {
		return p
	}
	put(r.next)
	return r.joined(urgent)
}

// joined is a record in the next batch. r.mu is held.
func (r *Recorder) joined(urgent bool) Pending {
	r.next.records++
	r.awake()
	return Pending{batch: r.next, urgent: urgent}
}

// over is what becomes of a record where none is taken over, if so: behind Close,
// and in a program that keeps no trail. r.mu is held.
func (r *Recorder) over(urgent bool) (Pending, bool) {
	switch {
	case !kept:
		return Pending{batch: nowhere}, true
	case !r.closed:
		return Pending{}, false
	}
	b := newBatch()
	b.err, b.urgentErr = ErrClosed, ErrClosed
	close(b.done)
	return Pending{batch: b, urgent: urgent}, true
}

// awake has the recorder commit. r.mu is held.
func (r *Recorder) awake() {
	select {
	case r.wake <- struct{}{}:
	default: // awake already
	}
}

// Close commits what is left and ends the recorder.
func (r *Recorder) Close() {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.wake)
	}
	r.mu.Unlock()
	<-r.stopped
}

// run commits one batch after the other. While one is being committed the next
// one gathers, so that a slow disk makes groups larger, not queues longer.
func (r *Recorder) run() {
	defer close(r.stopped)
	for range r.wake {
		r.gather()
		r.commit()
	}
	r.commit()
}

// gatherStep is how long a group waits for one more record.
const gatherStep = 200 * time.Microsecond

// gather lets the next group grow while it does, if there are writers whose
// records are not in it.
func (r *Recorder) gather() {
	for before, until := 0, time.Now().Add(r.wait); time.Now().Before(until); {
		r.mu.Lock()
		gathered, others := r.next.records, r.begun
		closed := r.closed
		r.mu.Unlock()
		if closed || gathered == before || others <= gathered {
			return
		}
		before = gathered
		time.Sleep(gatherStep)
	}
}

func (r *Recorder) commit() {
	r.mu.Lock()
	b, counts := r.next, r.dueCounts()
	if b.empty() && counts == nil {
		r.mu.Unlock()
		return
	}
	r.next = newBatch()
	r.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	b.err = r.write(ctx, b.whole(counts))
	b.urgentErr = b.err
	if errors.Is(b.err, ErrNoRoom) && b.urgent.size() > 0 {
		b.urgent.Urgent = true
		b.urgentErr = r.write(ctx, b.urgent)
	}
	if b.err != nil {
		r.recount(b, counts)
	}
	close(b.done)
	if counts != nil {
		counts.err = b.err
		close(counts.done)
	}
}

// dueCounts takes the counts that are to be committed now, or none. r.mu is held.
func (r *Recorder) dueCounts() *batch {
	if !r.counts.awaited || !r.closed && time.Since(r.countedAt) < r.countPace {
		return nil
	}
	due := r.counts
	r.counts, r.countedAt = newBatch(), time.Now()
	return due
}

// recount keeps what gathered meanwhile from adding to events that did not come
// to be: the counts become events of their own, and all counting begins anew.
// Whoever waits for the counts waits for these too: they are in the same commit
// or an earlier one.
func (r *Recorder) recount(failed, counts *batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lose(failed, counts)
	r.floods.reset()
	for _, e := range failed.events {
		if e.Open {
			r.begun--
		}
		tally, ok := r.counts.tallies[e.ID]
		if !ok {
			continue
		}
		delete(r.counts.tallies, e.ID)
		tally.last.Detail.Count, tally.last.Detail.LastTime = tally.add, &tally.last.Time
		r.next.events = append(r.next.events, tally.last)
		r.next.refusals += tally.add
		r.next.last = latest(r.next.last, tally.last.Time)
	}
}

// whole is all of a batch, and the counts that are due. What is urgent stands
// first: it is older than what was not let through before.
func (b *batch) whole(counts *batch) Batch {
	all := Batch{
		Events: slices.Concat(b.urgent.Events, b.events), Outcomes: b.urgent.Outcomes,
		Urgent: len(b.events) == 0 && counts == nil,
	}
	if counts != nil {
		for id, c := range counts.tallies {
			all.Tallies = append(all.Tallies, keystile.Tally{EventID: id, Add: c.add, Last: c.last.Time})
		}
	}
	return all
}

// write commits, and tries again where that may help.
func (r *Recorder) write(ctx context.Context, b Batch) error {
	err := r.sink.Commit(ctx, b)
	for _, pause := range retries {
		if err == nil || errors.Is(err, ErrNoRoom) {
			break
		}
		time.Sleep(pause)
		err = r.sink.Commit(ctx, b)
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("the audit trail cannot be written: %w: %w", keystile.ErrUnavailable, err)
}
