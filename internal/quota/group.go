package quota

import (
	"sync"

	"keystile/internal/keystile"
)

// group is the buckets of one owner, which together have a cap. The group of an
// owner stays the same while it has buckets, so that whoever reserves in one of
// them waits for whoever does in another.
type group struct {
	mu    sync.Mutex // taken before the mu of a book
	cap   int64      // bytes; keystile.NoCap: none
	books []*book
}

// lockGroup keeps other writes to the owner's buckets out, where they have a cap
// together; unlock ends that.
func (b *book) lockGroup(need keystile.Amount) (g *group, unlock func()) {
	g = b.group.Load()
	if g == nil || need.Bytes == 0 {
		return nil, func() {}
	}
	g.mu.Lock()
	if g.cap == keystile.NoCap {
		g.mu.Unlock()
		return nil, func() {}
	}
	return g, g.mu.Unlock
}

// total is what counts in all buckets; counted reports that each was counted once.
// While mu is held it can only shrink, but for what a count finds.
func (g *group) total() (bytes int64, counted bool) {
	counted = true
	for _, b := range g.books {
		b.mu.Lock()
		sum := b.total()
		counted = counted && !b.countedAt.IsZero()
		b.mu.Unlock()
		bytes = keystile.Amount{Bytes: bytes}.Plus(sum).Bytes
	}
	return bytes, counted
}

// fits reports why a write to b does not.
func (g *group) fits(b *book, need keystile.Amount) error {
	total, counted := g.total()
	switch left := g.cap - total; {
	case !counted:
		return ErrUncounted
	case need.Bytes > left:
		return &OverError{Bucket: b.bucket, Of: OfOwner, Unit: unitBytes, Cap: g.cap, Used: total, Needed: need.Bytes}
	}
	return nil
}

// left is how much more the owner's buckets may hold; keystile.NoCap: there is no
// bound. No book may be locked.
func (b *book) left() int64 {
	g := b.group.Load()
	if g == nil {
		return keystile.NoCap
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cap == keystile.NoCap {
		return keystile.NoCap
	}
	total, _ := g.total()
	return max(g.cap-total, 0)
}

// regroup takes over who owns which buckets and what those may hold together.
func (l *Ledger) regroup(next map[keystile.Bucket]*book, owned []keystile.OwnedBucket) {
	members, caps := map[string][]*book{}, map[string]int64{}
	owners := map[*book]string{}
	for _, o := range owned {
		if b := next[o.Bucket]; b != nil {
			members[o.Owner] = append(members[o.Owner], b)
			owners[b] = o.Owner
			caps[o.Owner] = o.MaxBytes
		}
	}
	for owner := range l.groups {
		if members[owner] == nil {
			delete(l.groups, owner)
		}
	}
	for owner, books := range members {
		g := l.groups[owner]
		if g == nil {
			g = &group{}
			l.groups[owner] = g
		}
		g.set(caps[owner], books)
	}
	for _, b := range next {
		if owner, ok := owners[b]; ok {
			b.group.Store(l.groups[owner])
		} else {
			b.group.Store(nil)
		}
	}
}

func (g *group) set(limit int64, books []*book) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cap, g.books = limit, books
}
