package quota

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"keystile/internal/keystile"
)

// Hold is one write on its way: the room it has reserved, and the places it
// changes. It must come to its end by End. A nil Hold is that of a write which
// counts nowhere; all its methods do nothing.
type Hold struct {
	b    *book // nil: the bucket is not counted
	need keystile.Amount
	// Crossed: the write is the one which goes over a soft cap.
	Crossed bool

	spends *allowance // nil: none, or given back
	since  time.Time  // the span that it spends of

	claims []*claim
	ends   []func() // what came of it, to be run under the book's lock
	wrote  bool     // something was stored
	lost   bool
	long   bool // lost, and may take long
	lostIn Doubt
	over   sync.Once

	grown   bool      // it was reserved bit by bit
	grownAt time.Time // book.countedAt when that began
}

// Writer is who writes.
type Writer struct {
	AccessKeyID string
	Limits      *keystile.CredentialLimits // nil: none of its own
}

// Reserve takes room for a write in a bucket. Errors are *OverError, ErrUncounted,
// or match keystile.ErrUnavailable where the store cannot keep it.
func (l *Ledger) Reserve(ctx context.Context, bucket keystile.Bucket, need keystile.Amount, by Writer) (*Hold, error) {
	h := &Hold{b: l.book(bucket), need: need}
	var ceiling *keystile.Amount
	if by.Limits.HasCeiling() {
		if ceiling = &by.Limits.Ceiling; h.b == nil && need != (keystile.Amount{}) {
			return nil, ErrUncounted
		}
	}
	if by.Limits.HasAllowance() {
		if h.spends = (*l.allowances.Load())[by.AccessKeyID]; h.spends == nil {
			return nil, fmt.Errorf("the allowance of %s is not known yet: %w", by.AccessKeyID, keystile.ErrUnavailable)
		}
	}
	if h.b == nil && h.spends == nil {
		return nil, nil
	}
	if err := h.reserve(ctx, ceiling); err != nil {
		return nil, err
	}
	return h, nil
}

// reserve takes from the book and the allowance, or from neither. It asks the store
// only where their leases do not cover it.
func (h *Hold) reserve(ctx context.Context, ceiling *keystile.Amount) error {
	paid, since, ofAllowance := h.spends.take(h.need.Bytes)
	covered, crossed, ofBook := h.b.take(h.need, ceiling)
	err := tightest(ofBook, ofAllowance)
	if err == nil && (!covered || crossed) {
		err = h.b.cover(ctx, crossed)
	}
	if err == nil && !paid {
		err = h.spends.cover(ctx)
	}
	if err != nil {
		if ofBook == nil {
			h.b.giveBack(h.need)
		}
		if ofAllowance == nil {
			h.spends.giveBack(h.need.Bytes, since)
		}
		return err
	}
	h.Crossed, h.since = crossed, since
	return nil
}

// books reports whether the write is in a bucket that is counted.
func (h *Hold) books() bool { return h != nil && h.b != nil }

// Warning tells of a soft cap that is passed; "" if none is.
func (h *Hold) Warning() string {
	if !h.books() {
		return ""
	}
	return h.b.warning()
}

// Need is what was reserved.
func (h *Hold) Need() keystile.Amount {
	if h == nil {
		return keystile.Amount{}
	}
	return h.need
}

// Spend is what the write takes of its writer's allowance: before End what it may
// take, then what it took. Nil: nothing.
func (h *Hold) Spend() *keystile.Spend {
	if h == nil || h.spends == nil || h.need.Bytes == 0 {
		return nil
	}
	return &keystile.Spend{Bytes: h.need.Bytes, Per: h.spends.per, Since: h.since}
}

// Wrote notes that an object of this size was stored under the key, as the version
// that the backend names.
func (h *Hold) Wrote(key string, size int64, version string) {
	if !h.stored() {
		return
	}
	c := h.claim(ObjectPlace(key))
	h.ends = append(h.ends, func() { h.replaced(c, keystile.Amount{Bytes: size, Objects: 1}, version) })
}

// stored notes that something was, and reports whether it counts in a book.
func (h *Hold) stored() bool {
	if h != nil {
		h.wrote = true
	}
	return h.books()
}

func (h *Hold) replaced(c *claim, now keystile.Amount, version string) {
	e := c.entry
	was, vid, sure := keystile.Amount{}, version, c.sure()
	if inPlace(version) {
		vid = "null"
		sure = sure && e.known && (!e.state.Exists || inPlace(e.state.Version))
		was = e.state.amount()
	}
	h.b.settle(h, c.place.counted(), vid, now, was, sure)
	e.known, e.state, e.recalled = sure, State{Exists: true, Size: now.Bytes, Version: version}, -1
}

func (s State) amount() keystile.Amount {
	if !s.Exists {
		return keystile.Amount{}
	}
	return keystile.Amount{Bytes: s.Size, Objects: 1}
}

// Removed notes that a version of an object was deleted; with an empty version,
// that the key was. A marker alone was put on top where marker is set.
func (h *Hold) Removed(key, version string, marker bool) {
	if !h.books() {
		return
	}
	c := h.claim(VersionPlace(key, version))
	h.ends = append(h.ends, func() { h.removed(c, version, marker) })
}

func (h *Hold) removed(c *claim, version string, marker bool) {
	e, b := c.entry, h.b
	known, state := c.sure() && e.known, e.state
	e.known = false
	switch {
	case marker && version == "":
		return
	case !known:
		b.note(c.place.counted(), vidOf(version), keystile.Amount{}, keystile.Amount{})
		b.recount, b.dirty = true, true
		b.scanUnsure(c.place.counted(), keystile.Amount{})
		return
	case !state.Exists:
		e.known = true
		return
	case inPlace(version) && !inPlace(state.Version):
		b.recount, b.dirty = true, true
		return
	}
	b.settle(h, c.place.counted(), vidOf(version), keystile.Amount{}, state.amount(), true)
	if state.Version == "" || !inPlace(version) {
		e.known, e.state, e.recalled = true, State{}, -1
	}
}

// vidOf is how a count names a version.
func vidOf(version string) string {
	if inPlace(version) {
		return "null"
	}
	return version
}

// WrotePart notes that a part was stored.
func (h *Hold) WrotePart(uploadID string, number int, size int64) {
	if !h.stored() {
		return
	}
	c, all := h.claim(PartPlace(uploadID, number)), h.claim(UploadPlace(uploadID))
	h.ends = append(h.ends, func() {
		sure := c.sure() && all.sure() && c.entry.known
		h.b.settle(h, all.place, strconv.Itoa(number), keystile.Amount{Bytes: size}, keystile.Amount{Bytes: c.entry.state.Size}, sure)
		c.entry.known, c.entry.state = sure, State{Exists: true, Size: size}
	})
}

// Ended notes that an upload is gone, completed or aborted, and with it its parts;
// nil parts are not known.
func (h *Hold) Ended(uploadID string, parts map[int]int64) {
	if !h.books() {
		return
	}
	c := h.claim(UploadPlace(uploadID))
	h.ends = append(h.ends, func() {
		defer h.b.ended(uploadID)
		if parts == nil || !c.sure() {
			h.b.voidAt(c.place)
			h.b.recount, h.b.dirty = true, true
			h.b.spoilScan()
			return
		}
		if d := h.b.doubts[c.place]; d != nil {
			h.b.forget(c.place, d) // whether it had ended before: it has now
		}
		for number, size := range parts {
			h.b.settle(h, c.place, strconv.Itoa(number), keystile.Amount{}, keystile.Amount{Bytes: size}, true)
			if e := h.b.places[PartPlace(uploadID, number)]; e != nil {
				e.known = false // it was learnt of a part that is gone
			}
		}
	})
}

// Moved notes that parts became an object whose size is not known: its bytes are
// counted as those of the parts.
func (h *Hold) Moved(key string) {
	if !h.stored() {
		return
	}
	c := h.claim(ObjectPlace(key))
	h.ends = append(h.ends, func() {
		c.entry.known = false
		h.b.voidAt(c.place)
		h.b.used.Objects++
		h.b.recount, h.b.dirty = true, true
		h.b.spoilScan()
	})
}

// Lose notes that it is not known whether the write was carried out. Long is one
// that the backend may carry out on its own for a long time. What it may have
// changed is asked for; nothing may be noted beside it then.
func (h *Hold) Lose(long bool, in Doubt) {
	if h != nil {
		h.lost, h.long, h.lostIn = true, long, in
	}
}

// End settles what was noted, gives back the room that was reserved, and lets
// other changes of the places go on. Only the first call does anything.
func (h *Hold) End() {
	if h != nil {
		h.over.Do(h.end)
	}
}

func (h *Hold) end() {
	if !h.wrote && !h.lost {
		h.spends.giveBack(h.need.Bytes, h.since)
		h.spends = nil
	}
	if h.b == nil {
		return
	}
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	for _, end := range h.ends {
		end()
	}
	if h.lost {
		if !h.b.doubt(h) {
			h.b.loseUntil(h.need, h.b.l.opts.Now().Add(h.b.grace(h.long)))
		}
		for _, c := range h.claims {
			c.entry.known = false
		}
	}
	h.b.remember(h)
	h.recountGrown()
	h.b.reserved = h.b.reserved.Minus(h.need)
	h.b.noteSoft()
	h.b.idle(h)
	h.drop()
}

// change counts what a place holds more than before.
func (b *book) change(at Place, more keystile.Amount) {
	b.used = b.used.Plus(more).Floor()
	if string(at[:1]) == uploadKind && b.parts >= 0 {
		b.parts = max(b.parts+more.Bytes, 0)
	}
}

// settle takes over one change: of a version or part that was and now is so large.
// What was is credited only if it is sure. A count that ended since the change began
// has counted what it found instead.
func (b *book) settle(h *Hold, at Place, vid string, now, was keystile.Amount, sure bool) {
	b.dirty = true
	if !sure || b.loose[h] && string(at[:1]) == objectKind {
		b.change(at, now)
		b.note(at, vid, now, now)
		b.recount = true
		b.scanUnsure(at, now)
		return
	}
	replaced := was
	if found, ok := b.outlast[h][at]; ok {
		replaced, found[vid] = found[vid], now
	}
	b.change(at, now.Minus(replaced))
	b.note(at, vid, now.Minus(replaced), now)
	b.scanChanged(h, at, vid, now, was)
}
