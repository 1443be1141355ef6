package storetest

import (
	"fmt"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func event(id string) keystile.Event {
	return keystile.Event{
		ID: id, Time: noon, Action: "s3.proxy.putobject", Result: keystile.ResultOK, Status: 200, Account: "anna",
		Backend: "main", Bucket: "uploads", Key: "2026/a.jpg", SourceIP: "192.0.2.7", UserAgent: "aws-cli/2", RequestID: "req-" + id,
		Detail: keystile.EventDetail{AccessKeyID: "AK1", Authenticated: true, Bytes: 42},
	}
}

func openEvent(id string) keystile.Event {
	e := event(id)
	e.Open, e.Result, e.Status = true, keystile.ResultUnknown, 0
	return e
}

func eventOf(id string) func(store.Tx) (keystile.Event, error) {
	return func(tx store.Tx) (keystile.Event, error) { return tx.Event(id) }
}

func appendEvents(t *testing.T, s store.Store, all ...keystile.Event) {
	t.Helper()
	write(t, s, func(tx store.Tx) error { return tx.AppendEvents(all) })
}

func testEvents(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"every field comes back on the other handle", proveEventFields},
		{"a batch of any size is kept whole and in its order", proveBatches},
		{"an id is taken once", proveEventUnique},
		{"hostile text is kept, what is not text is marked", proveEventText},
		{"an open event is closed once", proveCloseOnce},
		{"closing replaces result, status and detail alone", proveCloseFields},
		{"closing an absent event is not found", func(t *testing.T, a, _ store.Store) {
			appendEvents(t, a, openEvent("e1"))
			wantErr(t, tryWrite(t, a, func(tx store.Tx) error {
				return tx.CloseEvents([]keystile.Outcome{{EventID: "e1", Result: keystile.ResultOK}, {EventID: "none"}})
			}), keystile.ErrNotFound)
			wantEqual(t, got(t, a, eventOf("e1")), openEvent("e1"))
		}},
		{"open events are listed until they are closed", proveOpenEvents},
		{"tallies add up and never go back in time", proveTallies},
		{"the oldest are forgotten, but for open ones", proveRetirement},
		{"what a transaction records waits in the outbox", proveOutbox},
		{"nothing to do is no error", func(t *testing.T, a, _ store.Store) {
			write(t, a, func(tx store.Tx) error {
				must(t, tx.AppendEvents(nil))
				must(t, tx.CloseEvents(nil))
				return tx.AddTallies(nil)
			})
			_, err := tryGet(t, a, eventOf("e1"))
			wantErr(t, err, keystile.ErrNotFound)
		}},
	})
}

func proveEventFields(t *testing.T, a, b store.Store) {
	last := after(time.Hour)
	full := event("e1")
	full.Open = true
	full.Detail = keystile.EventDetail{
		AccessKeyID: "AKIA", Authenticated: true, Code: "AccessDenied", Message: "no", Bytes: 1 << 50, ETag: `"e"`,
		VersionID: "v", UploadID: "u", PartNumber: 10000, CopySource: "b/c/d", Keys: []string{"k1", "k 2 ✓"},
		DeniedKeys: []string{"x"}, FailedKeys: []string{"y"}, Anonymous: true, Count: 1 << 40, LastTime: &last,
		Target: "credential AK1", TokenID: "t1", Changes: map[string]string{"description": "a → b"},
	}
	bare := keystile.Event{ID: "e2", Action: "session.create", Result: keystile.ResultDenied}
	appendEvents(t, a, full, bare)
	wantEqual(t, got(t, b, eventOf("e1")), full)
	wantEqual(t, got(t, b, eventOf("e2")), bare)
	_, err := tryGet(t, b, eventOf("e3"))
	wantErr(t, err, keystile.ErrNotFound)
}

func proveBatches(t *testing.T, a, b store.Store) {
	var want []string
	for _, size := range []int{1, 2, 7, 8, 9, 15, 16, 17, 64, 333} {
		batch := make([]keystile.Event, size)
		for i := range batch {
			batch[i] = event(fmt.Sprintf("e%d-%d", size, i))
			want = append(want, batch[i].ID)
		}
		appendEvents(t, a, batch...)
	}
	wantEqual(t, reversed(trail(t, b, keystile.EventFilter{}, 1000)), want)
}

func proveEventUnique(t *testing.T, a, b store.Store) {
	appendEvents(t, a, event("e1"))
	other := event("e1")
	other.Action = "forged"
	for _, batch := range [][]keystile.Event{{other}, {event("e2"), other}, {event("e2"), event("e2")}} {
		wantErr(t, tryWrite(t, b, func(tx store.Tx) error { return tx.AppendEvents(batch) }), keystile.ErrConflict)
	}
	wantEqual(t, trail(t, a, keystile.EventFilter{}, 10), []string{"e1"})
	wantEqual(t, got(t, a, eventOf("e1")), event("e1"))
	appendEvents(t, b, event("e2"))
}

func proveEventText(t *testing.T, a, b store.Store) {
	for i, text := range hostileTexts {
		e := event(fmt.Sprint("e", i))
		e.Action, e.Account, e.Backend, e.Bucket, e.Key = text, text, text, text, text
		e.SourceIP, e.UserAgent, e.RequestID = text, text, text
		e.Detail.AccessKeyID, e.Detail.Message, e.Detail.Keys = text, text, []string{text}
		appendEvents(t, a, e)
		wantEqual(t, got(t, b, eventOf(e.ID)), e)
	}
	e := event("binary")
	e.Key, e.Account, e.UserAgent = "a\x00b", "\xff\xfe", "ok\xc3"
	e.Detail.AccessKeyID, e.Detail.Message = "AK\x80", "m\xff"
	appendEvents(t, a, e)
	stored := got(t, b, eventOf("binary"))
	wantEqual(t, []string{stored.Key, stored.Account, stored.UserAgent, stored.Detail.Message},
		[]string{"a\ufffdb", "\ufffd", "ok\ufffd", "m\ufffd"})
	wantEqual(t, trail(t, b, keystile.EventFilter{Key: "a\x00b"}, 10), []string{"binary"})
	wantEqual(t, trail(t, b, keystile.EventFilter{AccessKeyID: "AK\x80"}, 10), []string{"binary"})
}

func proveCloseOnce(t *testing.T, a, b store.Store) {
	appendEvents(t, a, openEvent("e1"), openEvent("e2"), event("closed"))
	closeAs := func(id string, result keystile.Result, status int) {
		t.Helper()
		write(t, a, func(tx store.Tx) error {
			return tx.CloseEvents([]keystile.Outcome{{EventID: id, Result: result, Status: status}})
		})
	}
	closeAs("e1", keystile.ResultError, 500)
	closeAs("e1", keystile.ResultOK, 200)
	e := got(t, b, eventOf("e1"))
	if e.Open || e.Result != keystile.ResultError || e.Status != 500 {
		t.Errorf("after two outcomes: %+v", e)
	}
	closeAs("closed", keystile.ResultDenied, 403)
	wantEqual(t, got(t, b, eventOf("closed")), event("closed"))
	wantEqual(t, got(t, b, eventOf("e2")), openEvent("e2"))
}

func proveCloseFields(t *testing.T, a, b store.Store) {
	appendEvents(t, a, openEvent("e1"), openEvent("e2"))
	last := after(time.Minute)
	detail := keystile.EventDetail{AccessKeyID: "AK9", Code: "NoSuchKey", ETag: `"x"`, Count: 3, LastTime: &last}
	write(t, b, func(tx store.Tx) error {
		return tx.CloseEvents([]keystile.Outcome{
			{EventID: "e2", Result: keystile.ResultDenied, Status: 403},
			{EventID: "e1", Result: keystile.ResultOK, Status: 200, Detail: detail},
		})
	})
	want := event("e1")
	want.Detail = detail
	wantEqual(t, got(t, a, eventOf("e1")), want)
	wantEqual(t, got(t, a, eventOf("e2")).Detail, keystile.EventDetail{})
	wantEqual(t, trail(t, a, keystile.EventFilter{AccessKeyID: "AK9"}, 10), []string{"e1"}) // searching sees the new detail
	wantEqual(t, trail(t, a, keystile.EventFilter{AccessKeyID: "AK1"}, 10), nil)
	wantEqual(t, trail(t, a, keystile.EventFilter{Result: keystile.ResultUnknown}, 10), nil)
}

func proveOpenEvents(t *testing.T, a, b store.Store) {
	open := func(tx store.Tx) ([]keystile.Event, error) { return tx.OpenEvents() }
	wantEqual(t, len(got(t, b, open)), 0)
	appendEvents(t, a, openEvent("e2"), event("done"), openEvent("e1"))
	wantEqual(t, got(t, b, open), []keystile.Event{openEvent("e2"), openEvent("e1")})
	write(t, a, func(tx store.Tx) error {
		return tx.CloseEvents([]keystile.Outcome{{EventID: "e2", Result: keystile.ResultUnknown}})
	})
	wantEqual(t, got(t, b, open), []keystile.Event{openEvent("e1")})
	write(t, a, func(tx store.Tx) error {
		return tx.CloseEvents([]keystile.Outcome{{EventID: "e2", Result: keystile.ResultOK, Status: 200}})
	})
	wantEqual(t, got(t, b, eventOf("e2")).Result, keystile.ResultUnknown) // too late
}

func proveTallies(t *testing.T, a, b store.Store) {
	first := after(time.Second)
	flood := event("flood")
	flood.Detail.Count, flood.Detail.LastTime = 1, &first
	appendEvents(t, a, flood, event("other"))
	add := func(tallies ...keystile.Tally) error {
		return tryWrite(t, a, func(tx store.Tx) error { return tx.AddTallies(tallies) })
	}
	last := after(time.Hour)
	must(t, add(keystile.Tally{EventID: "flood", Add: 5, Last: after(time.Minute)}, keystile.Tally{EventID: "flood", Add: 4, Last: last}))
	must(t, add(keystile.Tally{EventID: "flood", Add: 90, Last: after(-time.Hour)}))
	want := flood
	want.Detail.Count, want.Detail.LastTime = 100, &last
	wantEqual(t, got(t, b, eventOf("flood")), want)
	wantEqual(t, got(t, b, eventOf("other")), event("other"))
	wantErr(t, add(keystile.Tally{EventID: "flood", Add: 1, Last: last}, keystile.Tally{EventID: "none", Add: 1}), keystile.ErrNotFound)
	wantEqual(t, got(t, b, eventOf("flood")), want)
}

func proveRetirement(t *testing.T, a, b store.Store) {
	var all []keystile.Event
	for i := range 6 {
		e := event(fmt.Sprint("e", i))
		e.Time = after(time.Duration(i) * time.Hour)
		all = append(all, e)
	}
	all[0].Time = after(9 * time.Hour) // by a clock that was set back
	all[1].Open = true
	appendEvents(t, a, all...)
	retire := func(limit int) (n int) {
		write(t, a, func(tx store.Tx) (err error) {
			n, err = tx.RetireEvents(after(4*time.Hour), limit)
			return err
		})
		return n
	}
	wantEqual(t, []int{retire(1), retire(10), retire(10)}, []int{1, 1, 0})
	left := []string{"e5", "e4", "e1", "e0"}
	wantEqual(t, trail(t, b, keystile.EventFilter{}, 10), left)
	wantEqual(t, trail(t, b, keystile.EventFilter{AccessKeyID: "AK1", Since: noon}, 10), left)
	wantEqual(t, trail(t, b, keystile.EventFilter{Text: "2026"}, 10), []string{"e5", "e4", "e0"})
	write(t, a, func(tx store.Tx) error { return tx.CloseEvents([]keystile.Outcome{{EventID: "e1"}}) })
	wantEqual(t, []int{retire(10), retire(10)}, []int{1, 0})
}
