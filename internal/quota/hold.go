package quota

import (
	"context"
	"strconv"

	"keystile/internal/keystile"
)

// Hold is one write on its way: the room it has reserved, and the places it
// changes. It must come to its end by End. A nil Hold is that of a bucket which is
// not counted; all its methods do nothing.
type Hold struct {
	b    *book
	need keystile.Amount
	// Crossed: the write is the one which goes over a soft cap.
	Crossed bool

	claims []*claim
	ends   []func() // what came of it, to be run under the book's lock
	lost   bool
	long   bool // lost, and may take long
	over   bool
}

// Reserve takes room for a write in a bucket. Errors are *OverError, ErrUncounted,
// or match keystile.ErrUnavailable where the store cannot keep it.
func (l *Ledger) Reserve(ctx context.Context, bucket keystile.Bucket, need keystile.Amount) (*Hold, error) {
	b := l.book(bucket)
	if b == nil {
		return nil, nil
	}
	crossed, err := b.reserve(ctx, need)
	if err != nil {
		return nil, err
	}
	return &Hold{b: b, need: need, Crossed: crossed}, nil
}

// Warning tells of a soft cap that is passed; "" if none is.
func (h *Hold) Warning() string {
	if h == nil {
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

// Wrote notes that an object of this size was stored under the key, as the version
// that the backend names.
func (h *Hold) Wrote(key string, size int64, version string) {
	if h == nil {
		return
	}
	c := h.claim(ObjectPlace(key))
	h.ends = append(h.ends, func() { h.wrote(c, keystile.Amount{Bytes: size, Objects: 1}, version) })
}

func (h *Hold) wrote(c *claim, now keystile.Amount, version string) {
	e := c.entry
	was, vid, sure := keystile.Amount{}, version, c.sure()
	if inPlace(version) {
		vid = "null"
		sure = sure && e.known && (!e.state.Exists || inPlace(e.state.Version))
		was = e.state.amount()
	}
	h.b.settle(h, c.place.counted(), vid, now, was, sure)
	e.known, e.state = sure, State{Exists: true, Size: now.Bytes, Version: version}
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
	if h == nil {
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
	vid := version
	if inPlace(version) {
		vid = "null"
	}
	b.settle(h, c.place.counted(), vid, keystile.Amount{}, state.amount(), true)
	if state.Version == "" || !inPlace(version) {
		e.known, e.state = true, State{}
	}
}

// WrotePart notes that a part was stored.
func (h *Hold) WrotePart(uploadID string, number int, size int64) {
	if h == nil {
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
	if h == nil {
		return
	}
	c := h.claim(UploadPlace(uploadID))
	h.ends = append(h.ends, func() {
		if parts == nil || !c.sure() {
			h.b.recount, h.b.dirty = true, true
			h.b.spoilScan()
			return
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
	if h == nil {
		return
	}
	c := h.claim(ObjectPlace(key))
	h.ends = append(h.ends, func() {
		c.entry.known = false
		h.b.used.Objects++
		h.b.recount, h.b.dirty = true, true
		h.b.spoilScan()
	})
}

// Lose notes that it is not known whether the write was carried out. Long is one
// that the backend may carry out on its own for a long time.
func (h *Hold) Lose(long bool) {
	if h != nil {
		h.lost, h.long = true, long
	}
}

// End settles what was noted, gives back the room that was reserved, and lets
// other changes of the places go on. Only the first call does anything.
func (h *Hold) End() {
	if h == nil {
		return
	}
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	if h.over {
		return
	}
	h.over = true
	for _, end := range h.ends {
		end()
	}
	if h.lost {
		h.b.lose(h.need, h.long)
		for _, c := range h.claims {
			c.entry.known = false
		}
	}
	h.b.reserved = h.b.reserved.Minus(h.need)
	h.b.noteSoft()
	h.b.idle(h)
	h.drop()
}

// settle takes over one change: of a version or part that was and now is so large.
// What was is credited only if it is sure.
func (b *book) settle(h *Hold, at Place, vid string, now, was keystile.Amount, sure bool) {
	b.dirty = true
	if !sure {
		b.used = b.used.Plus(now)
		b.recount = true
		b.scanUnsure(at, now)
		return
	}
	b.used = b.used.Plus(now).Minus(was).Floor()
	b.scanChanged(h, at, vid, now, was)
}
