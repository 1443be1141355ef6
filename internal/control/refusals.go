package control

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// refusals records acts that were refused or failed, without letting a flood of
// them grow the trail. Of one kind (action, code, source, account) the first of
// each minute get rows of their own. The rest of that minute share one row with
// a count. The row itself is durable before its refusal is answered; its count
// is brought up to date at most once a second, so that guessing at full speed
// does not keep the store busy. A kill can cost that second of the count, never
// the row.
type refusals struct {
	store store.Store
	now   func() time.Time

	mu    sync.Mutex
	kinds map[refusalKind]*refusalWindow
	// ofStrangers are the rows of their own that strangers got since minute.
	minute      time.Time
	ofStrangers int
}

const (
	refusalWindowLength = time.Minute
	refusalFlush        = time.Second
	// Rows of their own in one minute: few for strangers, more for people who
	// are signed in, whose scripts fail on many different things.
	refusalsOfStrangers = 10
	refusalsOfAccounts  = 60
	// refusalsOfAllStrangers bounds what many sources together can write in a
	// minute. Beyond it they are counted together, by action and code.
	refusalsOfAllStrangers = 1000
	// maxRefusalKinds bounds the memory. Beyond it sources and accounts are
	// counted together, by action and code.
	maxRefusalKinds = 4096
)

type refusalKind struct {
	action, code, source, account string
}

type refusalWindow struct {
	start   time.Time
	rows    int    // rows of their own
	shared  string // id of the row with the count; empty: none yet
	opening bool   // the shared row is being written
	pending int64  // counted here, not yet in the store
	last    time.Time
	flushed time.Time
}

func newRefusals(s store.Store, now func() time.Time) *refusals {
	return &refusals{store: s, now: now, kinds: map[refusalKind]*refusalWindow{}}
}

// record makes the refusal durable, in a row of its own or in a count.
func (r *refusals) record(ctx context.Context, event keystile.Event) error {
	window, row, tallies := r.place(&event)
	if row == nil && len(tallies) == 0 {
		return nil
	}
	err := r.store.Write(ctx, func(tx store.Tx) error {
		if err := tx.AddTallies(tallies); err != nil {
			return err
		}
		if row == nil {
			return nil
		}
		return tx.AppendEvents([]keystile.Event{*row})
	})
	r.settle(window, event, tallies, err)
	return err
}

// place decides where the refusal goes: its own row, the first shared one (the
// event then begins to count), or a count. It also returns counts that are due.
func (r *refusals) place(event *keystile.Event) (*refusalWindow, *keystile.Event, []keystile.Tally) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	kind, limit := kindOf(*event), refusalsOfStrangers
	if event.Detail.Authenticated {
		limit = refusalsOfAccounts
	} else if r.crowded(now) {
		kind.source, kind.account = "", ""
	}
	w, due := r.window(kind, now)
	if w.rows < limit {
		w.rows++
		if !event.Detail.Authenticated {
			r.ofStrangers++
		}
		return w, event, due
	}
	w.last = now
	if w.shared == "" && !w.opening {
		w.opening, w.flushed = true, now
		event.Detail.Count, event.Detail.LastTime = 1, &now
		return w, event, due
	}
	w.pending++
	if w.shared != "" && now.Sub(w.flushed) >= refusalFlush {
		due = append(due, w.take(now))
	}
	return w, nil, due
}

// crowded tells whether all strangers together had their rows of this minute.
// Only rows count, so that one loud source cannot hide the others in it.
func (r *refusals) crowded(now time.Time) bool {
	if now.Sub(r.minute) >= refusalWindowLength {
		r.minute, r.ofStrangers = now, 0
	}
	return r.ofStrangers >= refusalsOfAllStrangers
}

// window finds the kind's window of this minute, and the last counts of windows
// that are over.
func (r *refusals) window(kind refusalKind, now time.Time) (*refusalWindow, []keystile.Tally) {
	w := r.kinds[kind]
	if w != nil && now.Sub(w.start) < refusalWindowLength {
		return w, nil
	}
	var due []keystile.Tally
	if w != nil && w.pending > 0 && w.shared != "" {
		due = append(due, w.take(now))
	}
	if w == nil && len(r.kinds) >= maxRefusalKinds {
		due = append(due, r.sweep(now)...)
		if len(r.kinds) >= maxRefusalKinds {
			kind.source, kind.account = "", ""
			if shared := r.kinds[kind]; shared != nil && now.Sub(shared.start) < refusalWindowLength {
				return shared, due
			}
		}
	}
	w = &refusalWindow{start: now}
	r.kinds[kind] = w
	return w, due
}

// sweep forgets windows that are over and returns their last counts.
func (r *refusals) sweep(now time.Time) []keystile.Tally {
	var due []keystile.Tally
	for kind, w := range r.kinds {
		if now.Sub(w.start) < refusalWindowLength || w.opening {
			continue
		}
		if w.pending > 0 && w.shared != "" {
			due = append(due, w.take(now))
		}
		delete(r.kinds, kind)
	}
	return due
}

func (w *refusalWindow) take(now time.Time) keystile.Tally {
	tally := keystile.Tally{EventID: w.shared, Add: w.pending, Last: w.last}
	w.pending, w.flushed = 0, now
	return tally
}

// settle ends what place began. Counts that could not be written go back to
// their windows as far as these still exist.
func (r *refusals) settle(window *refusalWindow, event keystile.Event, tallies []keystile.Tally, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if event.Detail.Count > 0 {
		window.opening = false
		if err == nil {
			window.shared = event.ID
		}
	}
	if err != nil {
		r.giveBack(tallies)
	}
}

func (r *refusals) giveBack(tallies []keystile.Tally) {
	for _, t := range tallies {
		for _, w := range r.kinds {
			if w.shared == t.EventID {
				w.pending += t.Add
			}
		}
	}
}

// flush writes every count that is still due.
func (r *refusals) flush(ctx context.Context) error {
	r.mu.Lock()
	now := r.now()
	due := r.sweep(now)
	for _, w := range r.kinds {
		if w.pending > 0 && w.shared != "" {
			due = append(due, w.take(now))
		}
	}
	r.mu.Unlock()
	if len(due) == 0 {
		return nil
	}
	err := r.store.Write(ctx, func(tx store.Tx) error { return tx.AddTallies(due) })
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.giveBack(due)
	}
	return err
}

// kindOf leaves the account out of what is refused before it is looked at: its
// name is the client's to choose.
func kindOf(event keystile.Event) refusalKind {
	kind := refusalKind{event.Action, event.Detail.Code, sourceGroup(event.SourceIP), event.Account}
	if event.Detail.Code == "throttled" {
		kind.account = ""
	}
	return kind
}

// sourceGroup is the address, or the /64 of an IPv6 one: the smallest network
// that one subscriber gets.
func sourceGroup(source string) string {
	addr, err := netip.ParseAddr(source)
	if err != nil {
		return ""
	}
	return groupOf(addr).String()
}

func groupOf(addr netip.Addr) netip.Prefix {
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
