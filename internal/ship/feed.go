package ship

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"keystile/internal/journal"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

const (
	// batchRecords and batchBytes bound what is sent at once. One record may be
	// larger than that by itself.
	batchRecords = 500
	batchBytes   = 1 << 20
	// lookEvery is how long a record waits at most before it is read.
	lookEvery = 250 * time.Millisecond
	// anchorEvery is how often the file of anchors is looked into.
	anchorEvery = 5 * time.Second
	// noteEvery is at least between notes of the position: what was sent since the
	// last one is sent again after a crash.
	noteEvery = time.Second
	// firstPause is after the first failure; it doubles up to maxPause. Jitter takes
	// away or adds up to half.
	firstPause   = time.Second
	maxPause     = time.Minute
	storeTimeout = 20 * time.Second
)

// position is how far a sink got; it stands in the store, as JSON.
type position struct {
	Record   uint64 `json:"record"`   // the last one that it took
	Anchors  int    `json:"anchors"`  // how many anchors it took, retirements among them
	Anchored uint64 `json:"anchored"` // the record of the last of them
}

// feed sends to one sink.
type feed struct {
	Feed
	o       Options
	setting string
	cursor  *journal.Cursor

	mu      sync.Mutex
	at      position
	noted   position // what the store has
	sentAt  time.Time
	failing string
	since   time.Time

	notedAt  time.Time
	lookedAt time.Time // for anchors
	unnoted  bool      // that noting fails was told
}

// PositionSetting is the name of the setting of the store that says how far a sink
// got.
func PositionSetting(journalID, sink string) string { return "audit_sink:" + journalID + ":" + sink }

func newFeed(ctx context.Context, o Options, one Feed) (*feed, error) {
	f := &feed{Feed: one, o: o, setting: PositionSetting(o.Journal.ID(), one.Name)}
	head := o.Journal.Head()
	err := o.Store.Read(ctx, func(tx store.Tx) error {
		text, err := tx.Setting(f.setting)
		if errors.Is(err, keystile.ErrNotFound) {
			if one.FromNow {
				f.at.Record = head
				made, err := o.Journal.Anchors()
				f.at.Anchors = len(made)
				return err
			}
			return nil
		}
		if err != nil {
			return err
		}
		f.noted, err = parsePosition(text)
		f.at = f.noted
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the position of the audit sink %s: %w", one.Name, err)
	}
	if f.at.Record > head {
		// The journal's end was lost. Its numbers are given again.
		o.Log.Error("an audit sink got records that the journal no longer has", "sink", one.Name, "from", head+1, "to", f.at.Record)
		f.at.Record = head
	}
	f.cursor = o.Journal.Read(f.at.Record + 1)
	return f, nil
}

func parsePosition(text string) (p position, err error) {
	return p, json.Unmarshal([]byte(text), &p)
}

func (f *feed) durable() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return min(f.noted.Record, f.at.Record)
}

func (f *feed) status() keystile.AuditSink {
	head := f.o.Journal.Head()
	f.mu.Lock()
	defer f.mu.Unlock()
	s := keystile.AuditSink{
		Name: f.Name, Kind: f.Kind, Target: f.Target, Records: f.Records, Anchors: f.Anchors,
		Anchored: f.at.Anchored, SentAt: f.sentAt, Failing: f.failing, Since: f.since,
	}
	if f.Records {
		s.Position, s.Lag = f.at.Record, head-min(f.at.Record, head)
	}
	return s
}

// run sends what there is until ctx ends.
func (f *feed) run(ctx context.Context) {
	defer f.end(ctx)
	for pause := firstPause; ; {
		more, err := f.round(ctx)
		if ctx.Err() != nil {
			return
		}
		f.saw(err)
		wait := lookEvery
		switch {
		case err != nil:
			wait = pause/2 + rand.N(pause) //nolint:gosec // spreads load, guards nothing
			pause = min(pause*2, maxPause)
		case more:
			wait, pause = 0, firstPause
		default:
			pause = firstPause
		}
		if time.Since(f.notedAt) >= noteEvery {
			f.note(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (f *feed) end(ctx context.Context) {
	f.note(ctx)
	if err := errors.Join(f.Sink.Close(), f.cursor.Close()); err != nil {
		f.o.Log.Warn("an audit sink could not be closed in good order", "sink", f.Name, "error", err)
	}
}

// saw takes note of how a round ended, and tells when that changes.
func (f *feed) saw(err error) {
	f.mu.Lock()
	was := f.failing
	if err == nil {
		f.failing, f.since = "", time.Time{}
	} else {
		f.failing = err.Error()
		if was == "" {
			f.since = f.o.Now()
		}
	}
	f.mu.Unlock()
	switch {
	case err == nil && was != "":
		f.o.Log.Info("the audit sink takes records again", "sink", f.Name)
	case err != nil && was == "":
		f.o.Log.Error("an audit sink takes nothing now: it is tried again until it does", "sink", f.Name, "to", f.Target, "error", err)
	}
}

// round sends some items; more: there may be others by now.
func (f *feed) round(ctx context.Context) (more bool, err error) {
	if f.Anchors {
		if err := f.sendAnchors(ctx); err != nil {
			return false, err
		}
	}
	if !f.Records {
		return false, nil
	}
	items, last, err := f.read()
	if err != nil || last == f.at.Record {
		return false, err
	}
	if err := f.send(ctx, items); err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at.Record = last
	return true, nil
}

func (f *feed) send(ctx context.Context, items []Item) error {
	if len(items) == 0 {
		return nil
	}
	if err := f.Sink.Send(ctx, items); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sentAt = f.o.Now()
	return nil
}

// sendAnchors sends those behind the last one that the sink took.
func (f *feed) sendAnchors(ctx context.Context) error {
	now := time.Now()
	if now.Sub(f.lookedAt) < anchorEvery {
		return nil
	}
	all, err := f.o.Journal.Anchors()
	if err != nil {
		return fmt.Errorf("the anchors cannot be read: %w", err)
	}
	if f.at.Anchors > len(all) { // the file is another one
		f.mu.Lock()
		f.at.Anchors = 0
		f.mu.Unlock()
	}
	for _, a := range all[f.at.Anchors:] {
		item, err := anchorItem(a)
		if err != nil {
			return err
		}
		if err := f.send(ctx, []Item{item}); err != nil {
			return err
		}
		f.mu.Lock()
		f.at.Anchors++
		f.at.Anchored = a.Record
		f.mu.Unlock()
	}
	f.lookedAt = now
	return nil
}

// read reads the records behind the position, and the number of the last one.
// What cannot be read is passed over, and told of.
func (f *feed) read() (items []Item, last uint64, err error) {
	last = f.at.Record
	f.cursor.Seek(last + 1)
	for size := 0; len(items) < batchRecords && size < batchBytes; {
		seq, payload, err := f.cursor.Next()
		switch {
		case errors.Is(err, io.EOF), err != nil && len(items) > 0:
			return items, last, nil //nolint:nilerr // it is met again when those before it are sent
		case errors.Is(err, journal.ErrDamaged):
			f.o.Log.Error("a part of the audit journal cannot be read: the sink does not get it", "sink", f.Name, "error", err)
			next, err := f.cursor.SkipSegment()
			return nil, max(last, next-1), err
		case err != nil:
			return nil, last, err
		}
		if seq > last+1 {
			f.o.Log.Error("the audit journal no longer has records that the sink did not get", "sink", f.Name, "from", last+1, "to", seq-1)
		}
		last = seq
		item, err := recordItem(f.o.Journal.ID(), seq, payload, f.o.Now())
		if err != nil {
			f.o.Log.Error("a record of the audit journal cannot be read: the sink does not get it", "sink", f.Name, "error", err)
			continue
		}
		items, size = append(items, item), size+len(item.JSON)
	}
	return items, last, nil
}

// note puts the position into the store. Where that fails more is sent again
// after a crash; nothing else depends on it.
func (f *feed) note(ctx context.Context) {
	if f.at == f.noted {
		return
	}
	f.notedAt = time.Now()
	text, err := json.Marshal(f.at)
	if err == nil {
		noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
		defer cancel()
		err = f.o.Store.Write(noting, func(tx store.Tx) error { return tx.SetSetting(f.setting, string(text)) })
	}
	if err != nil {
		if !f.unnoted {
			f.o.Log.Warn("how far an audit sink got cannot be noted now", "sink", f.Name, "error", err)
		}
		f.unnoted = true
		return
	}
	f.unnoted = false
	f.mu.Lock()
	defer f.mu.Unlock()
	f.noted = f.at
}
