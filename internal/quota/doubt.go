package quota

import (
	"context"
	"maps"
	"strconv"
	"sync"
	"time"

	"keystile/internal/keystile"
)

// Doubt is what a lost write would have changed: that is asked for later. The zero
// Doubt stands for what only a count can find out.
type Doubt struct {
	// Key is the object's; Version the one that a delete names, if it does.
	Key, Version string
	// UploadID and Part are those of a part; without Part, of an upload that ends.
	UploadID string
	Part     int
	// Parts are those that the upload had when its end began; nil: not known.
	Parts map[int]int64
	// Stores: an object or part of Size bytes is stored; otherwise what is there is
	// taken away.
	Stores bool
	Size   int64
}

// places are those that the write may have changed, each of which is settled by
// itself, and what would be there then.
func (d Doubt) places() map[Place]State {
	now := State{Exists: d.Stores, Size: d.Size}
	switch {
	case d.UploadID == "" && d.Key != "":
		return map[Place]State{VersionPlace(d.Key, d.Version): now}
	case d.Part > 0:
		return map[Place]State{PartPlace(d.UploadID, d.Part): now}
	case d.UploadID == "" || d.Parts == nil:
		return nil
	case d.Stores:
		return map[Place]State{ObjectPlace(d.Key): now, UploadPlace(d.UploadID): {}}
	}
	return map[Place]State{UploadPlace(d.UploadID): {}}
}

const (
	// mostDoubts bounds the places of one bucket that are asked for by themselves.
	// What is lost beyond them waits for a count.
	mostDoubts = 1000
	// askTimeout bounds one question to a backend.
	askTimeout = 10 * time.Second
	// postponed is how long a question waits for changes of the place to end, or for
	// a count to pass.
	postponed = 2 * time.Second
	// asksAtOnce bounds the questions under way to all backends.
	asksAtOnce = 4
)

// askSoon is how long after a write was lost the backend is asked whether it has
// been carried out. That it was not is known only when it can no longer be: askLate
// counts from then, and after the last try the place is left to a count.
var (
	askSoon = [...]time.Duration{time.Second, 5 * time.Second, 30 * time.Second}
	askLate = [...]time.Duration{0, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}
)

// doubt is a place of which is not known what it holds, since a write to it was
// lost. What is counted for it is: once nothing is on its way there, whatever the
// backend says to be there replaces that, and what was reserved is free. It must be
// what one of the gateway's own writes left; anything else is somebody else's, and
// for a count to find.
type doubt struct {
	of     Doubt
	amount keystile.Amount // of the lost writes: it counts until the doubt is settled
	since  time.Time
	until  time.Time // the last of them may still take effect
	// counted is what the book has in used for the place, versioned: for a version
	// that stays where it is when another one is written.
	counted   keystile.Amount
	versioned bool
	was       State
	may       []State // that the place holds one of
	lost      int     // the writes that were
	seq       int     // grows with every change that was noted meanwhile
	tries     int
	next      time.Time // when to ask
	asking    bool
}

// doubt makes what a lost write changed one to be asked for; false where that would
// prove nothing. b.mu is held.
func (b *book) doubt(h *Hold) bool {
	amount := h.need
	places := h.lostIn.places()
	for place := range places {
		if b.doubts[place] == nil && (len(b.doubts) >= mostDoubts || !b.provable(h, place)) {
			return false
		}
	}
	now := b.l.opts.Now()
	for place, state := range places {
		d := b.doubts[place]
		if d == nil {
			d = b.newDoubt(h, place, now)
			b.doubts[place] = d
		}
		if string(place[:1]) != uploadKind { // which only frees
			d.amount = d.amount.Plus(amount)
			b.inDoubt, amount = b.inDoubt.Plus(amount), keystile.Amount{}
		}
		d.may = append(d.may, state)
		d.until = maxTime(d.until, now.Add(b.grace(h.long)))
		d.lost++
		d.seq++
		d.tries = 0
		d.schedule()
	}
	b.dirty = b.dirty || len(places) > 0
	return len(places) > 0
}

// provable reports whether it is known what counts for a place that the write has
// changed, and no count has found something else there meanwhile.
func (b *book) provable(h *Hold, place Place) bool {
	at := place.counted()
	if b.outlast[h][at] != nil || b.loose[h] || b.scan != nil && b.scan.side(at) != ahead {
		return false
	}
	for _, c := range h.claims {
		if c.place == place {
			return c.sure() && (c.entry.known || string(place[:1]) == uploadKind)
		}
	}
	return false
}

func (b *book) newDoubt(h *Hold, place Place, now time.Time) *doubt {
	d := &doubt{of: h.lostIn, since: now}
	switch string(place[:1]) {
	case uploadKind:
		d.of.Key, d.of.Parts = h.lostIn.Key, maps.Clone(h.lostIn.Parts)
		for _, size := range d.of.Parts {
			d.counted.Bytes += size
		}
		d.was = State{Exists: true, Size: d.counted.Bytes}
	case partKind:
		d.was = b.places[place].state
		d.counted = keystile.Amount{Bytes: d.was.Size}
	default:
		d.of.UploadID = "" // of an upload's completion it is the object
		d.was = b.places[place].state
		d.counted = d.was.amount()
		d.versioned = string(place[:1]) == objectKind && !inPlace(d.was.Version)
	}
	d.may = []State{d.was}
	return d
}

// schedule says when to ask next. Of several writes that were lost nobody knows
// which will be the last before all have had their time.
func (d *doubt) schedule() {
	if d.lost == 1 && d.seq == 1 && d.tries < len(askSoon) {
		if d.next = d.since.Add(askSoon[d.tries]); d.next.Before(d.until) {
			return
		}
		d.tries = len(askSoon)
	}
	d.tries = max(d.tries, len(askSoon))
	d.next = d.until.Add(askLate[min(d.tries-len(askSoon), len(askLate)-1)])
}

// note keeps what is counted for a place in step with other writes to it.
func (b *book) note(at Place, vid string, delta, now keystile.Amount) {
	if len(b.doubts) == 0 {
		return
	}
	place := at
	switch {
	case string(at[:1]) == uploadKind:
		number, _ := strconv.Atoi(vid) // it was made of one
		place = PartPlace(string(at[1:]), number)
		b.voidAt(at) // an upload whose parts change has not ended
	case vid != "null":
		place = VersionPlace(string(at[1:]), vid)
		b.voidAt(at) // which version is on top no longer tells
	}
	if d := b.doubts[place]; d != nil {
		d.counted = d.counted.Plus(delta)
		d.moved(State{Exists: now != keystile.Amount{}, Size: now.Bytes})
	}
}

// moved is told of every change that one of our own writes made.
func (d *doubt) moved(now State) {
	d.may = append(d.may, now)
	d.seq++
	d.tries = 0
	d.schedule()
}

// ended notes that an upload is gone, and with it its parts.
func (b *book) ended(uploadID string) {
	for _, d := range b.doubts {
		if d.of.UploadID == uploadID && d.of.Part > 0 {
			d.moved(State{})
		}
	}
}

func (b *book) voidAt(place Place) {
	if d := b.doubts[place]; d != nil {
		b.leaveToCount(place, d)
	}
}

// leaveToCount gives up asking.
func (b *book) leaveToCount(place Place, d *doubt) {
	b.forget(place, d)
	b.loseUntil(d.amount, d.until)
}

func (b *book) forget(place Place, d *doubt) {
	delete(b.doubts, place)
	b.inDoubt = b.inDoubt.Minus(d.amount)
	b.dirty = true
}

// recounted is for a count that has ended: it has settled what could no longer take
// effect when it began, and knows another amount of the rest.
func (b *book) recounted(began time.Time) {
	for place, d := range b.doubts {
		if d.until.Before(began) {
			b.forget(place, d)
		} else {
			b.leaveToCount(place, d)
		}
	}
}

// question is one that is due.
type question struct {
	b     *book
	place Place
	d     *doubt
	seq   int
}

// questions are those that are due, at most so many.
func (b *book) questions(most int) (due []question) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.l.opts.Now()
	for place, d := range b.doubts {
		switch {
		case len(due) >= most:
			return due
		case d.asking || now.Before(d.next) || b.stopped || b.awaitsObject(place, d):
		case !b.still(place):
			d.next = now.Add(postponed)
		default:
			d.asking = true
			due = append(due, question{b, place, d, d.seq})
		}
	}
	return due
}

// still reports whether no change of the place is under way, and no count that may
// have seen it.
func (b *book) still(place Place) bool {
	if at := place.counted(); b.scan != nil && b.scan.side(at) != ahead {
		return false
	}
	if e := b.places[place]; e != nil && !e.quiet() {
		return false
	}
	upload := b.places[place.counted()]
	return string(place[:1]) != partKind || upload == nil || !upload.exclusive && upload.loose == 0
}

// ask asks the questions that are due, some at a time.
func (l *Ledger) ask(ctx context.Context, asking *sync.WaitGroup, slots chan struct{}) {
	for _, b := range *l.books.Load() {
		for _, q := range b.questions(cap(slots) - len(slots)) {
			slots <- struct{}{}
			asking.Go(func() {
				defer func() { <-slots }()
				q.ask(ctx)
			})
		}
	}
}

func (q question) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	found, err := q.learn(ctx)
	b, d := q.b, q.d
	b.mu.Lock()
	defer b.mu.Unlock()
	d.asking = false
	now := b.l.opts.Now()
	switch {
	case b.doubts[q.place] != d: // it was settled otherwise
	case d.seq != q.seq || !b.still(q.place) || b.awaitsObject(q.place, d):
		d.next = now.Add(postponed)
	case becomesObject(q.place, d) && b.recount: // its object may be what is to be counted
		b.leaveToCount(q.place, d)
	case err == nil && d.settles(found, now):
		b.settleDoubt(q.place, d, found)
	case err == nil && !now.Before(d.until), d.tries+1 >= len(askSoon)+len(askLate):
		b.leaveToCount(q.place, d)
	default:
		d.tries++
		d.schedule()
	}
}

// becomesObject reports whether a place is an upload that may have been completed.
func becomesObject(place Place, d *doubt) bool {
	return string(place[:1]) == uploadKind && d.of.Stores
}

// awaitsObject reports whether it is not known yet whether the object is there that an
// upload may have become: until it is, the upload's parts count in its stead.
func (b *book) awaitsObject(place Place, d *doubt) bool {
	return becomesObject(place, d) && b.doubts[ObjectPlace(d.of.Key)] != nil
}

func (q question) learn(ctx context.Context) (State, error) {
	of, lister := q.d.of, q.b.l.opts.Lister
	if of.UploadID == "" {
		v, there, err := lister.Object(ctx, q.b.bucket, of.Key, of.Version)
		return State{Exists: there, Size: v.Size, Version: v.VersionID}, err
	}
	parts, err := lister.Parts(ctx, q.b.bucket, keystile.PendingUpload{Key: of.Key, UploadID: of.UploadID})
	if err != nil || of.Part > 0 {
		size, there := parts[of.Part]
		return State{Exists: there, Size: size}, err
	}
	if parts == nil {
		return State{}, nil
	}
	if !maps.Equal(parts, of.Parts) {
		return State{Exists: true, Size: -1}, nil // neither here nor there
	}
	return q.d.was, nil
}

// settles reports whether what was found tells all: it is what the write would have
// left, or, once it can no longer take effect, what one of our writes has.
func (d *doubt) settles(found State, now time.Time) bool {
	late := !now.Before(d.until)
	for i, may := range d.may {
		if found.is(may) && (late || d.lost == 1 && d.seq == 1 && i == 1) {
			return !d.versioned || found.is(d.was) || !found.Exists
		}
	}
	return false
}

// is compares what places hold. Versions that are overwritten in place have no name
// of their own.
func (s State) is(other State) bool {
	if !s.Exists || !other.Exists {
		return s.Exists == other.Exists
	}
	return s.Size == other.Size && (s.Version == other.Version || inPlace(s.Version) && inPlace(other.Version))
}

// settleDoubt puts what was found in the stead of what was counted.
func (b *book) settleDoubt(place Place, d *doubt, found State) {
	b.forget(place, d)
	b.forgetSize(place)
	now := keystile.Amount{Bytes: found.Size}
	switch {
	case !found.Exists:
		now = keystile.Amount{}
	case string(place[:1]) == objectKind || string(place[:1]) == versionKind:
		now.Objects = 1
	}
	if d.versioned {
		now = d.counted // the version is there, or below a marker
	}
	b.change(place.counted(), now.Minus(d.counted))
	b.noteSoft()
}
