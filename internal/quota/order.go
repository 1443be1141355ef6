package quota

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Place is what changes are put in order on: an object, one version of it, an
// upload in parts, or one part.
type Place string

// The first letter of a place tells its kind.
const (
	objectKind  = "o"
	versionKind = "v"
	uploadKind  = "u"
	partKind    = "p"
)

// ObjectPlace is where an object is written and deleted by its key alone.
func ObjectPlace(key string) Place { return Place(objectKind + key) }

// VersionPlace is one version of an object. That which a bucket without versions
// has, "null", is the object itself.
func VersionPlace(key, versionID string) Place {
	if inPlace(versionID) {
		return ObjectPlace(key)
	}
	return Place(versionKind + versionID + "\x00" + key)
}

// UploadPlace is all parts of an upload.
func UploadPlace(uploadID string) Place { return Place(uploadKind + uploadID) }

// PartPlace is one part.
func PartPlace(uploadID string, number int) Place {
	return Place(partKind + strconv.Itoa(number) + "\x00" + uploadID)
}

// counted is the place as a count of the bucket finds it: versions with their
// key, parts with their upload.
func (p Place) counted() Place {
	switch string(p[:1]) {
	case versionKind:
		_, key, _ := strings.Cut(string(p), "\x00")
		return ObjectPlace(key)
	case partKind:
		_, upload, _ := strings.Cut(string(p), "\x00")
		return UploadPlace(upload)
	}
	return p
}

// inPlace reports whether a version is that which is overwritten in place: in a
// bucket that never had versions, or that no longer makes new ones.
func inPlace(versionID string) bool { return versionID == "" || versionID == "null" }

// State is what a place holds.
type State struct {
	Exists  bool
	Size    int64
	Version string // as the backend names it; empty if it does not
}

// entry is a place that writes are under way to. It is guarded by the book's mu.
type entry struct {
	refs     int
	learning chan struct{} // held while the backend is asked; made with the first who does
	known    bool
	state    State // if known
	recalled int   // book.counts when it was recalled; -1: it was learnt otherwise
	moves    int   // grows whenever a change begins or ends

	exclusive bool          // a change is under way that has the place for itself
	shared    int           // changes under way that share it
	loose     int           // changes under way without an order
	spoilt    int           // grows with every change without an order
	changed   chan struct{} // closed with the next move; made with the first who waits
}

// quiet reports whether no change is under way.
func (e *entry) quiet() bool { return !e.exclusive && e.shared == 0 && e.loose == 0 }

func (e *entry) wake() {
	e.moves++
	if e.changed != nil {
		close(e.changed)
		e.changed = nil
	}
}

// next is what closes with the next move.
func (e *entry) next() <-chan struct{} {
	if e.changed == nil {
		e.changed = make(chan struct{})
	}
	return e.changed
}

// asking is held by who asks the backend.
func (e *entry) asking() chan struct{} {
	if e.learning == nil {
		e.learning = make(chan struct{}, 1)
	}
	return e.learning
}

// claim is what one write has of a place.
type claim struct {
	place  Place
	entry  *entry
	begun  bool // the change may take effect from now on
	shared bool
	loose  bool // it has no order
	spoilt int  // entry.spoilt when it began
}

// alone reports whether no change but the claim's own is under way.
func (c *claim) alone() bool {
	return c.entry.quiet() || c.entry.exclusive && !c.shared && c.sure()
}

// sure reports whether nothing else could change the place since the change began.
func (c *claim) sure() bool { return c.begun && !c.loose && c.spoilt == c.entry.spoilt }

// claim finds or makes the write's claim.
func (h *Hold) claim(p Place) *claim {
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	for _, c := range h.claims {
		if c.place == p {
			return c
		}
	}
	e := h.b.places[p]
	if e == nil {
		e = &entry{recalled: -1}
		h.b.places[p] = e
	}
	e.refs++
	c := &claim{place: p, entry: e}
	h.claims = append(h.claims, c)
	return c
}

// Watch learns what the place holds before the write changes it, unless another
// write knows it already. What cannot be learnt is not credited; Watch fails only
// when ctx has ended.
func (h *Hold) Watch(ctx context.Context, p Place, learn func(context.Context) (State, error)) error {
	if !h.books() {
		return nil
	}
	c := h.claim(p)
	settled, asking, _ := h.look(c)
	if settled {
		return nil
	}
	select {
	case asking <- struct{}{}:
		defer func() { <-asking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	settled, _, moves := h.look(c) // another may have learnt it meanwhile
	if settled {
		return nil
	}
	state, err := learn(ctx)
	if err != nil {
		return ctx.Err()
	}
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	h.b.noteAsked(p)
	if e := c.entry; c.alone() && e.moves == moves {
		e.known, e.state, e.recalled = true, state, -1
	}
	return nil
}

// look reports whether nothing is to be learnt of a place: it is known, or others
// change it. Otherwise asking is to be held first; moves tells whether it changed.
func (h *Hold) look(c *claim) (settled bool, asking chan struct{}, moves int) {
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	e := c.entry
	if e.known || !c.alone() {
		return true, nil, 0
	}
	if state, ok := h.b.recall(c.place); ok {
		e.known, e.state, e.recalled = true, state, h.b.counts
		return true, nil, 0
	}
	return false, e.asking(), e.moves
}

// Order waits until no other change of the place is under way and begins this one;
// with shared, others that share the place may be. After a while it goes on
// without an order. It does nothing if the change has begun before.
func (h *Hold) Order(ctx context.Context, p Place, shared bool) error {
	if !h.books() {
		return nil
	}
	c := h.claim(p)
	changed, begun := h.begin(c, shared, false)
	if begun {
		return nil
	}
	timer := time.NewTimer(h.b.l.opts.OrderTimeout)
	defer timer.Stop()
	for late := false; !begun; changed, begun = h.begin(c, shared, late) {
		select {
		case <-changed:
		case <-timer.C:
			late = true
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// begin begins the change if it may, or must because it is late.
func (h *Hold) begin(c *claim, shared, late bool) (changed <-chan struct{}, begun bool) {
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	e := c.entry
	if c.begun {
		return nil, true
	}
	free := !e.exclusive && (shared || e.shared == 0)
	switch {
	case !free && !late:
		return e.next(), false
	case !free || e.loose > 0:
		c.loose = true
		e.loose++
		e.spoilt++
		e.known = false
	case shared:
		e.shared++
	default:
		e.exclusive = true
	}
	if e.recalled >= 0 && e.recalled != h.b.counts {
		e.known = false // a count has begun since: it may have found something else
	}
	c.begun, c.shared, c.spoilt = true, shared, e.spoilt
	e.moves++
	h.b.busy(h, c.place.counted())
	return nil, true
}

// drop ends the claims of a write.
func (h *Hold) drop() {
	for _, c := range h.claims {
		e := c.entry
		switch {
		case !c.begun:
		case c.loose:
			e.loose--
			e.known = false
		case c.shared:
			e.shared--
		default:
			e.exclusive = false
		}
		e.wake()
		if e.refs--; e.refs == 0 {
			delete(h.b.places, c.place)
		}
	}
	h.claims = nil
}
