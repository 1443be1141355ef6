package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func testEventPages(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"the newest appended comes first, whatever its time", proveAppendOrder},
		{"each filter finds its events and no others", proveFilters},
		{"filters together find what passes them all", proveCombined},
		{"text finds the words of key and detail", proveWords},
		{"an action prefix is a prefix and no pattern", proveActionPrefix},
		{"a time range holds its beginning and not its end", proveTimeRange},
		{"a time range holds over clocks that were set", proveSetClocks},
		{"pages hold every event once", provePages},
		{"filtered pages hold every event once", proveFilteredPages},
		{"pages do not shift while events are appended", proveStablePages},
		{"the last page has no cursor", proveLastPage},
		{"a cursor that no page gave is invalid", proveCursors},
		{"a limit out of its bounds is invalid", proveLimits},
	})
}

func page(t *testing.T, s store.Store, p keystile.EventPage) (ids []string, next string) {
	t.Helper()
	must(t, s.Read(t.Context(), func(tx store.Tx) error {
		events, cursor, err := tx.Events(p)
		for _, e := range events {
			ids = append(ids, e.ID)
		}
		next = cursor
		return err
	}))
	return ids, next
}

// trail reads all pages of a size.
func trail(t *testing.T, s store.Store, f keystile.EventFilter, size int) []string {
	t.Helper()
	var all []string
	for cursor := ""; ; {
		ids, next := page(t, s, keystile.EventPage{Filter: f, Limit: size, Cursor: cursor})
		if len(ids) > size {
			t.Fatalf("a page of %d has %d events", size, len(ids))
		}
		all = append(all, ids...)
		if next == "" {
			return all
		}
		if len(ids) < size {
			t.Fatalf("a page of %d has %d events and a next one, of a short trail", size, len(ids))
		}
		cursor = next
	}
}

func reversed(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Reverse(ids)
	return ids
}

func proveAppendOrder(t *testing.T, a, b store.Store) {
	wantEqual(t, trail(t, a, keystile.EventFilter{}, 10), nil)
	for i, offset := range []time.Duration{0, time.Hour, -time.Hour, 0} {
		e := event(fmt.Sprint("e", i))
		e.Time = after(offset)
		appendEvents(t, []store.Store{a, b}[i%2], e)
	}
	for _, s := range []store.Store{a, b} {
		wantEqual(t, trail(t, s, keystile.EventFilter{}, 10), []string{"e3", "e2", "e1", "e0"})
	}
}

// variety is events that differ from event("base") in one field each.
func variety() []keystile.Event {
	var all []keystile.Event
	add := func(id string, change func(*keystile.Event)) {
		e := event(id)
		change(&e)
		all = append(all, e)
	}
	add("base", func(*keystile.Event) {})
	add("action", func(e *keystile.Event) { e.Action = "credential.create" })
	add("key-id", func(e *keystile.Event) { e.Detail.AccessKeyID = "AK2" })
	add("account", func(e *keystile.Event) { e.Account = "bert" })
	add("backend", func(e *keystile.Event) { e.Backend = "cold" })
	add("bucket", func(e *keystile.Event) { e.Bucket = "reports" })
	add("key", func(e *keystile.Event) { e.Key = "2026/b.jpg" })
	add("result", func(e *keystile.Event) { e.Result = keystile.ResultDenied })
	add("request", func(e *keystile.Event) { e.RequestID = "another" })
	add("time", func(e *keystile.Event) { e.Time = after(time.Hour) })
	add("blank", func(e *keystile.Event) {
		*e = keystile.Event{ID: "blank", Time: noon, Action: "server.start", Result: keystile.ResultOK}
	})
	return all
}

func proveFilters(t *testing.T, a, b store.Store) {
	appendEvents(t, a, variety()...)
	but := func(ids ...string) []string {
		var rest []string
		for _, e := range variety() {
			if !slices.Contains(ids, e.ID) {
				rest = append(rest, e.ID)
			}
		}
		return reversed(rest)
	}
	for _, tt := range []struct {
		name   string
		filter keystile.EventFilter
		want   []string
	}{
		{"none", keystile.EventFilter{}, but()},
		{"action prefix", keystile.EventFilter{ActionPrefix: "s3.proxy."}, but("action", "blank")},
		{"whole action", keystile.EventFilter{ActionPrefix: "credential.create"}, []string{"action"}},
		{"access key", keystile.EventFilter{AccessKeyID: "AK2"}, []string{"key-id"}},
		{"common access key", keystile.EventFilter{AccessKeyID: "AK1"}, but("key-id", "blank")},
		{"account", keystile.EventFilter{Account: "bert"}, []string{"account"}},
		{"backend", keystile.EventFilter{Backend: "cold"}, []string{"backend"}},
		{"common backend", keystile.EventFilter{Backend: "main"}, but("backend", "blank")},
		{"bucket", keystile.EventFilter{Bucket: "reports"}, []string{"bucket"}},
		{"backend and bucket", keystile.EventFilter{Backend: "main", Bucket: "uploads"}, but("backend", "bucket", "blank")},
		{"key", keystile.EventFilter{Key: "2026/b.jpg"}, []string{"key"}},
		{"result", keystile.EventFilter{Result: keystile.ResultDenied}, []string{"result"}},
		{"result ok", keystile.EventFilter{Result: keystile.ResultOK}, but("result")},
		{"request", keystile.EventFilter{RequestID: "another"}, []string{"request"}},
		{"since", keystile.EventFilter{Since: after(time.Minute)}, []string{"time"}},
		{"until", keystile.EventFilter{Until: after(time.Minute)}, but("time")},
		{"no such action", keystile.EventFilter{ActionPrefix: "s3.proxy.x"}, nil},
		{"no such access key", keystile.EventFilter{AccessKeyID: "ak1"}, nil},
		{"part of an access key", keystile.EventFilter{AccessKeyID: "AK"}, nil},
		{"no such account", keystile.EventFilter{Account: "ann"}, nil},
		{"no such backend", keystile.EventFilter{Backend: "mai"}, nil},
		{"bucket of another backend", keystile.EventFilter{Backend: "cold", Bucket: "reports"}, nil},
		{"part of a key", keystile.EventFilter{Key: "2026/"}, nil},
		{"no such result", keystile.EventFilter{Result: keystile.ResultUnknown}, nil},
		{"no such request", keystile.EventFilter{RequestID: "ANOTHER"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 3, 1000} {
				wantEqual(t, trail(t, b, tt.filter, size), tt.want)
			}
		})
	}
}

// texts are events that differ in what they are found by.
func texts() []keystile.Event {
	one := event("one")
	one.Key = "Reports/2026-11/invoice_77.PDF"
	two := event("two")
	two.Key, two.Bucket = "photos/übung.jpg", "other"
	two.Detail.Keys, two.Detail.ETag = []string{"2026/invoices/a.txt"}, `"0123456789abcdef0123"`
	three := event("three")
	three.Key, three.Action, three.Account, three.Result = "", "credential.create", "bert", keystile.ResultDenied
	three.Detail = keystile.EventDetail{Target: "credential AK9", Changes: map[string]string{"description": "for invoices"}}
	running := openEvent("running")
	running.Key = "invoice.txt"
	return []keystile.Event{one, two, three, running}
}

func proveWords(t *testing.T, a, b store.Store) {
	appendEvents(t, a, texts()...)
	for _, tt := range []struct {
		name   string
		filter keystile.EventFilter
		want   []string
	}{
		{"a word of the key, in any case", keystile.EventFilter{Text: "pdf"}, []string{"one"}},
		{"how a word begins", keystile.EventFilter{Text: "INV"}, []string{"three", "two", "one"}},
		{"its end is not enough", keystile.EventFilter{Text: "voice"}, nil},
		{"all words, in any order", keystile.EventFilter{Text: "invoice 2026"}, []string{"two", "one"}},
		{"as a key is written", keystile.EventFilter{Text: "reports/2026-11"}, []string{"one"}},
		{"other scripts", keystile.EventFilter{Text: "ÜBU"}, []string{"two"}},
		{"more of a word than is indexed", keystile.EventFilter{Text: "0123456789abcdef01"}, []string{"two"}},
		{"no word goes on like that", keystile.EventFilter{Text: "0123456789abcdef02"}, nil},
		{"names of fields are no words", keystile.EventFilter{Text: "authenticated"}, nil},
		{"what the query language means is text", keystile.EventFilter{Text: `invoice" OR "*`}, nil},
		{"with a filter", keystile.EventFilter{Text: "inv", Backend: "main", Bucket: "other"}, []string{"two"}},
		{"with every filter", keystile.EventFilter{Text: "inv", Account: "bert", Result: keystile.ResultDenied, ActionPrefix: "credential."}, []string{"three"}},
		{"with an access key", keystile.EventFilter{Text: "inv", AccessKeyID: "AK1"}, []string{"two", "one"}},
		{"of one key", keystile.EventFilter{Text: "invoices", Key: "photos/übung.jpg"}, []string{"two"}},
		{"with a time", keystile.EventFilter{Text: "inv", Since: after(time.Minute)}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 1000} {
				wantEqual(t, trail(t, b, tt.filter, size), tt.want)
			}
		})
	}
	write(t, b, func(tx store.Tx) error {
		return tx.CloseEvents([]keystile.Outcome{{EventID: "running", Result: keystile.ResultOK, Detail: keystile.EventDetail{ETag: "e77"}}})
	})
	wantEqual(t, trail(t, a, keystile.EventFilter{Text: "invoice e77", Result: keystile.ResultOK}, 10), []string{"running"})
	for _, text := range []string{"-", strings.Repeat("a", keystile.MaxTextBytes+1)} {
		_, err := tryGet(t, a, func(tx store.Tx) (string, error) {
			_, next, err := tx.Events(keystile.EventPage{Filter: keystile.EventFilter{Text: text}, Limit: 1})
			return next, err
		})
		wantErr(t, err, keystile.ErrInvalid)
	}
}

func proveCombined(t *testing.T, a, b store.Store) {
	appendEvents(t, a, variety()...)
	whole := keystile.EventFilter{ActionPrefix: "s3.", AccessKeyID: "AK1", Account: "anna", Backend: "main", Bucket: "uploads",
		Key: "2026/a.jpg", Result: keystile.ResultOK, RequestID: "req-base", Since: noon, Until: after(time.Minute)}
	wantEqual(t, trail(t, b, whole, 10), []string{"base"})
	for name, spoil := range map[string]func(*keystile.EventFilter){
		"action":     func(f *keystile.EventFilter) { f.ActionPrefix = "credential." },
		"access key": func(f *keystile.EventFilter) { f.AccessKeyID = "AK2" },
		"account":    func(f *keystile.EventFilter) { f.Account = "bert" },
		"backend":    func(f *keystile.EventFilter) { f.Backend = "cold" },
		"bucket":     func(f *keystile.EventFilter) { f.Bucket = "reports" },
		"key":        func(f *keystile.EventFilter) { f.Key = "2026/b.jpg" },
		"result":     func(f *keystile.EventFilter) { f.Result = keystile.ResultDenied },
		"request":    func(f *keystile.EventFilter) { f.RequestID = "none" },
		"since":      func(f *keystile.EventFilter) { f.Since = after(time.Microsecond) },
		"until":      func(f *keystile.EventFilter) { f.Until = noon },
	} {
		f := whole
		spoil(&f)
		if ids := trail(t, b, f, 10); len(ids) != 0 {
			t.Errorf("another %s: found %v", name, ids)
		}
	}
	// Each narrower search finds the same event by another way.
	for _, f := range []keystile.EventFilter{
		{Key: "2026/a.jpg", AccessKeyID: "AK1", RequestID: "req-base"},
		{AccessKeyID: "AK2", Account: "anna", Backend: "main"},
		{Backend: "cold", Bucket: "uploads", Account: "anna"},
		{Account: "bert", Result: keystile.ResultOK, ActionPrefix: "s3.proxy.put"},
		{Result: keystile.ResultDenied, ActionPrefix: "s3.", Backend: "main"},
		{ActionPrefix: "credential.", Backend: "main", Since: noon},
		{Since: after(time.Hour), Backend: "main", Result: keystile.ResultOK},
	} {
		if ids := trail(t, b, f, 10); len(ids) != 1 {
			t.Errorf("%+v: found %v, want one", f, ids)
		}
	}
}

func proveActionPrefix(t *testing.T, a, b store.Store) {
	actions := []string{"s3.proxy.getobject", "s3.proxy.getobjecttagging", "s3xproxy.getobject", "S3.PROXY.GETOBJECT",
		"s3.proxy", "s3.", "s3", "s4.proxy", "session.create", "session.delete", "s%", "s_"}
	var all []keystile.Event
	for _, action := range actions {
		e := event("of " + action)
		e.Action = action
		all = append(all, e)
	}
	appendEvents(t, a, all...)
	for prefix, want := range map[string][]string{
		"s3.proxy.":          {"s3.proxy.getobject", "s3.proxy.getobjecttagging"},
		"s3.proxy.getobject": {"s3.proxy.getobject", "s3.proxy.getobjecttagging"},
		"s3.":                {"s3.proxy.getobject", "s3.proxy.getobjecttagging", "s3.proxy", "s3."},
		"s3":                 {"s3.proxy.getobject", "s3.proxy.getobjecttagging", "s3xproxy.getobject", "s3.proxy", "s3.", "s3"},
		"session.":           {"session.create", "session.delete"},
		"s%":                 {"s%"},
		"s_":                 {"s_"},
		"t":                  nil,
		"s3.proxy.z":         nil,
	} {
		var ids []string
		for _, action := range want {
			ids = append(ids, "of "+action)
		}
		for _, size := range []int{1, 100} {
			wantEqual(t, trail(t, b, keystile.EventFilter{ActionPrefix: prefix}, size), reversed(ids))
		}
	}

	var many []keystile.Event // more actions of one prefix than an engine would look up singly
	var want []string
	for i := range 120 {
		e := event(fmt.Sprint("many", i))
		e.Action = fmt.Sprintf("many.verb%d", i%60)
		many = append(many, e)
		want = append(want, e.ID)
	}
	appendEvents(t, a, many...)
	wantEqual(t, trail(t, b, keystile.EventFilter{ActionPrefix: "many."}, 7), reversed(want))
	wantEqual(t, trail(t, b, keystile.EventFilter{ActionPrefix: "many.verb5"}, 7), reversed(withVerb5(many)))
}

func withVerb5(all []keystile.Event) []string {
	var ids []string
	for _, e := range all {
		if e.Action == "many.verb5" || len(e.Action) == len("many.verb50") && e.Action[:10] == "many.verb5" {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

func proveTimeRange(t *testing.T, a, b store.Store) {
	for i := range 5 {
		e := event(fmt.Sprint("e", i))
		e.Time = after(time.Duration(i) * time.Microsecond)
		appendEvents(t, a, e)
	}
	at := func(i int) time.Time { return after(time.Duration(i) * time.Microsecond) }
	zone := time.FixedZone("UTC-3", -3*3600)
	for _, tt := range []struct {
		since, until time.Time
		want         []string
	}{
		{at(1), at(3), []string{"e2", "e1"}},
		{at(1), time.Time{}, []string{"e4", "e3", "e2", "e1"}},
		{time.Time{}, at(1), []string{"e0"}},
		{at(1).In(zone), at(3).In(zone), []string{"e2", "e1"}},
		{at(2), at(2), nil},
		{at(3), at(1), nil},
		{at(5), time.Time{}, nil},
		{time.Time{}, at(0), nil},
	} {
		wantEqual(t, trail(t, b, keystile.EventFilter{Since: tt.since, Until: tt.until}, 2), tt.want)
	}
}

// proveSetClocks spreads events so far that an engine cannot take their order
// for that of their times.
func proveSetClocks(t *testing.T, a, b store.Store) {
	const many = 8500
	var want []string
	for from := 0; from < many; from += 500 {
		batch := make([]keystile.Event, 500)
		for i := range batch {
			n := from + i
			e := event(fmt.Sprint("e", n))
			e.Time = after(time.Duration(n) * time.Second)
			if n%2800 == 7 { // its clock ran a day behind
				e.Time = after(-24 * time.Hour)
				want = append(want, e.ID)
			}
			batch[i] = e
		}
		appendEvents(t, a, batch...)
	}
	wantEqual(t, trail(t, b, keystile.EventFilter{Until: noon}, 2), reversed(want))
	wantEqual(t, trail(t, b, keystile.EventFilter{Since: after(5000 * time.Second), Until: after(5003 * time.Second)}, 2),
		[]string{"e5002", "e5001", "e5000"})
	wantEqual(t, trail(t, b, keystile.EventFilter{Since: after((many - 2) * time.Second)}, 10), []string{"e8499", "e8498"})
	wantEqual(t, len(trail(t, b, keystile.EventFilter{Until: after(1000 * time.Second)}, 100)), 1000-1+len(want))
}

func provePages(t *testing.T, a, b store.Store) {
	var want []string
	for i := range 25 {
		e := event(fmt.Sprint("e", i))
		want = append(want, e.ID)
		appendEvents(t, a, e)
	}
	for _, size := range []int{1, 2, 5, 24, 25, 26, 1000} {
		wantEqual(t, trail(t, b, keystile.EventFilter{}, size), reversed(want))
	}
}

func proveFilteredPages(t *testing.T, a, b store.Store) {
	var all []keystile.Event
	var want []string
	for i := range 60 {
		e := event(fmt.Sprint("e", i))
		e.Action = []string{"session.create", "s3.proxy.getobject", "session.delete"}[i%3]
		if i%3 != 1 {
			want = append(want, e.ID)
		}
		all = append(all, e)
	}
	appendEvents(t, a, all...)
	for _, f := range []keystile.EventFilter{
		{ActionPrefix: "session."}, {ActionPrefix: "session.", Account: "anna"},
		{ActionPrefix: "session.", Since: noon, Until: after(time.Hour)},
	} {
		for _, size := range []int{1, 7, 39, 40, 41} {
			wantEqual(t, trail(t, b, f, size), reversed(want))
		}
	}
}

func proveStablePages(t *testing.T, a, b store.Store) {
	var want []string
	for i := range 9 {
		e := event(fmt.Sprint("e", i))
		want = append(want, e.ID)
		appendEvents(t, a, e)
	}
	var all []string
	for cursor, n := "", 0; ; n++ {
		ids, next := page(t, b, keystile.EventPage{Limit: 2, Cursor: cursor})
		all = append(all, ids...)
		if next == "" {
			break
		}
		cursor = next
		appendEvents(t, a, event(fmt.Sprint("later", n)))
	}
	wantEqual(t, all, reversed(want))
}

func proveLastPage(t *testing.T, a, b store.Store) {
	appendEvents(t, a, event("e1"), event("e2"), event("e3"), event("e4"))
	ids, next := page(t, b, keystile.EventPage{Limit: 4})
	if len(ids) != 4 || next != "" {
		t.Errorf("%v and cursor %q, want all and none", ids, next)
	}
	ids, next = page(t, b, keystile.EventPage{Limit: 2})
	if len(ids) != 2 || next == "" {
		t.Fatalf("%v and cursor %q, want two and one", ids, next)
	}
	ids, next = page(t, b, keystile.EventPage{Limit: 2, Cursor: next})
	if len(ids) != 2 || next != "" {
		t.Errorf("%v and cursor %q, want two and none", ids, next)
	}
	ids, next = page(t, b, keystile.EventPage{Limit: 2, Filter: keystile.EventFilter{Account: "nobody"}})
	if len(ids) != 0 || next != "" {
		t.Errorf("%v and cursor %q, want none", ids, next)
	}
}

func invalidPage(t *testing.T, s store.Store, p keystile.EventPage) {
	t.Helper()
	err := s.Read(t.Context(), func(tx store.Tx) error {
		events, next, err := tx.Events(p)
		if len(events) != 0 || next != "" {
			t.Errorf("%+v gave %d events and cursor %q", p, len(events), next)
		}
		return err
	})
	wantErr(t, err, keystile.ErrInvalid)
}

func proveCursors(t *testing.T, a, _ store.Store) {
	appendEvents(t, a, event("e1"), event("e2"), event("e3"))
	_, cursor := page(t, a, keystile.EventPage{Limit: 1})
	bad := []string{"0", "2", "-1", "e2", " ", "AAAAAAAAAAI", "x" + cursor, cursor + "x", cursor + "=", cursor[1:], cursor[:len(cursor)-1],
		cursor + cursor, " " + cursor, cursor + "\n"}
	for i := range cursor {
		bad = append(bad, cursor[:i]+string(flipped(cursor[i]))+cursor[i+1:])
	}
	for _, c := range bad {
		invalidPage(t, a, keystile.EventPage{Limit: 1, Cursor: c})
	}
	ids, _ := page(t, a, keystile.EventPage{Limit: 1, Cursor: cursor})
	wantEqual(t, ids, []string{"e2"})
}

// flipped is another letter or digit.
func flipped(c byte) byte {
	if c == 'A' {
		return 'B'
	}
	return 'A'
}

func proveLimits(t *testing.T, a, _ store.Store) {
	appendEvents(t, a, event("e1"))
	for _, limit := range []int{0, -1, 1001, 1 << 40} {
		invalidPage(t, a, keystile.EventPage{Limit: limit})
	}
	for _, limit := range []int{1, 1000} {
		ids, _ := page(t, a, keystile.EventPage{Limit: limit})
		wantEqual(t, ids, []string{"e1"})
	}
}
