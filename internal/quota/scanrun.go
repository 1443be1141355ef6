package quota

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"keystile/internal/keystile"
)

const (
	// scansAtOnce bounds the counts under way, so that they leave backends their
	// connections.
	scansAtOnce = 4
	// scanPause is the least time between two counts that nobody asked for.
	scanPause = 30 * time.Second
	// flushEvery is how often what changed is written.
	flushEvery = 5 * time.Second
	// writeTimeout bounds one writing in the background.
	writeTimeout = 20 * time.Second
)

// Run counts buckets that are to be counted, and writes what changed, until ctx
// ends. Call Flush after the last request.
func (l *Ledger) Run(ctx context.Context) {
	var scans sync.WaitGroup
	defer scans.Wait()
	slots, questions := make(chan struct{}, scansAtOnce), make(chan struct{}, asksAtOnce)
	ticker := time.NewTicker(l.opts.Pace)
	defer ticker.Stop()
	flushed := time.Now()
	for {
		for _, b := range *l.books.Load() {
			if len(slots) == cap(slots) {
				break
			}
			run := b.beginScan(ctx)
			if run == nil {
				run = b.beginUploads(ctx)
			}
			if run != nil {
				slots <- struct{}{}
				scans.Go(func() {
					defer func() { <-slots }()
					run()
				})
			}
		}
		l.ask(ctx, &scans, questions)
		if time.Since(flushed) >= flushEvery {
			flushed = time.Now()
			l.flushDue(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (l *Ledger) flushDue(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	for _, b := range *l.books.Load() {
		if err := b.flush(ctx, true); err != nil && !errors.Is(err, context.Canceled) {
			l.opts.Log.Warn("a bucket's usage could not be kept; trying again", "bucket", b.bucket.String(), "error", err)
		}
	}
}

// Scan asks for a count of the bucket. One that is under way is enough. It
// reports false if the bucket is not counted.
func (l *Ledger) Scan(bucket keystile.Bucket) bool {
	b := l.book(bucket)
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wanted = !b.counting()
	return true
}

// CancelScan ends the count of the bucket that is under way or was asked for, and
// reports whether there was one. A first count begins again by itself.
func (l *Ledger) CancelScan(bucket keystile.Bucket) bool {
	b := l.book(bucket)
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	found := b.counting() || b.wanted
	b.cancelScan()
	return found
}

func (b *book) cancelScan() {
	b.wanted = false
	if b.scan != nil {
		b.scan.cancel()
	}
}

// due reports whether the bucket is to be counted now.
func (b *book) due(now time.Time) bool {
	switch {
	case b.scan != nil || b.stopped:
		return false
	case b.wanted, b.resume != nil:
		return true
	case now.Sub(b.lastScan) < scanPause && !b.lastScan.IsZero() && !now.Before(b.lastScan):
		return false
	case b.countedAt.IsZero(), b.recount, b.askedTooOften():
		return true
	case !b.again.IsZero() && now.After(b.again):
		return true
	}
	for _, u := range b.unknown {
		if u.until.Before(now) {
			return true
		}
	}
	return false
}

// beginScan begins a count if one is due; nil if not.
func (b *book) beginScan(process context.Context) (run func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.l.opts.Now()
	if !b.due(now) {
		return nil
	}
	ctx := b.newScan(process, now)
	b.scan.disorder = b.disorder
	if p := b.resume; p != nil && now.Sub(p.StartedAt) < longestResume {
		b.scan.goOn(p) // with the recount that is due since it began
	} else {
		b.recount = false
		b.scan.keySet = b.l.newKeys()
	}
	b.countBegins()
	b.wanted, b.resume = false, nil
	if now.After(b.again) {
		b.again = time.Time{}
	}
	return func() { b.runScan(process, ctx) }
}

// counting reports whether the whole bucket is being counted.
func (b *book) counting() bool { return b.scan != nil && !b.scan.uploads }

// newScan begins a count, which ctx can end.
func (b *book) newScan(process context.Context, now time.Time) (ctx context.Context) {
	ctx, cancel := context.WithCancel(process)
	b.scan = &scan{
		cancel: cancel, began: now, progress: keystile.ScanProgress{StartedAt: now},
		during: map[Place]versions{}, pending: map[*Hold]map[Place]versions{}, loose: map[*Hold]bool{},
	}
	return ctx
}

// runScan counts, and takes over what was counted. Process ends when the process
// stops, ctx also when the count is cancelled.
func (b *book) runScan(process, ctx context.Context) {
	b.mu.Lock()
	first := b.countedAt.IsZero()
	b.mu.Unlock()
	err := b.count(ctx, pace(first))
	b.mu.Lock()
	if err == nil {
		err = ctx.Err() // cancelled when all was read
	}
	b.scan.cancel()
	if err != nil && b.park(process) {
		b.mu.Unlock()
		return
	}
	b.scanError = ""
	switch {
	case err == nil:
		b.finish()
	case errors.Is(err, errDisorder):
		b.disorder, b.wanted = true, true
	default:
		b.recount, b.dirty = true, true
		b.scanError = scanFailure(err)
	}
	b.scan.keySet.free() // if nobody has taken them over
	b.scan, b.lastScan = nil, b.l.opts.Now()
	drift, stopped := b.drift, b.stopped
	b.mu.Unlock()
	if err != nil {
		if !errors.Is(err, context.Canceled) && !errors.Is(err, errDisorder) && !stopped {
			b.l.opts.Log.Warn("a bucket could not be counted; trying again", "bucket", b.bucket.String(), "error", err)
		}
		return
	}
	if !first && drift != (keystile.Amount{}) {
		b.l.opts.Log.Info("a bucket holds another amount than was known", "bucket", b.bucket.String(),
			"more_bytes", drift.Bytes, "more_objects", drift.Objects)
	}
	// A first count lets writes go on: it is kept at once.
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if err := b.flush(writing, true); err != nil {
		b.l.opts.Log.Warn("a bucket's usage could not be kept; trying again", "bucket", b.bucket.String(), "error", err)
	}
}

// pace lets a backend rest for as long as it worked, so that counting takes at
// most half of what one client could. While writes wait for the first count, it
// goes on at once.
func pace(first bool) pacing {
	return func(ctx context.Context, took time.Duration) error {
		if first {
			return ctx.Err()
		}
		select {
		case <-time.After(min(took, time.Second)):
			return nil
		case <-ctx.Done():
			return fmt.Errorf("counting: %w", ctx.Err())
		}
	}
}
