package quota

import (
	"context"
	"errors"
	"fmt"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// A lease is an eighth of what is free, so that near a cap little is counted that
// is not there if the process dies, within these bounds.
const (
	leaseShare   = 8
	leastBytes   = 1 << 20
	mostBytes    = 256 << 20
	leastObjects = 16
	mostObjects  = 10_000
)

// lease is how much more than now may be stored before the store is asked again,
// where the owner's buckets may hold so much more together.
func (b *book) lease(left int64) keystile.Amount {
	total := b.total()
	of := func(hard, total, least, most int64) int64 {
		if hard == keystile.NoCap {
			return most
		}
		free := max(hard-total, 0)
		return min(max(free/leaseShare, least), most, free)
	}
	lease := keystile.Amount{
		Bytes:   of(b.caps.Hard.Bytes, total.Bytes, leastBytes, mostBytes),
		Objects: of(b.caps.Hard.Objects, total.Objects, leastObjects, mostObjects),
	}
	if left != keystile.NoCap {
		lease.Bytes = min(lease.Bytes, max(left/leaseShare, leastBytes), left)
	}
	return lease
}

// record is what to write, so that the store's bound covers what is in memory
// and, if ahead, a lease.
func (b *book) record(ahead bool, left int64) keystile.UsageRecord {
	u := keystile.UsageRecord{
		Bucket: b.bucket, TrackedAt: b.trackedAt, Used: b.used, Unknown: b.lostSum(), Leased: b.reserved,
		Parts: b.parts, CountedAt: b.countedAt, Drift: b.drift, OverSoft: b.overSoft, Recount: b.recount || len(b.doubts) > 0,
	}
	if b.scan != nil && !b.wanted {
		u.Scan = b.scan.position()
	}
	if ahead {
		u.Leased = u.Leased.Plus(b.lease(left))
	}
	for _, lost := range b.unknown {
		u.UnknownUntil = maxTime(u.UnknownUntil, lost.until)
	}
	for _, d := range b.doubts {
		u.UnknownUntil = maxTime(u.UnknownUntil, d.until)
	}
	return u
}

// cover makes the store's bound cover what is in memory. Calls that come together
// are served by one write; force writes in any case.
func (b *book) cover(ctx context.Context, force bool) error {
	return b.write(ctx, func() bool { return force || !b.total().Within(b.bound) }, true)
}

// flush writes what changed since the last time. Without ahead it leaves no lease
// but for what is under way.
func (b *book) flush(ctx context.Context, ahead bool) error {
	return b.write(ctx, func() bool { return b.dirty || !ahead && b.bound != b.total() }, ahead)
}

// write brings the book into the store if it is due. The bound sinks before the
// store is written and rises after it.
func (b *book) write(ctx context.Context, due func() bool, ahead bool) error {
	select {
	case b.writing <- struct{}{}:
		defer func() { <-b.writing }()
	case <-ctx.Done():
		return fmt.Errorf("the quota of %s: %w", b.bucket, ctx.Err())
	}
	b.mu.Lock()
	skip := b.stopped || !due()
	b.mu.Unlock()
	if skip {
		return nil
	}
	left := b.left()
	b.mu.Lock()
	u := b.record(ahead, left)
	bound := u.Used.Plus(u.Unknown).Plus(u.Leased)
	b.bound = keystile.Amount{Bytes: min(b.bound.Bytes, bound.Bytes), Objects: min(b.bound.Objects, bound.Objects)}
	b.dirty = false
	b.mu.Unlock()

	err := b.l.opts.Store.Write(ctx, func(tx store.Tx) error { return tx.SaveBucketUsage(u) })

	b.mu.Lock()
	defer b.mu.Unlock()
	if errors.Is(err, keystile.ErrNotFound) {
		// The quota was taken away meanwhile; the next Sync closes the book.
		b.stopped = true
		return nil
	}
	if err != nil {
		b.dirty = true
		return fmt.Errorf("the quota of %s cannot be kept: %w: %w", b.bucket, keystile.ErrUnavailable, err)
	}
	b.bound = bound
	return nil
}
