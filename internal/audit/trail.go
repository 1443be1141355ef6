package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"keystile/internal/journal"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Options are what a Trail is made of. The fields down to Now are required.
type Options struct {
	Dir   string // of the journal
	Store Store
	Log   *slog.Logger
	Now   func() time.Time
	Room  Room // nil: nothing is kept for a full disk
	// Derive is called with what becomes part of the index, in the same transaction
	// and before it does: what it writes is written once for each event and outcome.
	// Outcomes of events that are closed already are among them. Nil: nothing.
	Derive Derive
	// Lost is called where records are left out of the index, or are gone: what would
	// have followed from them never will. Nil: nothing.
	Lost func(tx store.Tx) error
	// GroupWait is how long a group at most waits for more records, see
	// [Recorder]; 0: not at all.
	GroupWait time.Duration
	// Anchors are made if it has a key.
	Anchors   Anchoring
	Retention Retention
	// SegmentBytes is the size of the journal's segments; 0: its default.
	SegmentBytes int64
	// Shipped is the number of the last record that every sink has got which
	// retention waits for. Nil: none is waited for.
	Shipped func() uint64
}

// Derive keeps what follows from events and outcomes.
type Derive func(tx store.Tx, events []keystile.Event, outcomes []keystile.Outcome) error

// Trail is a Recorder on a journal, with its index in the store.
type Trail struct {
	*Recorder
	journal *journal.Journal
	index   *indexer
	outbox  *outbox
	sink    *inJournal
	anchors *anchorer
	keeper  *keeper
	shipped func() uint64
}

// Open opens the journal, brings the index up to it, starts the recorder and
// takes to the journal what waits in the store's outbox. Close ends it. A journal that another process writes is journal.ErrLocked.
func Open(ctx context.Context, o Options) (*Trail, error) {
	j, found, err := journal.Open(journal.Options{Dir: o.Dir, Now: o.Now, SegmentBytes: o.SegmentBytes})
	if err != nil {
		return nil, fmt.Errorf("open the audit journal: %w", err)
	}
	if !kept {
		o.Log.Error("this program was built to be measured: it records nothing in the audit trail")
	}
	if found.Torn > 0 {
		o.Log.Info("the end of a write that was never acknowledged was removed from the audit journal", "bytes", found.Torn)
	}
	if found.Damaged != "" {
		o.Log.Error("the audit journal is damaged: it goes on in a new segment", "segment", found.Damaged)
	}
	box, index, err := openIndex(ctx, j, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("index the audit journal: %w", err), j.Close())
	}
	index.start()
	sink := &inJournal{journal: j, index: index, room: o.Room, watch: watchman{log: o.Log, state: Recording}}
	t := &Trail{newRecorder(sink, o.Now, o.GroupWait), j, index, box, sink, nil, nil, o.Shipped}
	t.countPace, t.tells = countPace, true
	box.look = t.look
	box.recorder = t.Recorder
	if err := box.drain(ctx); err != nil {
		o.Log.Error("events that wait in the store do not get to the audit journal now", "error", err)
	}
	t.posted = func() { nudge(box.kick) }
	box.start()
	t.anchors = startAnchorer(o.Anchors, j, o.Log)
	t.keeper = startKeeper(ctx, t, o)
	return t, nil
}

// look finds out how it stands with the journal, and tells what was lost when it
// can be written again.
func (t *Trail) look() {
	t.sink.look()
	if t.State() != Recording {
		return
	}
	if err := t.tellLosses(t.outbox.running); err != nil && t.outbox.running.Err() == nil {
		t.outbox.log.Error("what could not be recorded cannot be told in the audit trail now", "error", err)
	}
}

// openIndex looks into the outbox first: what the index finds in the journal is
// taken out of it.
func openIndex(ctx context.Context, j *journal.Journal, o Options) (*outbox, *indexer, error) {
	box, err := newOutbox(ctx, o.Store, o.Log)
	if err != nil {
		return nil, nil, err
	}
	index, err := newIndexer(ctx, j, box, o)
	if err != nil {
		return nil, nil, err
	}
	return box, index, index.catchUp(ctx)
}

// Lag is how many durable records queries do not find yet.
func (t *Trail) Lag() uint64 { return t.index.lag() }

// Close makes durable and indexes what is left, and closes the journal. What
// ctx leaves no time to index is indexed at the next start.
func (t *Trail) Close(ctx context.Context) error {
	t.keeper.stop()
	t.outbox.stop()
	_ = t.tellLosses(ctx) // else the event that was opened for them is closed at the next start
	t.Recorder.Close()
	t.anchors.stop()
	t.index.stop(ctx)
	return t.journal.Close()
}

// inJournal is the sink of a Trail.
type inJournal struct {
	journal *journal.Journal
	index   *indexer
	room    Room // nil: none
	watch   watchman
}

// Commit implements Sink. It is called by one goroutine.
func (s *inJournal) Commit(_ context.Context, b Batch) error {
	records, err := encode(b)
	if err != nil {
		return err
	}
	first := s.journal.Head() + 1
	err = s.append(records, b.Urgent)
	if err != nil || !b.Urgent { // what is urgent goes through on a full disk too
		s.watch.saw(err)
	}
	if err != nil {
		return err
	}
	s.index.offer(first, b)
	return nil
}

// append writes what is urgent into the room that is kept, step by step, where
// there is no other, and anything else only while that room is held.
func (s *inJournal) append(records [][]byte, urgent bool) error {
	if !urgent && s.room != nil && !s.room.Ready() {
		return ErrNoRoom
	}
	err := s.journal.Append(records)
	if !urgent && isFull(err) && s.room != nil {
		return fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	for isFull(err) && s.room != nil { // somebody else may be faster to take what is given up
		if empty := s.room.Release(); empty != nil {
			return errors.Join(err, empty)
		}
		err = s.journal.Append(records)
	}
	return err
}

// OpenEvents implements Sink.
func (s *inJournal) OpenEvents(ctx context.Context) ([]keystile.Event, error) {
	if err := s.CaughtUp(ctx); err != nil {
		return nil, err
	}
	return openEvents(ctx, s.index.store)
}

// CaughtUp implements Sink.
func (s *inJournal) CaughtUp(ctx context.Context) error { return s.index.wait(ctx, s.journal.Head()) }
