package sqlstore

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/seal"
)

// pageBudget is how long a page of the trail may take at any size of it.
const pageBudget = 200 * time.Millisecond

// endedEvent is a gatewayEvent that is closed, one in a hundred refused, one in
// ten thousand an act of the control plane, one at another backend. Of two accounts one only writes, the
// other only reads: two halves of the trail that never meet.
func endedEvent(n int) keystile.Event {
	e := gatewayEvent(n)
	e.Open, e.Result, e.Status = false, keystile.ResultOK, 200
	e.Detail.ETag = fmt.Sprintf(`"%016x%016x"`, uint64(n+1)*0x9E3779B97F4A7C15, uint64(n+1)*0xC2B2AE3D27D4EB4F)
	if n%2 == 1 {
		e.Account, e.Action = "bert", "s3.proxy.getobject"
	}
	switch {
	case n%10_000 == 17:
		e.Action, e.Bucket, e.Key = "credential.create", "", ""
		e.Detail.Target = "photo archive"
	case n == 3:
		e.Backend = "other"
	case n%100 == 18:
		e.Result, e.Status, e.Detail.Code = keystile.ResultDenied, 403, "AccessDenied"
	}
	return e
}

// fillTrail appends n events. Where there are many, the indexes are made when all
// are there: kept up on the way, by ever fuller pages that no cache holds, they
// would take hours and end up the same.
func fillTrail(t *testing.T, db *DB, n int) {
	t.Helper()
	if testing.Short() {
		t.Skip("fills a trail, which takes a minute under the race detector: runs without -short")
	}
	var made []string
	rows, err := db.readers.QueryContext(t.Context(), `SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'events' AND sql IS NOT NULL`)
	must(t, err)
	for rows.Next() {
		var text string
		must(t, rows.Scan(&text))
		made = append(made, text)
	}
	must(t, rows.Err())
	must(t, rows.Close())
	for _, text := range made {
		var name string
		_, err := fmt.Sscanf(text, "CREATE INDEX %s", &name)
		must(t, err)
		_, err = db.writer.ExecContext(t.Context(), "DROP INDEX "+name)
		must(t, err)
	}
	began := time.Now()
	for at := 0; at < n; {
		events := make([]keystile.Event, min(5000, n-at))
		for i := range events {
			events[i] = endedEvent(at + i)
		}
		at += len(events)
		must(t, db.Write(t.Context(), func(tx store.Tx) error { return tx.IndexEvents(events) }))
		if at%1_000_000 == 0 {
			t.Logf("%d events after %s", at, time.Since(began).Round(time.Second))
		}
	}
	for _, text := range made {
		_, err := db.writer.ExecContext(t.Context(), text)
		must(t, err)
	}
	t.Logf("%d events and their indexes after %s", n, time.Since(began).Round(time.Second))
}

// vastTrail has as many events as KEYSTILE_SOAK_EVENTS says, or few; only then
// times are asserted. It is kept in the file that KEYSTILE_SOAK_TRAIL names, if any.
func vastTrail(t *testing.T) (db *DB, n int, asserted bool) {
	t.Helper()
	n = 12_000 // more than a page checks
	if text := os.Getenv("KEYSTILE_SOAK_EVENTS"); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		must(t, err)
		asserted = true
	}
	path := filepath.Join(t.TempDir(), "keystile.db")
	if kept := os.Getenv("KEYSTILE_SOAK_TRAIL"); kept != "" {
		path = kept // of an earlier run, or for a later one
	}
	key, err := seal.ParseKey(strings.Repeat("5a", seal.KeyBytes))
	must(t, err)
	db = openAt(t, path, ringOf(t, key))
	var there int
	must(t, db.readers.QueryRowContext(t.Context(), `SELECT coalesce(max(seq), 0) FROM events`).Scan(&there))
	switch there {
	case 0:
		fillTrail(t, db, n)
	case n:
		t.Logf("the %d events of an earlier run", n)
	default:
		t.Fatalf("%s has %d events, not %d", path, there, n)
	}
	info, err := os.Stat(path)
	must(t, err)
	t.Logf("%d MiB, %d bytes for each event", info.Size()>>20, info.Size()/int64(n))
	return db, n, asserted
}

// TestAVastTrail asks for pages of a trail of KEYSTILE_SOAK_EVENTS events, with
// every filter and with text: none may take longer than pageBudget there. Without
// that variable the trail is small, and no time is asserted.
func TestAVastTrail(t *testing.T) {
	db, n, asserted := vastTrail(t)
	at := func(n int) time.Time { return gatewayEvent(n).Time }
	one := endedEvent(n / 3)
	for _, tt := range []struct {
		name   string
		filter keystile.EventFilter
		rows   int // of the first page; 0: any but none
	}{
		{"all", keystile.EventFilter{}, 100},
		{"one key", keystile.EventFilter{Key: one.Key}, 1},
		{"one request", keystile.EventFilter{RequestID: one.RequestID}, 1},
		{"an access key", keystile.EventFilter{AccessKeyID: one.Detail.AccessKeyID}, 0},
		{"a bucket", keystile.EventFilter{Backend: "main", Bucket: one.Bucket}, 100},
		{"refusals", keystile.EventFilter{Result: keystile.ResultDenied}, 100},
		{"refusals of an access key", keystile.EventFilter{Result: keystile.ResultDenied, AccessKeyID: endedEvent(18).Detail.AccessKeyID}, 0},
		{"a rare action", keystile.EventFilter{ActionPrefix: "credential."}, 0},
		{"an hour", keystile.EventFilter{Since: at(n / 2), Until: at(n/2 + 3600)}, 100},
		{"the account in an hour", keystile.EventFilter{Account: "anna", Since: at(n / 2), Until: at(n/2 + 3600)}, 100},
		{"a word of every event", keystile.EventFilter{Text: "photo"}, 100},
		{"how a word of every event begins", keystile.EventFilter{Text: "phot"}, 100},
		{"one letter", keystile.EventFilter{Text: "j"}, 100},
		{"a word of one event", keystile.EventFilter{Text: one.Detail.ETag}, 1},
		{"a key as text", keystile.EventFilter{Text: one.Key}, 0},
		{"words that never meet", keystile.EventFilter{Text: "archive jpg"}, -1},
		{"common words that never meet", keystile.EventFilter{Text: "photo", AccessKeyID: one.Detail.AccessKeyID, Backend: "main", Bucket: endedEvent(n/3 + 1).Bucket}, -1},
		{"filters that never meet", keystile.EventFilter{AccessKeyID: one.Detail.AccessKeyID, Backend: "main", Bucket: endedEvent(n/3 + 1).Bucket}, -1},
		{"no such word", keystile.EventFilter{Text: "zebra"}, -1},
		{"a common word of an access key", keystile.EventFilter{Text: "photo", AccessKeyID: one.Detail.AccessKeyID}, 0},
		{"a common word of a bucket, refused", keystile.EventFilter{Text: "photo", Backend: "main", Bucket: "bucket-18", Result: keystile.ResultDenied}, 0},
		{"a common word and a rare action", keystile.EventFilter{Text: "photo", ActionPrefix: "credential."}, 0},
		{"the beginning of no word", keystile.EventFilter{Text: "photograph"}, -1},
		{"a common word in an hour", keystile.EventFilter{Text: "photo", Since: at(n / 2), Until: at(n/2 + 3600)}, 100},
	} {
		first, later := pageTimes(t, db, tt.filter, tt.rows)
		t.Logf("%-40s first page %9s, later ones %9s", tt.name, first.Round(10*time.Microsecond), later.Round(10*time.Microsecond))
		if asserted && max(first, later) > pageBudget {
			t.Errorf("%s: a page took longer than %s", tt.name, pageBudget)
		}
	}
}

// one is a filter by one field.
type one struct {
	name string
	set  func(*keystile.EventFilter)
}

// ones are filters by each field: by what is rare there, and by what is in many
// events. Many of them never meet.
func ones(n int) []one {
	some := endedEvent(n / 3)
	return []one{
		{"a request", func(f *keystile.EventFilter) { f.RequestID = some.RequestID }},
		{"a key", func(f *keystile.EventFilter) { f.Key = some.Key }},
		{"an access key", func(f *keystile.EventFilter) { f.AccessKeyID = some.Detail.AccessKeyID }},
		{"an access key that never was", func(f *keystile.EventFilter) { f.AccessKeyID = "AKIANONE" }},
		{"a bucket", func(f *keystile.EventFilter) { f.Backend, f.Bucket = "main", "bucket-2" }},
		{"the backend", func(f *keystile.EventFilter) { f.Backend = "main" }},
		{"another backend", func(f *keystile.EventFilter) { f.Backend = "other" }},
		{"who writes", func(f *keystile.EventFilter) { f.Account = "anna" }},
		{"who reads", func(f *keystile.EventFilter) { f.Account = "bert" }},
		{"writes", func(f *keystile.EventFilter) { f.ActionPrefix = "s3.proxy.put" }},
		{"reads", func(f *keystile.EventFilter) { f.ActionPrefix = "s3.proxy.get" }},
		{"a rare action", func(f *keystile.EventFilter) { f.ActionPrefix = "credential." }},
		{"successes", func(f *keystile.EventFilter) { f.Result = keystile.ResultOK }},
		{"refusals", func(f *keystile.EventFilter) { f.Result = keystile.ResultDenied }},
		{"the oldest tenth", func(f *keystile.EventFilter) { f.Until = gatewayEvent(n / 10).Time }},
		{"a word of all", func(f *keystile.EventFilter) { f.Text = "photo" }},
		{"a rare word", func(f *keystile.EventFilter) { f.Text = "archive" }},
		{"how words begin", func(f *keystile.EventFilter) { f.Text = fmt.Sprint(n / 3)[:4] }},
	}
}

// TestAVastTrailByFiltersTogether asks for the first pages of all pairs and all
// triples of filters, met or not, see TestAVastTrail. Of each it goes on to where
// something is found or the trail ends, as far as pagesWalked.
func TestAVastTrailByFiltersTogether(t *testing.T) {
	db, n, asserted := vastTrail(t)
	all := ones(n)
	var longest time.Duration
	pages, pageless := 0, 0
	look := func(together ...int) {
		var f keystile.EventFilter
		var names []string
		for _, i := range together {
			all[i].set(&f)
			names = append(names, all[i].name)
		}
		first, last, walked, found := firstPages(t, db, f)
		pages += walked
		if found == 0 {
			pageless++
		}
		if worst := max(first, last); worst > longest {
			longest = worst
			t.Logf("%-60s %3d events on %2d pages, each within %s", strings.Join(names, ", "), found, walked, worst.Round(10*time.Microsecond))
		}
		if asserted && max(first, last) > pageBudget {
			t.Errorf("%s: a page took %s, longer than %s", strings.Join(names, ", "), max(first, last), pageBudget)
		}
	}
	combinations := 0
	for i := range all {
		for j := range i {
			look(j, i)
			combinations++
			for k := range j {
				look(k, j, i)
				combinations++
			}
		}
	}
	t.Logf("%d pairs and triples of filters in a trail of %d events, %d of which found nothing on their first %d pages: %d pages, the longest took %s",
		combinations, n, pageless, pagesWalked, pages, longest.Round(10*time.Microsecond))
}

// TestPagesThatEndEarlyLoseNothing: pages of filters that refuse more than a page
// looks at, together, have all that passes, also what is open; however little a page
// looks at.
func TestPagesThatEndEarlyLoseNothing(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "keystile.db"), ringOf(t, seal.NewKey()))
	n := int(usualLooks.checked) + 2000
	fillTrail(t, db, n)
	var events []keystile.Event
	for i := range n {
		events = append(events, endedEvent(i))
	}
	open := []keystile.Event{gatewayEvent(n), gatewayEvent(n + 2)}
	events = append(events, open...)
	must(t, db.Write(t.Context(), func(tx store.Tx) error { return tx.IndexEvents(open) }))
	all := ones(n)
	for name, looks := range map[string]looks{
		"usual":                     usualLooks,
		"few":                       {checked: 900, sought: 300, read: 400, merged: 2500},
		"few of lists side by side": {checked: 5000, sought: 40, read: 400, merged: 600},
	} {
		t.Run(name, func(t *testing.T) {
			db.looks = looks
			early := 0
			for i := range all {
				for j := range i {
					var f keystile.EventFilter
					all[i].set(&f)
					all[j].set(&f)
					got, short := allPages(t, db, f)
					if want := expected(events, f); !slices.Equal(got, want) {
						t.Errorf("%s, %s: found %d events, want %d", all[i].name, all[j].name, len(got), len(want))
					}
					early += short
				}
			}
			if early == 0 {
				t.Error("no page ended early")
			}
		})
	}
}

// allPages are the ids on all pages, and how many pages ended early.
func allPages(t *testing.T, db *DB, f keystile.EventFilter) (ids []string, early int) {
	t.Helper()
	for cursor := ""; ; {
		var page []keystile.Event
		must(t, db.Read(t.Context(), func(tx store.Tx) (err error) {
			page, cursor, err = tx.Events(keystile.EventPage{Filter: f, Limit: 1000, Cursor: cursor})
			return err
		}))
		for _, e := range page {
			ids = append(ids, e.ID)
		}
		switch {
		case cursor == "":
			return ids, early
		case len(page) < 1000:
			early++
		}
	}
}

// FTS5 itself goes through lists that never meet to their ends: they are held to what
// one page may look at, where the events are known by what they reach.
func TestListsAreHeldToTheirFloor(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "keystile.db"), ringOf(t, seal.NewKey()))
	fillTrail(t, db, 3*spanRows)
	db.looks = looks{checked: 900, sought: 300, read: 400, merged: spanRows}
	apart := keystile.EventFilter{Account: "bert", ActionPrefix: "s3.proxy.put"}
	held := func(before int64) (match string, floor int64) {
		must(t, db.Read(t.Context(), func(r store.Tx) error {
			tx := r.(*tx)
			l, err := tx.listsOf(apart, nil)
			must(t, err)
			floor, err = tx.floorOfWords(apart, &l, before)
			match = l.match()
			return err
		}))
		return match, floor
	}
	match, floor := held(0)
	if !strings.HasSuffix(match, `AND ("_s3" OR "_s2")`) || floor != 2*spanRows {
		t.Errorf("from the top: %s down to %d", match, floor)
	}
	if match, floor := held(floor); !strings.HasSuffix(match, `AND ("_s1" OR "_s0")`) || floor != spanRows-1 {
		t.Errorf("from there: %s down to %d", match, floor)
	}
	_, err := db.writer.ExecContext(t.Context(), `UPDATE event_reaches SET since = $1`, 2*spanRows+1)
	must(t, err)
	if match, _ := held(0); strings.Contains(match, "_s2") {
		t.Errorf("where older events do not have the word: %s", match)
	}
}

// expected are the ids of the events that a filter selects, newest first.
func expected(events []keystile.Event, f keystile.EventFilter) (ids []string) {
	words := keystile.Words(f.Text)
	for _, e := range slices.Backward(events) {
		if f.Matches(&e, words) {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// pagesWalked bounds the pages of one search where nothing is found.
const pagesWalked = 12

// firstPages reads pages until one has events. A page that takes longer than
// pageBudget is asked for again: others use the machine too.
func firstPages(t *testing.T, db *DB, f keystile.EventFilter) (first, longest time.Duration, pages, found int) {
	t.Helper()
	cursor := ""
	for pages < pagesWalked {
		var took time.Duration
		next := ""
		for range 5 {
			began := time.Now()
			must(t, db.Read(t.Context(), func(tx store.Tx) error {
				events, more, err := tx.Events(keystile.EventPage{Filter: f, Limit: 100, Cursor: cursor})
				found, next = len(events), more
				return err
			}))
			if again := time.Since(began); took == 0 || again < took {
				took = again
			}
			if took <= pageBudget {
				break
			}
		}
		if pages++; pages == 1 {
			first = took
		}
		longest = max(longest, took)
		if cursor = next; found > 0 || next == "" {
			break
		}
	}
	return first, longest, pages, found
}

// pageTimes are medians: of the first page, and of those after it that there are.
func pageTimes(t *testing.T, db *DB, f keystile.EventFilter, rows int) (first, later time.Duration) {
	t.Helper()
	var firsts, laters []time.Duration
	for range 5 {
		cursor := ""
		for page := range 4 {
			began := time.Now()
			var events []keystile.Event
			must(t, db.Read(t.Context(), func(tx store.Tx) (err error) {
				events, cursor, err = tx.Events(keystile.EventPage{Filter: f, Limit: 100, Cursor: cursor})
				return err
			}))
			took := time.Since(began)
			if page > 0 {
				laters = append(laters, took)
			} else {
				firsts = append(firsts, took)
				if rows > 0 && len(events) != rows || rows == 0 && len(events) == 0 || rows < 0 && len(events) > 0 {
					t.Errorf("%+v finds %d events", f, len(events))
				}
			}
			if cursor == "" {
				break
			}
		}
	}
	return median(firsts), median(laters)
}

func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}
