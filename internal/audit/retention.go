package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"keystile/internal/journal"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Retention is what is kept of a trail, in whole segments of its journal: those
// to which nothing is written any more are compressed, and the oldest removed.
// Zero fields do not limit. Without a key to sign with nothing is removed.
type Retention struct {
	KeepFor   time.Duration // since the last record of a segment
	KeepBytes int64         // of all segments on the disk
	// Every is between looks; 0: a minute.
	Every time.Duration
}

const (
	tendEvery = time.Minute
	// retireBatch bounds the events that one transaction forgets, and retirePause
	// lets others in between.
	retireBatch = 500
	retirePause = 50 * time.Millisecond
	// retireTimeout bounds the wait for the event that tells of a removal.
	retireTimeout = 30 * time.Second
)

// retireAction tells, in the trail, what of it was removed.
const retireAction = "audit.retire"

// keeper compresses and removes old segments, and has the index follow, until it
// is stopped.
type keeper struct {
	Retention
	trail   *Trail
	store   Store
	signing Anchoring
	log     *slog.Logger
	now     func() time.Time

	failed  bool // the last time
	once    sync.Once
	running context.Context
	cancel  context.CancelFunc
	ended   chan struct{}
}

func startKeeper(ctx context.Context, t *Trail, o Options) *keeper {
	k := &keeper{Retention: o.Retention, trail: t, store: o.Store, signing: o.Anchors, log: o.Log, now: o.Now, ended: make(chan struct{})}
	if k.Every == 0 {
		k.Every = tendEvery
	}
	k.running, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go k.run()
	return k
}

func (k *keeper) run() {
	defer close(k.ended)
	ticks := time.NewTicker(k.Every)
	defer ticks.Stop()
	for {
		err := errors.Join(k.compress(), k.retire(), k.follow())
		if err != nil && !k.failed && k.running.Err() == nil {
			k.log.Error("old parts of the audit journal cannot be compressed or removed now", "error", err)
		}
		k.failed = err != nil
		select {
		case <-ticks.C:
		case <-k.running.Done():
			return
		}
	}
}

func (k *keeper) stop() {
	k.once.Do(func() {
		k.cancel()
		<-k.ended
	})
}

// compress leaves a disk alone that has no room.
func (k *keeper) compress() error {
	for k.running.Err() == nil && (k.trail.sink.room == nil || k.trail.sink.room.Ready()) {
		if more, err := k.trail.journal.Compress(); err != nil || !more {
			return err
		}
	}
	return nil
}

// retire removes what is older or more than is kept, once the index and all that
// is waited for have it, and the trail tells of it.
func (k *keeper) retire() error {
	if k.signing.Key == nil || k.KeepFor == 0 && k.KeepBytes == 0 {
		return nil
	}
	limits := journal.Limits{KeepFor: k.KeepFor, KeepBytes: k.KeepBytes, Below: min(k.trail.index.indexed(), k.trail.Shipped())}
	if limits.Below++; limits.Below == 0 {
		return nil
	}
	r, err := k.trail.journal.Retirable(limits)
	if err != nil || r.Segments == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(k.running, retireTimeout)
	defer cancel()
	// It makes room: on a full disk it goes through as what must not wait.
	if err := k.trail.transfer(Batch{Events: []keystile.Event{k.event(r)}}).Wait(ctx); err != nil {
		return err
	}
	if err := k.trail.journal.Retire(r, k.signing.Key); err != nil {
		return err
	}
	k.log.Info("the beginning of the audit journal was removed, as its retention says", "from_record", r.First, "to_record", r.Last, "bytes", r.Bytes)
	return nil
}

func (k *keeper) event(r journal.Retiring) keystile.Event {
	return keystile.Event{
		ID: uuid.Must(uuid.NewV7()).String(), Time: k.now(), Action: retireAction, Result: keystile.ResultOK,
		Detail: keystile.EventDetail{
			Target: fmt.Sprintf("records %d to %d", r.First, r.Last),
			Changes: map[string]string{
				"journal": k.trail.journal.ID(), "older_than": r.Until.UTC().Format(time.RFC3339), "segments": fmt.Sprint(r.Segments), "bytes": fmt.Sprint(r.Bytes),
			},
		},
	}
}

// follow has the index forget what is older than the journal.
func (k *keeper) follow() error {
	first, at, err := k.trail.journal.Begins()
	if err != nil || first <= 1 {
		return err
	}
	for {
		var n int
		err := k.store.Write(k.running, func(tx store.Tx) (err error) {
			n, err = tx.RetireEvents(at, retireBatch)
			return err
		})
		if err != nil || n < retireBatch {
			return err
		}
		select {
		case <-time.After(retirePause):
		case <-k.running.Done():
			return nil
		}
	}
}
