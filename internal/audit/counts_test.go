package audit

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
)

// counting is a sink that keeps what it is given.
type counting struct {
	mu      sync.Mutex
	batches []Batch
}

func (c *counting) Commit(_ context.Context, b Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batches = append(c.batches, b)
	return nil
}

func (c *counting) OpenEvents(context.Context) ([]keystile.Event, error) { return nil, nil }
func (c *counting) CaughtUp(context.Context) error                       { return nil }

// total is how many events there are, how many refusals they and the counts stand
// for, and in how many commits there are counts.
func (c *counting) total() (events, refusals, commits int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.batches {
		events += int64(len(b.Events))
		refusals += int64(len(b.Events))
		for _, tally := range b.Tallies {
			refusals += tally.Add
		}
		if len(b.Tallies) > 0 {
			commits++
		}
	}
	return events, refusals, commits
}

// What is only counted waits for its turn; what is not goes on, and the end of the
// recorder commits both.
func TestCountsWaitForTheirTurnAndHoldUpNothing(t *testing.T) {
	sink := &counting{}
	r := NewRecorder(sink, time.Now)
	r.countPace = time.Hour
	refuse := func(i int) Pending { return r.Refuse(strangersRefusal(i, "10.0.0.1")) }
	for i := range floodAfter + 2 { // ten, the event that counts, and its first count
		if err := refuse(i).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var waiting []Pending
	for i := range 100 {
		waiting = append(waiting, refuse(100+i))
		if err := r.Append(keystile.Event{ID: fmt.Sprint("own", i)}).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, commits := sink.total(); commits != 1 {
		t.Errorf("%d commits of counts within an hour", commits)
	}
	for _, p := range waiting {
		select {
		case <-p.batch.done:
			t.Fatal("a count is said to be durable and is not")
		default:
		}
	}
	r.Close()
	for _, p := range waiting {
		if err := p.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const own = 100
	if events, refusals, commits := sink.total(); events != floodAfter+1+own || refusals != floodAfter+2+100+own || commits != 2 {
		t.Errorf("%d events for %d records, counts in %d commits", events, refusals, commits)
	}
}

// A flood of one who waits for each answer is slowed to the pace of the counts.
func TestCountsGoOnByThemselves(t *testing.T) {
	sink := &counting{}
	r := NewRecorder(sink, time.Now)
	r.countPace = 5 * time.Millisecond
	began := time.Now()
	for i := range 60 {
		if err := r.Refuse(strangersRefusal(i, "10.0.0.1")).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(began)
	r.Close()
	if _, refusals, commits := sink.total(); refusals != 60 || commits > int64(took/r.countPace)+1 {
		t.Errorf("%d refusals, counts in %d commits within %s", refusals, commits, took)
	}
}
