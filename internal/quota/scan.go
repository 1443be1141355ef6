package quota

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"keystile/internal/keystile"
)

// scan is a count of a bucket, page by page: first the parts of uploads, then the
// objects, so that an upload which is completed meanwhile, unseen, counts twice
// rather than not at all. Changes are merged by where they are:
//
//	behind   the page that has them was read before: they are added
//	ahead    their page is still to be read and will have them
//	between  their page is being read, and may have them or not: what the page says
//	         of them is replaced by what is known to be so
//
// All fields but cancel are guarded by the book's mu.
type scan struct {
	cancel   context.CancelFunc
	began    time.Time
	sum      keystile.Amount
	parts    int64 // bytes of sum that are parts of uploads
	progress keystile.ScanProgress

	phase    phase
	fetching bool // a page is being read
	// todo are the uploads still to be read, keys the objects they are for, now the
	// one being read.
	todo map[string]bool
	keys map[string]string
	now  string
	// cursor is the last key behind; partial: further versions of it are ahead.
	cursor  string
	partial bool
	next    keystile.VersionMark // where the listing goes on
	// disorder: the backend lists in an order of its own, so that nothing is known
	// to be ahead or behind.
	disorder bool

	finished bool  // all was read
	uploads  bool  // it counts no more than the parts of uploads
	keySet   *keys // that were found; nil: not all of them were (see recall)

	// during is what is known of places that changed while the page was read.
	during map[Place]versions
	// pending is, of places that were being changed when their page had been read,
	// what the page said.
	pending map[*Hold]map[Place]versions
	loose   map[*Hold]bool // like pending, where what the page said is not known
}

// versions are the versions of a key, or the parts of an upload.
type versions map[string]keystile.Amount

type phase uint8

const (
	listingUploads phase = iota
	readingParts
	readingObjects
)

type side uint8

const (
	ahead side = iota
	between
	behind
	unsure
)

var errDisorder = errors.New("the backend lists in an order of its own")

// side tells where a place is.
func (s *scan) side(at Place) side {
	kind, name := string(at[:1]), string(at[1:])
	switch {
	case kind == uploadKind && s.phase == listingUploads:
		return between
	case kind == uploadKind && !s.todo[name]:
		return behind
	case kind == uploadKind && s.fetching && s.now == name:
		return between
	case kind == uploadKind || s.phase != readingObjects:
		return ahead
	case s.disorder:
		return unsure
	case name == s.cursor && s.partial:
		return unsure
	case name <= s.cursor && s.cursor != "":
		return behind
	case s.fetching:
		return between
	}
	return ahead
}

// scanChanged merges a change into the count that is under way.
func (b *book) scanChanged(h *Hold, at Place, vid string, now, was keystile.Amount) {
	s := b.scan
	if s == nil {
		return
	}
	if page, ok := s.pending[h][at]; ok {
		s.add(at, now.Minus(page[vid]))
		page[vid] = now
		return
	}
	where := s.side(at)
	if s.loose[h] && string(at[:1]) == objectKind {
		where = unsure
	}
	switch where {
	case behind:
		s.add(at, now.Minus(was))
	case between:
		if s.during[at] == nil {
			s.during[at] = versions{}
		}
		s.during[at][vid] = now
	case unsure:
		s.add(at, now)
		b.recount = true
	case ahead:
	}
}

// scanUnsure merges a change of which it is not known what was before.
func (b *book) scanUnsure(at Place, now keystile.Amount) {
	if s := b.scan; s != nil && s.side(at) != ahead {
		s.add(at, now)
	}
}

// add counts what a place holds, or more of it than before.
func (s *scan) add(at Place, more keystile.Amount) {
	s.sum = s.sum.Plus(more)
	if string(at[:1]) == uploadKind {
		s.parts += more.Bytes
	}
}

// spoilScan makes the count begin anew.
func (b *book) spoilScan() {
	if b.scan != nil {
		b.scan.cancel()
		b.wanted = true
	}
}

// busy and idle keep which places are being changed.
func (b *book) busy(h *Hold, at Place) {
	if b.active[at] == nil {
		b.active[at] = map[*Hold]bool{}
	}
	b.active[at][h] = true
}

func (b *book) idle(h *Hold) {
	for _, c := range h.claims {
		at := c.place.counted()
		delete(b.active[at], h)
		if len(b.active[at]) == 0 {
			delete(b.active, at)
		}
	}
	delete(b.outlast, h)
	delete(b.loose, h)
	if b.scan != nil {
		delete(b.scan.pending, h)
		delete(b.scan.loose, h)
	}
}

// pacing waits after a page that took so long to read.
type pacing func(ctx context.Context, took time.Duration) error

// count counts the bucket once.
func (b *book) count(ctx context.Context, rest pacing) error {
	steps := []func(context.Context, pacing) error{b.countUploads, b.countParts, b.countObjects}
	b.mu.Lock()
	switch {
	case b.scan.uploads:
		steps = steps[:2]
	case b.scan.phase == readingObjects:
		steps = steps[2:] // the others were done before a restart
	}
	b.mu.Unlock()
	for _, step := range steps {
		if err := step(ctx, rest); err != nil {
			return err
		}
	}
	return nil
}

// fetch reads a page. Changes of its time are kept apart until take has them.
func (b *book) fetch(ctx context.Context, rest pacing, read func() error, take func(*scan) error) error {
	b.mu.Lock()
	s := b.scan
	s.fetching = true
	b.mu.Unlock()
	began := time.Now() // of the machine: it is about load
	err := read()
	b.mu.Lock()
	s.fetching = false
	if err == nil {
		s.progress.Pages++
		err = take(s)
		b.dirty = true // how far it is goes into the store
	}
	if err == nil && s.phase != listingUploads {
		s.during = map[Place]versions{}
	}
	b.mu.Unlock()
	if err != nil {
		return err
	}
	return rest(ctx, time.Since(began))
}

// countUploads finds the uploads. Parts of those that begin meanwhile, or are gone
// when the list ends, are counted as they change.
func (b *book) countUploads(ctx context.Context, rest pacing) error {
	found := map[string]bool{}
	keys := map[string]string{}
	var after keystile.UploadMark
	for more := true; more; {
		var uploads []keystile.PendingUpload
		var next *keystile.UploadMark
		err := b.fetch(ctx, rest, func() (err error) {
			uploads, next, err = b.l.opts.Lister.Uploads(ctx, b.bucket, after)
			return err
		}, func(s *scan) error {
			for _, u := range uploads {
				found[u.UploadID], keys[u.UploadID] = true, u.Key
			}
			if next == nil {
				s.beginParts(b, found)
				s.keys = keys
			}
			return nil
		})
		if err != nil {
			return err
		}
		if more = next != nil; more {
			after = *next
		}
	}
	return nil
}

// beginParts ends the listing of uploads.
func (s *scan) beginParts(b *book, found map[string]bool) {
	s.phase, s.todo = readingParts, found
	for at, parts := range s.during {
		if !found[string(at[1:])] {
			s.add(at, parts.sum())
		}
	}
	for at := range b.active {
		if string(at[:1]) == uploadKind && !found[string(at[1:])] {
			s.await(b, at, s.during[at])
		}
	}
}

func (v versions) sum() (sum keystile.Amount) {
	for _, a := range v {
		sum = sum.Plus(a)
	}
	return sum
}

// await keeps what the page said of a place for the holds that are changing it.
func (s *scan) await(b *book, at Place, page versions) {
	for h := range b.active[at] {
		if s.pending[h] == nil {
			s.pending[h] = map[Place]versions{}
		}
		kept := versions{}
		for vid, a := range page {
			kept[vid] = a
		}
		s.pending[h][at] = kept
	}
}

// replace puts what is known of a place in the stead of what the page said.
func (s *scan) replace(b *book, at Place, page versions) {
	for vid, now := range s.during[at] {
		s.add(at, now.Minus(page[vid]))
		page[vid] = now
	}
	s.await(b, at, page)
}

func (b *book) countParts(ctx context.Context, rest pacing) error {
	b.mu.Lock()
	keys := b.scan.keys
	b.mu.Unlock()
	for id, key := range keys {
		b.mu.Lock()
		b.scan.now = id
		b.mu.Unlock()
		var parts map[int]int64
		err := b.fetch(ctx, rest, func() (err error) {
			parts, err = b.l.opts.Lister.Parts(ctx, b.bucket, keystile.PendingUpload{Key: key, UploadID: id})
			return err
		}, func(s *scan) error {
			page := versions{}
			for number, size := range parts {
				page[strconv.Itoa(number)] = keystile.Amount{Bytes: size}
			}
			s.add(UploadPlace(id), page.sum())
			s.progress.Seen = s.progress.Seen.Plus(page.sum())
			s.replace(b, UploadPlace(id), page)
			delete(s.todo, id)
			s.now = ""
			return nil
		})
		if err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.scan.phase, b.scan.keys = readingObjects, nil
	return nil
}

func (b *book) countObjects(ctx context.Context, rest pacing) error {
	b.mu.Lock()
	after := b.scan.next
	b.mu.Unlock()
	for {
		var page objectPage
		err := b.fetch(ctx, rest, func() (err error) {
			page, err = readPage(b.l.opts.Lister.Versions(ctx, b.bucket, after))
			b.scan.list(page)
			return err
		}, func(s *scan) error { return s.takeObjects(b, page) })
		if err != nil {
			return err
		}
		if page.Next == nil {
			return nil
		}
		after = *page.Next
	}
}

// objectPage is a page of objects with what can be told of it alone, so that the
// book is locked for no more than what writes have changed.
type objectPage struct {
	keystile.VersionPage
	sum     keystile.Amount
	ordered bool
}

func readPage(page keystile.VersionPage, err error) (objectPage, error) {
	p := objectPage{VersionPage: page, ordered: true}
	last := ""
	for _, v := range page.Versions {
		p.ordered = p.ordered && v.Key >= last
		p.sum = p.sum.Plus(keystile.Amount{Bytes: v.Size, Objects: 1})
		last = v.Key
	}
	p.LastKey = max(page.LastKey, last)
	return p, err
}

// list adds the keys of a page to the set. Only the count itself uses it.
func (s *scan) list(page objectPage) {
	if s.keySet == nil {
		return
	}
	for _, v := range page.Versions {
		s.keySet.listed.add(v.Key)
	}
}

// of finds the versions of a key on a page that is in order.
func (p *objectPage) of(key string) versions {
	found := versions{}
	first, _ := slices.BinarySearchFunc(p.Versions, key, func(v keystile.StoredVersion, key string) int { return cmp.Compare(v.Key, key) })
	for _, v := range p.Versions[first:] {
		if v.Key != key {
			break
		}
		found[v.VersionID] = keystile.Amount{Bytes: v.Size, Objects: 1}
	}
	return found
}

// takeObjects takes over a page of objects.
func (s *scan) takeObjects(b *book, page objectPage) error {
	before := s.cursor
	if !s.disorder && (!page.ordered || len(page.Versions) > 0 && page.Versions[0].Key < before) {
		return errDisorder
	}
	s.sum = s.sum.Plus(page.sum)
	s.progress.Seen = s.progress.Seen.Plus(page.sum)
	s.progress.LastKey = page.LastKey
	if s.disorder {
		s.endDisorder(b, page.Next == nil)
		return nil
	}
	within := func(at Place) bool {
		key := string(at[1:])
		return string(at[:1]) == objectKind && (key > before || before == "") && (page.Next == nil || key <= page.LastKey)
	}
	listed := map[Place]versions{}
	for at := range s.during {
		if within(at) {
			listed[at] = page.of(string(at[1:]))
		}
	}
	for at := range b.active {
		if within(at) && listed[at] == nil {
			listed[at] = page.of(string(at[1:]))
		}
	}
	for at, of := range listed {
		s.replace(b, at, of)
	}
	s.cursor, s.partial = max(page.LastKey, before), page.Next != nil && page.Next.VersionID != ""
	if page.Next == nil {
		s.finished, s.cursor, s.partial = true, maxKey, false
	} else {
		s.next = *page.Next
	}
	return nil
}

// endDisorder ends a count without an order: changes that are under way at its end
// may have been seen or not.
func (s *scan) endDisorder(b *book, last bool) {
	if !last {
		return
	}
	for at, holds := range b.active {
		if string(at[:1]) == objectKind {
			for h := range holds {
				s.loose[h] = true
			}
		}
	}
	s.disorder, s.cursor, s.finished = false, maxKey, true
}

// maxKey is behind every key: no UTF-8 text begins with this byte.
const maxKey = "\xff"

// finish takes over what was counted.
func (b *book) finish() {
	s := b.scan
	sum := s.sum.Floor()
	if !b.countedAt.IsZero() {
		b.drift = sum.Minus(b.used)
	}
	b.used, b.countedAt, b.dirty = sum, s.began, true
	b.parts, b.partsGone, b.lastParts = max(s.parts, 0), false, b.l.opts.Now()
	b.outlast, b.loose = s.pending, s.loose
	var still []lost
	for _, u := range b.unknown {
		if !u.until.Before(s.began) {
			still = append(still, u)
		}
	}
	b.unknown = still
	b.recounted(s.began)
	b.takeKeys(s.keySet)
	s.keySet = nil
	b.noteSoft()
}

func scanFailure(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "it was cancelled"
	case errors.Is(err, keystile.ErrNotFound):
		return "there is no such bucket at the backend"
	}
	return fmt.Sprint(err)
}
