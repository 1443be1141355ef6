package control

import (
	"net/netip"
	"sync"
	"time"

	"keystile/internal/clientip"
)

// throttle slows down guesses of passwords. It counts failures by the pair of
// source and account, and by source in all; never by account alone, so that
// nobody is locked out by guesses from elsewhere. The source of an IPv6 client
// is its /64. Counts live in memory: a restart forgives.
type throttle struct {
	now   func() time.Time
	mu    sync.Mutex
	pairs guesses[guessPair]
	all   guesses[netip.Prefix]
}

type guessPair struct {
	source  netip.Prefix
	account string
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{
		now: now,
		// Sustained, about a hundred guesses of one password a day.
		pairs: guesses[guessPair]{free: 5, longest: 15 * time.Minute, forget: 10 * time.Minute},
		// Sources are shared by many people behind one address: their waits stay
		// short enough to sit out.
		all: guesses[netip.Prefix]{free: 20, longest: 30 * time.Second, forget: 30 * time.Second},
	}
}

// begin counts a guess before its answer is known, so that guesses made at once
// cannot all pass. Too soon, it is Throttled and not counted.
func (t *throttle) begin(source netip.Addr, account string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	pair := guessPair{clientip.Network(source), account}
	wait := max(t.pairs.wait(pair, now), t.all.wait(pair.source, now))
	if wait > 0 {
		return &Throttled{wait}
	}
	t.pairs.count(pair, now)
	t.all.count(pair.source, now)
	return nil
}

// right forgives the pair everything and the source this guess. It does not
// forgive the source the guesses of other passwords: else a person with an
// account could guess those of others without end.
func (t *throttle) right(source netip.Addr, account string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	pair := guessPair{clientip.Network(source), account}
	t.pairs.drop(pair)
	t.all.giveBack(pair.source)
}

// unanswered takes back a guess that was never compared.
func (t *throttle) unanswered(source netip.Addr, account string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	pair := guessPair{clientip.Network(source), account}
	t.pairs.giveBack(pair)
	t.all.giveBack(pair.source)
}

// guesses counts failures under keys. After the free ones each doubles the wait
// for the next, from a second up to the longest. One failure is forgotten per
// forget.
type guesses[K comparable] struct {
	free    int
	longest time.Duration
	forget  time.Duration
	failed  map[K]*failures
}

type failures struct {
	n     int
	since time.Time // forgotten up to here
	until time.Time // no guess before
}

// maxGuessKeys bounds the memory to a few megabytes.
const maxGuessKeys = 20_000

func (g *guesses[K]) wait(key K, now time.Time) time.Duration {
	f := g.failed[key]
	if f == nil {
		return 0
	}
	return f.until.Sub(now)
}

func (g *guesses[K]) count(key K, now time.Time) {
	if g.failed == nil {
		g.failed = map[K]*failures{}
	}
	f := g.failed[key]
	if f == nil {
		g.makeRoom(now)
		f = &failures{since: now}
		g.failed[key] = f
	}
	g.fade(f, now)
	f.n++
	if over := f.n - g.free; over >= 0 {
		f.until = now.Add(g.backoff(over))
	}
}

func (g *guesses[K]) fade(f *failures, now time.Time) {
	if forgotten := int(now.Sub(f.since) / g.forget); forgotten > 0 {
		f.n = max(0, f.n-forgotten)
		f.since = f.since.Add(time.Duration(forgotten) * g.forget)
	}
}

func (g *guesses[K]) backoff(over int) time.Duration {
	wait := time.Second
	for ; over > 0 && wait < g.longest; over-- {
		wait *= 2
	}
	return min(wait, g.longest)
}

func (g *guesses[K]) giveBack(key K) {
	if f := g.failed[key]; f != nil {
		f.n = max(0, f.n-1)
		f.until = time.Time{}
	}
}

func (g *guesses[K]) drop(key K) { delete(g.failed, key) }

// makeRoom forgets keys whose failures have all faded, and where that is not
// enough some others: refusing everyone new instead would be a lockout.
func (g *guesses[K]) makeRoom(now time.Time) {
	if len(g.failed) < maxGuessKeys {
		return
	}
	for key, f := range g.failed {
		if g.fade(f, now); f.n == 0 && !f.until.After(now) {
			delete(g.failed, key)
		}
	}
	for key := range g.failed {
		if len(g.failed) < maxGuessKeys*9/10 {
			return
		}
		delete(g.failed, key)
	}
}
