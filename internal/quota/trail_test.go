package quota

import (
	"errors"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// trailTx is a store with a trail, which notes what is added up.
type trailTx struct {
	store.Tx
	events map[string]keystile.Event
	looked int
	added  map[string]int64
	fail   error
}

func (x *trailTx) Event(id string) (keystile.Event, error) {
	x.looked++
	e, ok := x.events[id]
	if !ok {
		return e, keystile.ErrNotFound
	}
	return e, nil
}

func (x *trailTx) AddSpent(id string, s keystile.Spend) error {
	x.added[id+" "+string(s.Per)+" "+s.Since.Format(time.DateOnly)] += s.Bytes
	return x.fail
}

func TestEachWriteIsAddedUpOnce(t *testing.T) {
	day := time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	spends := func(bytes int64, since time.Time) keystile.EventDetail {
		return keystile.EventDetail{AccessKeyID: "AK1", Spends: &keystile.Spend{Bytes: bytes, Per: keystile.PerDay, Since: since}}
	}
	x := &trailTx{added: map[string]int64{}, events: map[string]keystile.Event{
		"open": {ID: "open", Open: true, Detail: spends(900, day)}, "closed": {ID: "closed", Detail: spends(70, day)},
		"refused": {ID: "refused", Open: true, Detail: spends(5000, day)},
	}}
	events := []keystile.Event{
		{ID: "an intent", Open: true, Detail: spends(4000, day)},
		{ID: "closed with its intent", Detail: spends(1, day)},
		{ID: "of the day before", Detail: spends(20, day.Add(-24*time.Hour))},
		{ID: "spends nothing", Detail: keystile.EventDetail{AccessKeyID: "AK1", Bytes: 8}},
	}
	outcomes := []keystile.Outcome{
		{EventID: "open", Detail: spends(300, day)}, // less than its intent said
		{EventID: "closed", Detail: spends(70, day)},
		{EventID: "refused"},
		{EventID: "of no event", Detail: spends(6, day)},
	}
	if err := FromTrail(x, events, outcomes); err != nil {
		t.Fatal(err)
	}
	if len(x.added) != 2 || x.added["AK1 day 2026-03-14"] != 301 || x.added["AK1 day 2026-03-13"] != 20 {
		t.Errorf("added up: %v", x.added)
	}
	if x.looked != 3 {
		t.Errorf("%d events were looked up, want those that spend", x.looked)
	}
	x.fail = errors.New("disk full")
	if err := FromTrail(x, events, nil); !errors.Is(err, x.fail) {
		t.Errorf("got %v", err)
	}
}
