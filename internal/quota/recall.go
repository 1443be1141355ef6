package quota

import (
	"hash/maphash"
	"sync/atomic"
)

// A write gives back what its bucket's book counts for the key that it writes. The
// book knows that without asking the backend where one of our own writes settled it
// last, and where the key is none of those that anything is counted for: of these a
// count makes a set. That is right whoever else writes at the backend: what they
// changed is not in the book before the next count, which is when all of this begins
// anew. While the bucket is counted, the backend is asked.

const (
	// mostRecalled bounds the bytes of memory that all books take for this.
	mostRecalled = 64 << 20
	// entryCost is about what a size takes beside its key.
	entryCost = 128
	// firstKeys is the room of a key set's first filter; each one after it has twice
	// as much as the one before.
	firstKeys = 4096
	// bitsPerKey and probes make one in a hundred keys look like one of the set.
	bitsPerKey = 10
	probes     = 7
	// enoughAsked is how many questions to the backend are worth a count of the
	// bucket, beside one for each page of ten keys.
	enoughAsked = 1000
	keysPerAsk  = 10
)

// budget is the memory that is left.
type budget struct{ left atomic.Int64 }

func (m *budget) take(n int64) bool {
	if m.left.Add(-n) >= 0 {
		return true
	}
	m.left.Add(n)
	return false
}

func (m *budget) give(n int64) { m.left.Add(n) }

// keySet tells of a key that it is not among those that were added. Of some others it
// cannot tell, and when memory is short of none (S. Almeida and others, "Scalable
// Bloom Filters").
type keySet struct {
	memory  *budget
	seed    maphash.Seed
	filters []filter
	room    int // in the last one
	full    bool
}

type filter []uint64

func (f filter) each(hash uint64, use func(word int, bit uint64) bool) bool {
	step := hash>>32 | 1
	for range probes {
		at := hash % uint64(len(f)*64)
		if !use(int(at/64), 1<<(at%64)) {
			return false
		}
		hash += step
	}
	return true
}

func (f filter) has(hash uint64) bool {
	return f.each(hash, func(word int, bit uint64) bool { return f[word]&bit != 0 })
}

func (f filter) add(hash uint64) {
	f.each(hash, func(word int, bit uint64) bool { f[word] |= bit; return true })
}

func (k *keySet) has(key string) bool {
	return k.full || k.holds(maphash.String(k.seed, key))
}

func (k *keySet) holds(hash uint64) bool {
	for _, f := range k.filters {
		if f.has(hash) {
			return true
		}
	}
	return false
}

func (k *keySet) add(key string) {
	hash := maphash.String(k.seed, key)
	if k.full || k.holds(hash) {
		return
	}
	if k.room == 0 && !k.grow() {
		k.free()
		k.full = true
		return
	}
	k.filters[len(k.filters)-1].add(hash)
	k.room--
}

func (k *keySet) grow() bool {
	room := firstKeys << len(k.filters)
	words := room * bitsPerKey / 64
	if !k.memory.take(int64(words) * 8) {
		return false
	}
	k.filters, k.room = append(k.filters, make(filter, words)), room
	return true
}

func (k *keySet) free() {
	for _, f := range k.filters {
		k.memory.give(int64(len(f)) * 8)
	}
	k.filters, k.room = nil, 0
}

// keys are those of a bucket that something is counted for.
type keys struct {
	// listed are those that a count found. The count alone uses them until it ends;
	// after that they never change.
	listed keySet
	// written are those that writes changed since it began. The book's mu guards them.
	written keySet
}

// has reports whether something may be counted for the key.
func (k *keys) has(key string) bool { return k.listed.has(key) || k.written.has(key) }

func (l *Ledger) newKeys() *keys {
	seed := maphash.MakeSeed()
	return &keys{listed: keySet{memory: &l.memory, seed: seed}, written: keySet{memory: &l.memory, seed: seed}}
}

func (k *keys) free() {
	if k != nil {
		k.listed.free()
		k.written.free()
	}
}

// recall tells what is counted for a place, if that is known. It is called with the
// book's mu held.
func (b *book) recall(p Place) (State, bool) {
	if !b.recalls(p) {
		return State{}, false
	}
	// The sets first: they are small, and whatever a size above nothing is kept of is in them.
	if b.keys != nil && !b.keys.has(string(p[1:])) {
		return State{}, true
	}
	state, ok := b.sizes[p]
	return state, ok
}

// recalls reports whether anything could be recalled for a place.
func (b *book) recalls(p Place) bool {
	return string(p[:1]) == objectKind && !b.counting() && !b.countedAt.IsZero()
}

// noteAsked counts a question that the keys of a count would have spared.
func (b *book) noteAsked(p Place) {
	if b.keys == nil && b.recalls(p) {
		b.asked++
	}
}

// remember keeps what a write has left at its places.
func (b *book) remember(h *Hold) {
	if b.stopped {
		return
	}
	for _, c := range h.claims {
		if string(c.place[:1]) != objectKind || !c.begun {
			continue
		}
		if h.wrote || h.lost {
			b.mark(string(c.place[1:]))
		}
		if !h.lost && c.entry.known && c.sure() && !b.counting() {
			b.keepSize(c.place, c.entry.state)
		} else {
			b.forgetSize(c.place)
		}
	}
}

// mark notes that something may be counted for a key.
func (b *book) mark(key string) {
	if b.keys != nil {
		b.keys.written.add(key)
	}
	if b.scan != nil && b.scan.keySet != nil {
		b.scan.keySet.written.add(key)
	}
}

func (b *book) keepSize(p Place, state State) {
	before := len(b.sizes)
	b.sizes[p] = state
	if len(b.sizes) == before {
		return // in the room of the one before
	}
	for cost := int64(len(p) + entryCost); !b.l.memory.take(cost); {
		if len(b.sizes) == 1 {
			delete(b.sizes, p)
			return
		}
		for other := range b.sizes {
			if other != p {
				b.forgetSize(other)
				break
			}
		}
	}
}

func (b *book) forgetSize(p Place) {
	if _, ok := b.sizes[p]; ok {
		b.l.memory.give(int64(len(p) + entryCost))
		delete(b.sizes, p)
	}
}

// countBegins ends what is recalled: what the count will find is another thing.
func (b *book) countBegins() {
	b.counts++
	for p := range b.sizes {
		b.forgetSize(p)
	}
}

// takeKeys takes over which keys a count has found.
func (b *book) takeKeys(found *keys) {
	b.keys.free()
	b.keys, b.asked = found, 0
}

// askedTooOften reports whether a count is worth what it spares.
func (b *book) askedTooOften() bool {
	return b.keys == nil && b.asked > enoughAsked+b.used.Objects/keysPerAsk
}
