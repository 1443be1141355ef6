package audit

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

const (
	// outboxPage bounds the entries that are taken to the journal at once.
	outboxPage = 200
	// outboxPause is between looks for entries that nobody told of, such as those
	// of an offline command, and between attempts while the journal fails.
	outboxPause = time.Second
)

// outbox brings what transactions recorded in the store into the journal. An
// entry is removed by the indexer, in the transaction in which it passes the
// entry's record in the journal; so what is there at a start, once the index has
// caught up, is not in the journal yet, and nothing gets there twice.
type outbox struct {
	store    Store
	recorder *Recorder
	look     func() // at the journal, once a pause
	log      *slog.Logger

	mu      sync.Mutex
	waiting map[entryKey]int64 // of entries that the journal has, or may get now
	taken   int64              // number of the last entry that the journal has

	kick    chan struct{}
	ended   chan struct{}
	running context.Context
	cancel  context.CancelFunc
}

// entryKey is what an entry records.
type entryKey struct {
	event   string
	outcome bool
}

func keyOf(e keystile.OutboxEntry) entryKey {
	if e.Outcome != nil {
		return entryKey{e.Outcome.EventID, true}
	}
	return entryKey{e.Event.ID, false}
}

// newOutbox knows every entry that is there: of those that an earlier process
// took to the journal it cannot tell yet which they are.
func newOutbox(ctx context.Context, s Store, log *slog.Logger) (*outbox, error) {
	o := &outbox{store: s, log: log, waiting: map[entryKey]int64{}, kick: make(chan struct{}, 1), ended: make(chan struct{})}
	o.running, o.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for after := int64(0); ; {
		page, err := o.page(ctx, after)
		if err != nil || len(page) == 0 {
			return o, err
		}
		o.expect(page)
		after = page[len(page)-1].Seq
	}
}

func (o *outbox) page(ctx context.Context, after int64) (page []keystile.OutboxEntry, err error) {
	err = o.store.Read(ctx, func(tx store.Tx) error {
		page, err = tx.Outbox(after, outboxPage)
		return err
	})
	return page, err
}

func (o *outbox) expect(page []keystile.OutboxEntry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range page {
		o.waiting[keyOf(e)] = e.Seq
	}
}

// drain takes everything that is there to the journal.
func (o *outbox) drain(ctx context.Context) error {
	for {
		page, err := o.page(ctx, o.taken)
		if err != nil || len(page) == 0 {
			return err
		}
		o.expect(page)
		var b Batch
		for _, e := range page {
			if e.Outcome != nil {
				b.Outcomes = append(b.Outcomes, *e.Outcome)
			} else {
				b.Events = append(b.Events, *e.Event)
			}
		}
		if err := o.recorder.transfer(b).Wait(ctx); err != nil {
			return err
		}
		o.taken = page[len(page)-1].Seq
	}
}

// start drains whenever there is something, until stop.
func (o *outbox) start() {
	go func() {
		defer close(o.ended)
		tick := time.NewTicker(outboxPause)
		defer tick.Stop()
		for failed := false; ; {
			o.look()
			err := o.drain(o.running)
			if o.running.Err() != nil {
				return
			}
			if err != nil && !failed {
				o.log.Error("events of the control plane do not get to the audit journal now: they wait in the store", "error", err)
			}
			failed = err != nil
			if failed {
				select {
				case <-tick.C:
				case <-o.running.Done():
				}
				continue
			}
			select {
			case <-o.kick:
			case <-tick.C:
			case <-o.running.Done():
			}
		}
	}()
}

// stop ends the draining. What is left is drained at the next start.
func (o *outbox) stop() {
	o.cancel()
	<-o.ended
}

// strip takes out of batches of the journal what came there by the outbox: the
// store has it. The entries that are done with are listed for each batch.
func (o *outbox) strip(batches []Batch) (rest []Batch, done [][]keystile.OutboxEntry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	done = make([][]keystile.OutboxEntry, len(batches))
	if len(o.waiting) == 0 {
		return batches, done
	}
	rest = make([]Batch, len(batches))
	for i, b := range batches {
		rest[i].Tallies = b.Tallies
		for _, e := range b.Events {
			if seq, ok := o.waiting[entryKey{e.ID, false}]; ok {
				done[i] = append(done[i], keystile.OutboxEntry{Seq: seq, Event: &e})
			} else {
				rest[i].Events = append(rest[i].Events, e)
			}
		}
		for _, out := range b.Outcomes {
			if seq, ok := o.waiting[entryKey{out.EventID, true}]; ok {
				done[i] = append(done[i], keystile.OutboxEntry{Seq: seq, Outcome: &out})
			} else {
				rest[i].Outcomes = append(rest[i].Outcomes, out)
			}
		}
	}
	return rest, done
}

// passed forgets entries that were removed.
func (o *outbox) passed(done []keystile.OutboxEntry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range done {
		if key := keyOf(e); o.waiting[key] == e.Seq {
			delete(o.waiting, key)
		}
	}
}

func seqsOf(entries []keystile.OutboxEntry) []int64 {
	seqs := make([]int64, len(entries))
	for i, e := range entries {
		seqs[i] = e.Seq
	}
	return seqs
}
