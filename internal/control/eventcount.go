package control

import (
	"context"
	"errors"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

const (
	// countedEvents is up to how many events a histogram counts, the newest.
	countedEvents = 200_000
	// countedByText is the same where the filter has a text: each is looked into.
	countedByText = 20_000
	countTimeout  = 5 * time.Second
	countSpans    = 60 // about
)

// countSteps are the lengths of spans, so that they are round.
var countSteps = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour,
	3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour, 364 * 24 * time.Hour,
}

// errCountTooLong is a count that would hold up others.
var errCountTooLong = explain(keystile.ErrUnavailable, "counting these events takes too long: choose a shorter time")

// Count tells how the events of a filter lie in time: by default those of the last
// 24 hours.
func (t *Audit) Count(ctx context.Context, a Actor, f keystile.EventFilter) (counts keystile.EventCounts, err error) {
	t.catchUp(ctx)
	if f.Until.IsZero() {
		f.Until = t.now().Add(time.Microsecond)
	}
	if f.Since.IsZero() {
		f.Since = f.Until.Add(-24 * time.Hour)
	}
	step := countSteps[len(countSteps)-1]
	for _, s := range countSteps {
		if f.Until.Sub(f.Since) <= countSpans*s {
			step = s
			break
		}
	}
	f.Since = f.Since.Truncate(step)
	limit := countedEvents
	if f.Text != "" {
		limit = countedByText
	}
	counting, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	err = t.read(counting, a, "audit.count", "", admins, func(tx store.Tx) error {
		counts, err = tx.CountEvents(f, step, limit)
		return err
	})
	if err != nil && ctx.Err() == nil && errors.Is(counting.Err(), context.DeadlineExceeded) {
		return counts, errCountTooLong
	}
	return counts, err
}
