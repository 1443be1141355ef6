package storetest

import (
	"fmt"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func viewsOf(accountID string) func(store.Tx) ([]keystile.AuditView, error) {
	return func(tx store.Tx) ([]keystile.AuditView, error) { return tx.AuditViews(accountID) }
}

func viewOf(accountID, name, result string) keystile.AuditView {
	return keystile.AuditView{AccountID: accountID, Name: name, Filter: map[string]string{"result": result, "since": "24h"}, SavedAt: noon}
}

func saveView(t *testing.T, s store.Store, v keystile.AuditView) {
	t.Helper()
	write(t, s, func(tx store.Tx) error { return tx.SaveAuditView(v) })
}

func testAuditViews(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"those of an account come back by name on the other handle", func(t *testing.T, a, b store.Store) {
			createAccounts(t, a, "alice", "bob")
			saveView(t, a, viewOf("id-alice", "two", "denied"))
			saveView(t, a, viewOf("id-alice", "one", "error"))
			saveView(t, a, viewOf("id-bob", "one", "ok"))
			wantEqual(t, got(t, b, viewsOf("id-alice")), []keystile.AuditView{viewOf("id-alice", "one", "error"), viewOf("id-alice", "two", "denied")})
			wantEqual(t, got(t, b, viewsOf("id-bob")), []keystile.AuditView{viewOf("id-bob", "one", "ok")})
		}},
		{"saved again it is replaced", func(t *testing.T, a, b store.Store) {
			createAccounts(t, a, "alice")
			saveView(t, a, viewOf("id-alice", "one", "error"))
			saveView(t, b, viewOf("id-alice", "one", "denied"))
			wantEqual(t, got(t, a, viewsOf("id-alice")), []keystile.AuditView{viewOf("id-alice", "one", "denied")})
		}},
		{"removed it is gone, and an absent one is not found", func(t *testing.T, a, b store.Store) {
			createAccounts(t, a, "alice", "bob")
			saveView(t, a, viewOf("id-alice", "one", "error"))
			remove := func(account string) error {
				return tryWrite(t, b, func(tx store.Tx) error { return tx.DeleteAuditView(account, "one") })
			}
			wantErr(t, remove("id-bob"), keystile.ErrNotFound)
			must(t, remove("id-alice"))
			wantErr(t, remove("id-alice"), keystile.ErrNotFound)
			wantEqual(t, len(got(t, a, viewsOf("id-alice"))), 0)
		}},
	})
}

func testEventCounts(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"spans and results are counted apart", proveCounts},
		{"of too many the newest are counted", proveCountLimit},
		{"text counts what it finds", proveCountText},
		{"a count without bounds is invalid", proveCountBounds},
	})
}

// appendMinutes records one event in each of n minutes from noon; every third is
// denied.
func appendMinutes(t *testing.T, s store.Store, n int) keystile.EventFilter {
	t.Helper()
	var events []keystile.Event
	for i := range n {
		e := keystile.Event{
			ID: fmt.Sprintf("minute-%03d", i), Time: noon.Add(time.Duration(i) * time.Minute), Action: "s3.proxy.putobject", Result: keystile.ResultOK,
			Backend: "prod", Bucket: "b", Key: fmt.Sprintf("key%d", i%2),
		}
		if i%3 == 0 {
			e.Result = keystile.ResultDenied
		}
		events = append(events, e)
	}
	write(t, s, func(tx store.Tx) error { return tx.AppendEvents(events) })
	return keystile.EventFilter{Since: noon, Until: noon.Add(time.Duration(n) * time.Minute)}
}

func counted(f keystile.EventFilter, step time.Duration, limit int) func(store.Tx) (keystile.EventCounts, error) {
	return func(tx store.Tx) (keystile.EventCounts, error) { return tx.CountEvents(f, step, limit) }
}

func proveCounts(t *testing.T, a, b store.Store) {
	f := appendMinutes(t, a, 12)
	c := got(t, b, counted(f, 6*time.Minute, 100))
	wantEqual(t, c, keystile.EventCounts{From: noon, Step: 6 * time.Minute, Complete: true, Counts: []keystile.EventCount{
		{Span: 0, Result: keystile.ResultDenied, Events: 2}, {Span: 0, Result: keystile.ResultOK, Events: 4},
		{Span: 1, Result: keystile.ResultDenied, Events: 2}, {Span: 1, Result: keystile.ResultOK, Events: 4},
	}})
	f.Result, f.Bucket, f.Backend = keystile.ResultDenied, "b", "prod"
	f.Until = noon.Add(4 * time.Minute)
	wantEqual(t, got(t, b, counted(f, 6*time.Minute, 100)).Counts, []keystile.EventCount{{Span: 0, Result: keystile.ResultDenied, Events: 2}})
}

func proveCountLimit(t *testing.T, a, b store.Store) {
	f := appendMinutes(t, a, 12)
	c := got(t, b, counted(f, 6*time.Minute, 3))
	wantEqual(t, c.Complete, false)
	wantEqual(t, c.Since, noon.Add(9*time.Minute))
	wantEqual(t, c.Counts, []keystile.EventCount{{Span: 1, Result: keystile.ResultDenied, Events: 1}, {Span: 1, Result: keystile.ResultOK, Events: 2}})
}

func proveCountText(t *testing.T, a, b store.Store) {
	f := appendMinutes(t, a, 12)
	f.Text = "key1"
	wantEqual(t, got(t, b, counted(f, 12*time.Minute, 100)).Counts, []keystile.EventCount{
		{Span: 0, Result: keystile.ResultDenied, Events: 2}, {Span: 0, Result: keystile.ResultOK, Events: 4},
	})
}

func proveCountBounds(t *testing.T, a, _ store.Store) {
	hour := keystile.EventFilter{Since: noon, Until: noon.Add(time.Hour)}
	for name, c := range map[string]func(store.Tx) (keystile.EventCounts, error){
		"no beginning":   counted(keystile.EventFilter{Until: noon}, time.Minute, 10),
		"no end":         counted(keystile.EventFilter{Since: noon}, time.Minute, 10),
		"backwards":      counted(keystile.EventFilter{Since: noon, Until: noon}, time.Minute, 10),
		"no step":        counted(hour, 0, 10),
		"too many spans": counted(hour, time.Second, 10),
		"no limit":       counted(hour, time.Minute, 0),
	} {
		if _, err := tryGet(t, a, c); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			wantErr(t, err, keystile.ErrInvalid)
		}
	}
}
