package quota

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// allowance is what one credential may write in a span of time. It has a bound in
// the store as a book has, and each write's event tells what it spends: of a process
// that died is spent what the trail tells, once all of it is indexed and what was cut
// off is closed as unknown. A span begins when the allowance is first known, or at
// midnight, so that no two of one credential begin at the same time.
type allowance struct {
	l       *Ledger
	id      string
	per     keystile.AllowancePer
	writing chan struct{} // held while the store is written; never while waiting for mu

	mu      sync.Mutex
	limit   int64
	since   time.Time // of the span
	spent   int64     // in the span, with what is reserved
	bound   int64     // spent never goes beyond it; in the store it is as high
	stopped bool
}

// most of an allowance is leased at once, so that a killed process takes no more
// along.
const mostAllowance = 64 << 20

// take spends in memory; covered reports that the store's bound covers it. A nil
// allowance takes everything.
func (a *allowance) take(bytes int64) (covered bool, since time.Time, err error) {
	if a == nil || bytes == 0 {
		return true, time.Time{}, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll()
	if bytes > a.limit-a.spent {
		of := OfAllowance
		if a.per == keystile.PerDay {
			of = OfDay
		}
		return false, a.since, &OverError{Of: of, Unit: unitBytes, Cap: a.limit, Used: a.spent, Needed: bytes}
	}
	a.spent += bytes
	return a.spent <= a.bound, a.since, nil
}

// roll begins the next span when it is time. The clock going back does not.
func (a *allowance) roll() {
	if since := a.per.Begin(a.l.opts.Now()); since.After(a.since) {
		a.since, a.spent, a.bound = since, 0, 0
	}
}

// giveBack returns what was not written after all.
func (a *allowance) giveBack(bytes int64, since time.Time) {
	if a == nil || bytes == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since.Equal(since) {
		a.spent -= bytes
	}
}

// cover makes the store's bound cover what is spent. Calls that come together are
// served by one write.
func (a *allowance) cover(ctx context.Context) error {
	return a.write(ctx, func() bool { return a.spent > a.bound }, true)
}

// flush leaves no lease but for what is under way.
func (a *allowance) flush(ctx context.Context) error {
	return a.write(ctx, func() bool { return a.spent != a.bound }, false)
}

func (a *allowance) write(ctx context.Context, due func() bool, ahead bool) error {
	select {
	case a.writing <- struct{}{}:
		defer func() { <-a.writing }()
	case <-ctx.Done():
		return fmt.Errorf("the allowance of %s: %w", a.id, ctx.Err())
	}
	a.mu.Lock()
	if a.stopped || !due() {
		a.mu.Unlock()
		return nil
	}
	record := keystile.Spent{AccessKeyID: a.id, Per: a.per, Since: a.since, Bytes: a.spent}
	if free := a.limit - a.spent; ahead && free > 0 {
		record.Bytes += min(max(free/leaseShare, leastBytes), mostAllowance, free)
	}
	a.bound = min(a.bound, record.Bytes)
	a.mu.Unlock()

	err := a.l.opts.Store.Write(ctx, func(tx store.Tx) error { return tx.SaveSpent(record) })

	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case errors.Is(err, keystile.ErrNotFound): // it was taken away meanwhile
		a.stopped = true
		return nil
	case err != nil:
		return fmt.Errorf("the allowance of %s cannot be kept: %w: %w", a.id, keystile.ErrUnavailable, err)
	case a.since.Equal(record.Since):
		a.bound = record.Bytes
	}
	return nil
}

// Spent is how much of a credential's allowance is used up or reserved in the span
// that began at since; false if it has none.
func (l *Ledger) Spent(accessKeyID string) (bytes int64, since time.Time, ok bool) {
	a := (*l.allowances.Load())[accessKeyID]
	if a == nil {
		return 0, time.Time{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll()
	return a.spent, a.since, true
}

// reopen takes over which credentials have an allowance. Of what an earlier process
// spent the trail tells; what this one did, it may not tell yet.
func (l *Ledger) reopen(bound []keystile.Credential, records []keystile.Spent) {
	known := map[string]keystile.Spent{}
	for _, r := range records {
		known[r.AccessKeyID] = r
	}
	held, next := *l.allowances.Load(), map[string]*allowance{}
	for _, c := range bound {
		if !c.Limits.HasAllowance() {
			continue
		}
		a := held[c.AccessKeyID]
		if a == nil || a.per != c.Limits.Per || a.ended() {
			a = &allowance{l: l, id: c.AccessKeyID, per: c.Limits.Per, writing: make(chan struct{}, 1)}
			now := l.opts.Now()
			a.since = now.UTC().Truncate(time.Microsecond) // as the store keeps it
			if r := known[a.id]; r.Per == a.per && !r.Since.Before(a.per.Begin(now)) {
				a.since, a.spent, a.bound = r.Since, r.Bytes, r.Bytes
				if !l.synced {
					a.spent = r.Recorded
				}
			}
		}
		a.mu.Lock()
		a.limit = c.Limits.Allowance
		a.mu.Unlock()
		next[a.id] = a
	}
	l.allowances.Store(&next)
}

func (a *allowance) ended() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stopped
}
