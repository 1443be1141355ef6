package audit

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
)

// sizes is a sink that notes how large the groups were.
type sizes struct {
	mu     sync.Mutex
	groups []int
}

func (s *sizes) Commit(_ context.Context, b Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups = append(s.groups, b.size())
	return nil
}
func (s *sizes) OpenEvents(context.Context) ([]keystile.Event, error) { return nil, nil }
func (s *sizes) CaughtUp(context.Context) error                       { return nil }

func intent(id string) keystile.Event {
	return keystile.Event{ID: id, Action: "s3.proxy.putobject", Open: true}
}

// With a wait that would never end, records go on as soon as none is missing
// that may still come: what nobody else can add to does not wait.
func TestAGroupWaitsOnlyForOthers(t *testing.T) {
	s := &sizes{}
	r := newRecorder(s, time.Now, time.Hour)
	defer r.Close()
	if err := r.Append(intent("a")).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Settle(keystile.Outcome{EventID: "a"}).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(s.groups) != 2 {
		t.Errorf("groups of %v records, want two of one", s.groups)
	}
}

// While others are at work and their records keep coming, one group takes them
// all; when they stop coming it goes on without the rest.
func TestAGroupGrowsWhileRecordsCome(t *testing.T) {
	const writers = 64
	s := &sizes{}
	r := newRecorder(s, time.Now, time.Hour)
	defer r.Close()
	r.mu.Lock()
	r.begun = 2 * writers // as many again are at their backends
	r.mu.Unlock()
	var pending []Pending
	for i := range writers {
		pending = append(pending, r.Append(intent(fmt.Sprint(i))))
	}
	for _, p := range pending {
		if err := p.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if total := len(s.groups); total > writers/2 {
		t.Errorf("%d records went in %d groups", writers, total)
	}
}

// What never came to be is not waited for.
func TestAFailedIntentIsNotWaitedFor(t *testing.T) {
	r := newRecorder(failing{}, time.Now, 0)
	defer r.Close()
	if err := r.Append(intent("a")).Wait(t.Context()); err == nil {
		t.Fatal("a failing sink took a record")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun != 0 {
		t.Errorf("%d events count as begun", r.begun)
	}
}

type failing struct{}

func (failing) Commit(context.Context, Batch) error                  { return ErrNoRoom }
func (failing) OpenEvents(context.Context) ([]keystile.Event, error) { return nil, nil }
func (failing) CaughtUp(context.Context) error                       { return nil }
