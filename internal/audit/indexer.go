package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"keystile/internal/journal"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

const (
	// indexDelay lets records gather, so that most outcomes are indexed together
	// with their intents. Whoever reads the trail cuts it short.
	indexDelay = time.Second
	// indexBatch bounds the records of one transaction, and with it how long other
	// changes of the store wait for it.
	indexBatch = 500
	// backlogBatch is the same while more than backlog records wait: an event that
	// is indexed together with a thousand others costs two thirds of what it costs
	// with few, and its outcome is more often among them.
	backlogBatch = 2000
	backlog      = 2 * backlogBatch
	// maxQueued bounds the memory for records that wait. Beyond it they are read
	// back from the journal.
	maxQueued = 20_000
	// indexPause is between attempts while the store fails.
	indexPause = time.Second
)

// PositionSetting is the name of the setting of the store that has the number of
// the last record of a journal that is indexed.
func PositionSetting(journalID string) string { return "audit_journal:" + journalID }

// indexer copies the journal into the store. The number of the last record that
// is there stands in the store too, and changes in the same transaction.
type indexer struct {
	journal *journal.Journal
	store   Store
	outbox  *outbox
	log     *slog.Logger
	derive  Derive
	lost    func(tx store.Tx) error
	tails   tails
	setting string // name of the position
	cursor  *journal.Cursor

	mu       sync.Mutex
	position uint64
	moved    chan struct{} // closed and replaced when position changes
	queue    []queued
	size     int  // records in queue
	behind   bool // queue is not whole: read the journal

	wake    chan struct{}
	urgent  chan struct{}
	ended   chan struct{}
	running context.Context
	cancel  context.CancelFunc
}

// queued are the records of one commit.
type queued struct {
	first uint64
	batch Batch
}

func (q *queued) last() uint64 { return q.first + uint64(q.batch.size()) - 1 }

func newIndexer(ctx context.Context, j *journal.Journal, box *outbox, o Options) (*indexer, error) {
	i := &indexer{
		journal: j, store: o.Store, outbox: box, log: o.Log, derive: o.Derive, lost: o.Lost, setting: PositionSetting(j.ID()), behind: true, moved: make(chan struct{}),
		wake: make(chan struct{}, 1), urgent: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	i.running, i.cancel = context.WithCancel(context.WithoutCancel(ctx))
	var known bool
	err := o.Store.Read(ctx, func(tx store.Tx) (err error) {
		i.position, known, err = i.stored(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	head := j.Head()
	if !known || i.position > head {
		// There may have been records behind those that the index has.
		if err := i.advance(ctx, i.lose, i.position); err != nil {
			return nil, err
		}
	}
	if i.position > head {
		o.Log.Error("the audit journal lost records that its index has: its end was removed, or an older copy was put back",
			"from", head+1, "to", i.position)
		if err := j.SkipTo(i.position + 1); err != nil {
			return nil, err
		}
	}
	i.cursor = j.Read(i.position + 1)
	return i, nil
}

// stored is the number of the last record that is indexed; not known of a journal
// that the store has not met yet.
func (i *indexer) stored(tx store.Tx) (position uint64, known bool, err error) {
	text, err := tx.Setting(i.setting)
	if errors.Is(err, keystile.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	position, err = strconv.ParseUint(text, 10, 64)
	return position, true, err
}

// lose is for records that are not indexed.
func (i *indexer) lose(tx store.Tx) error {
	if i.lost == nil {
		return nil
	}
	return i.lost(tx)
}

// offer takes over what was just made durable.
func (i *indexer) offer(first uint64, b Batch) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.behind {
		i.queue = append(i.queue, queued{first, b})
		if i.size += b.size(); i.size > maxQueued {
			i.queue, i.size, i.behind = nil, 0, true
		}
	}
	nudge(i.wake)
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // nudged already
	}
}

// wait returns nil once the record seq is indexed.
func (i *indexer) wait(ctx context.Context, seq uint64) error {
	for {
		i.mu.Lock()
		done, moved := i.position >= seq, i.moved
		i.mu.Unlock()
		if done {
			return nil
		}
		nudge(i.urgent)
		select {
		case <-moved:
		case <-i.ended:
			return ErrClosed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// indexed is the number of the last record that is in the store.
func (i *indexer) indexed() uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.position
}

func (i *indexer) lag() uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.journal.Head() - i.position
}

func (i *indexer) start() {
	go func() {
		defer close(i.ended)
		for {
			select {
			case <-i.wake:
			case <-i.running.Done():
				return
			}
			i.gather()
			i.keepUp()
		}
	}()
}

// stop indexes what is left, as long as ctx allows.
func (i *indexer) stop(ctx context.Context) {
	_ = i.wait(ctx, i.journal.Head()) // the rest is indexed at the next start
	i.cancel()
	<-i.ended
	_ = i.cursor.Close() // nothing was written by it
}

func (i *indexer) gather() {
	select {
	case <-time.After(indexDelay):
	case <-i.urgent:
	case <-i.running.Done():
	}
}

// keepUp indexes until nothing is left, for as long as the store takes to work
// again.
func (i *indexer) keepUp() {
	for failed := false; ; {
		err := i.catchUp(i.running)
		if err == nil || i.running.Err() != nil {
			return
		}
		if !failed {
			failed = true
			i.log.Error("the audit journal cannot be indexed now: events are recorded, but not shown", "error", err)
		}
		select {
		case <-time.After(indexPause):
		case <-i.running.Done():
		}
	}
}

// catchUp indexes all that is durable.
func (i *indexer) catchUp(ctx context.Context) error {
	for {
		batches, last, err := i.next()
		if err != nil || len(batches) == 0 {
			return err
		}
		if err := i.write(ctx, batches, last); err != nil {
			return err
		}
	}
}

// next takes what is to be indexed next, and the number of its last record.
func (i *indexer) next() (batches []Batch, last uint64, err error) {
	i.mu.Lock()
	position, behind := i.position, i.behind
	if !behind {
		batches, last, behind = i.fromQueue(position)
		i.behind = behind
	}
	i.mu.Unlock()
	if !behind {
		return batches, last, nil
	}
	batches, last, err = i.fromJournal(position)
	if err == nil && len(batches) == 0 {
		// All was read. What is made durable from now on is offered: a commit
		// that had not offered its records yet does so when it gets the lock.
		i.mu.Lock()
		i.behind = i.journal.Head() > position
		again := i.behind
		i.mu.Unlock()
		if again {
			return i.next()
		}
	}
	return batches, last, err
}

// batchSize is how many records are indexed at once.
func (i *indexer) batchSize(position uint64) int {
	if i.journal.Head() > position+backlog {
		return backlogBatch
	}
	return indexBatch
}

// fromQueue is called with the lock held. Records that were read from the
// journal before they were offered are passed over; a gap means that some are
// only there.
func (i *indexer) fromQueue(position uint64) (batches []Batch, last uint64, behind bool) {
	last = position
	taken, records := 0, 0
	for most := i.batchSize(position); taken < len(i.queue); taken++ {
		q := i.queue[taken]
		if records >= most {
			break
		}
		if q.last() > position {
			if q.first != last+1 {
				break
			}
			batches, last = append(batches, q.batch), q.last()
			records += q.batch.size()
		}
		i.size -= q.batch.size()
	}
	i.queue = i.queue[taken:]
	if len(batches) == 0 && len(i.queue) > 0 {
		i.queue, i.size = nil, 0
		return nil, position, true
	}
	return batches, last, false
}

// fromJournal reads the records behind position.
func (i *indexer) fromJournal(position uint64) (batches []Batch, last uint64, err error) {
	i.cursor.Seek(position + 1)
	last = position
	for most := i.batchSize(position); len(batches) < most; {
		seq, data, err := i.cursor.Next()
		switch {
		case errors.Is(err, io.EOF), err != nil && len(batches) > 0:
			return batches, last, nil //nolint:nilerr // it is met again when those before it are indexed
		case errors.Is(err, journal.ErrDamaged):
			if err := i.passOver(err); err != nil {
				return nil, 0, err
			}
			return i.fromJournal(i.position)
		case err != nil:
			return nil, 0, err
		}
		b, err := decode(data)
		switch {
		case err != nil && len(batches) > 0:
			return batches, last, nil //nolint:nilerr // likewise
		case err != nil:
			i.log.Error("a record of the audit journal cannot be read: it is not indexed", "record", seq, "error", err)
			if err := i.advance(i.running, i.lose, seq); err != nil {
				return nil, 0, err
			}
			return i.fromJournal(seq)
		}
		batches, last = append(batches, b), seq
	}
	return batches, last, nil
}

// passOver leaves what cannot be read of a damaged segment out of the index.
func (i *indexer) passOver(cause error) error {
	i.log.Error("a part of the audit journal cannot be read: it is not indexed", "error", cause)
	next, err := i.cursor.SkipSegment()
	if err != nil {
		return err
	}
	return i.advance(i.running, i.lose, next-1)
}

// write indexes batches, each record once. One that the store will never take
// must not hold up those behind it.
func (i *indexer) write(ctx context.Context, batches []Batch, last uint64) error {
	rest, done := i.outbox.strip(batches)
	err := i.take(ctx, merge(rest), slices.Concat(done...), last)
	if !hopeless(err) {
		return err
	}
	first := last
	for _, b := range batches {
		first -= uint64(max(b.size(), 1))
	}
	for n, b := range batches {
		first += uint64(max(b.size(), 1))
		err := i.take(ctx, rest[n], done[n], first)
		if hopeless(err) {
			i.log.Error("a part of the audit journal does not fit its index: it is recorded, but not shown", "up_to_record", first, "error", err)
			err = i.advance(ctx, i.lose, first)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// take indexes a batch, and removes the outbox's entries that the journal has.
func (i *indexer) take(ctx context.Context, b Batch, done []keystile.OutboxEntry, to uint64) error {
	err := i.advance(ctx, func(tx store.Tx) error {
		if err := i.follow(tx, b); err != nil {
			return err
		}
		if err := apply(tx, b); err != nil {
			return err
		}
		return tx.ClearOutbox(seqsOf(done))
	}, to)
	if err == nil {
		i.outbox.passed(done)
		i.tails.publish(b, done)
	}
	return err
}

// follow keeps what follows from a batch. An outcome whose event is not there is
// for apply to find.
func (i *indexer) follow(tx store.Tx, b Batch) error {
	if i.derive == nil {
		return nil
	}
	if err := i.derive(tx, b.Events, b.Outcomes); err != nil {
		// Whatever it is, it is no reason to leave events out of the index.
		return fmt.Errorf("what follows from events: %v", err) //nolint:errorlint // must not match
	}
	return nil
}

// hopeless reports an error that trying again does not mend.
func hopeless(err error) bool {
	return errors.Is(err, keystile.ErrConflict) || errors.Is(err, keystile.ErrNotFound)
}

// advance changes the index and the position together. On a full disk too: the
// journal then takes little, and what it took is to be found.
func (i *indexer) advance(ctx context.Context, change func(store.Tx) error, to uint64) error {
	err := i.store.Write(store.Urgent(ctx), func(tx store.Tx) error {
		at, _, err := i.stored(tx)
		if err != nil {
			return err
		}
		if at != i.position {
			return fmt.Errorf("another process has indexed up to record %d, this one up to %d", at, i.position)
		}
		if err := change(tx); err != nil {
			return err
		}
		return tx.SetSetting(i.setting, strconv.FormatUint(to, 10))
	})
	if err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.position = to
	close(i.moved)
	i.moved = make(chan struct{})
	return nil
}
