package audit

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"keystile/internal/keystile"
)

func TestATailThatDoesNotKeepUpIsEnded(t *testing.T) {
	var all tails
	slow, err := all.add()
	if err != nil {
		t.Fatal(err)
	}
	quick, err := all.add()
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for n := range maxTailWeight + 1 {
		all.publish(Batch{Events: []keystile.Event{{ID: strconv.Itoa(n)}}}, nil)
		i, err := quick.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got += len(i.Events)
	}
	if got != maxTailWeight+1 {
		t.Errorf("the quick one got %d", got)
	}
	if _, err := slow.Next(t.Context()); !errors.Is(err, ErrTooSlow) {
		t.Errorf("the slow one: %v", err)
	}
	if len(slow.next.Events) != 0 {
		t.Error("its events are kept")
	}
}

func TestKeysOfAnEventHaveWeight(t *testing.T) {
	var all tails
	slow, err := all.add()
	if err != nil {
		t.Fatal(err)
	}
	for range maxTailWeight/1000 + 1 {
		all.publish(Batch{Events: []keystile.Event{{Detail: keystile.EventDetail{Keys: make([]string, 1000)}}}}, nil)
	}
	if _, err := slow.Next(t.Context()); !errors.Is(err, ErrTooSlow) {
		t.Errorf("%v", err)
	}
}

func TestTailsAreBoundedAndEndWithTheServer(t *testing.T) {
	trail := &Trail{index: &indexer{}}
	var first *Tail
	for n := range maxTails {
		one, err := trail.Follow()
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			first = one
		}
	}
	if _, err := trail.Follow(); !errors.Is(err, keystile.ErrThrottled) {
		t.Errorf("one more: %v", err)
	}
	first.Close()
	again, err := trail.Follow()
	if err != nil {
		t.Fatalf("in its place: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := again.Next(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("nothing came: %v", err)
	}
	trail.EndTails()
	if _, err := again.Next(t.Context()); !errors.Is(err, ErrTailsEnded) {
		t.Errorf("after the end: %v", err)
	}
	late, err := trail.Follow()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.Next(t.Context()); !errors.Is(err, ErrTailsEnded) {
		t.Errorf("one that comes late: %v", err)
	}
}

// What came by the outbox has its outcome in the store already, and is told of
// once.
func TestWhatFollowersAreToldOf(t *testing.T) {
	posted := keystile.Event{ID: "posted", Open: true}
	i := indexedOf(Batch{
		Events: []keystile.Event{{ID: "new"}}, Outcomes: []keystile.Outcome{{EventID: "old"}}, Tallies: []keystile.Tally{{EventID: "old"}, {EventID: "counted"}},
	}, []keystile.OutboxEntry{{Event: &posted}, {Outcome: &keystile.Outcome{EventID: "posted"}}})
	if len(i.Events) != 1 || i.Events[0].ID != "new" || len(i.Changed) != 3 || i.Changed[0] != "old" || i.Changed[1] != "counted" || i.Changed[2] != "posted" {
		t.Errorf("%+v", i)
	}
}
