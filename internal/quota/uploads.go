package quota

import (
	"context"
	"errors"
	"time"
)

const (
	// uploadsEvery is how often the uploads of a bucket are listed that has parts of
	// some: backends end uploads by themselves, or somebody else does.
	uploadsEvery = 30 * time.Minute
	// uploadsPause is the least time between two listings, also where an upload was
	// found to be gone.
	uploadsPause = time.Minute
)

// Gone notes that the backend says there is no such upload as the write was for: what
// counts of its parts, if anything does, is to be given back.
func (h *Hold) Gone() {
	if !h.books() {
		return
	}
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	h.b.partsGone = true
}

// uploadsDue reports whether the uploads are to be listed now.
func (b *book) uploadsDue(now time.Time) bool {
	if b.scan != nil || b.stopped || b.wanted || b.resume != nil || b.countedAt.IsZero() || b.parts <= 0 || !b.certain() {
		return false
	}
	since := now.Sub(b.lastParts)
	return since >= uploadsEvery || b.partsGone && since >= uploadsPause
}

// certain reports whether an upload that is gone has become no object that is not
// counted yet: none is being completed, and of none is it unknown whether it was.
func (b *book) certain() bool {
	if b.recount || len(b.unknown) > 0 || len(b.doubts) > 0 || !b.again.IsZero() {
		return false
	}
	for at := range b.active {
		if e := b.places[at]; e != nil && string(at[:1]) == uploadKind && (e.exclusive || e.loose > 0) {
			return false
		}
	}
	return true
}

// beginUploads begins to count the parts of uploads if that is due; nil if not. It is
// the first half of a count of all, with what that does about changes meanwhile.
func (b *book) beginUploads(process context.Context) (run func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.l.opts.Now()
	if !b.uploadsDue(now) {
		return nil
	}
	ctx := b.newScan(process, now)
	b.scan.uploads, b.partsGone, b.lastParts = true, false, now
	return func() { b.runUploads(ctx) }
}

func (b *book) runUploads(ctx context.Context) {
	err := b.count(ctx, pace(false))
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.scan
	if err == nil {
		err = ctx.Err() // cancelled when all was read
	}
	s.cancel()
	b.scan, b.lastParts = nil, b.l.opts.Now()
	if err == nil && !b.certain() {
		b.partsGone = true // again, when what is under way now has ended
		return
	}
	if err != nil {
		b.partsGone = true // they are still to be listed
		if !errors.Is(err, context.Canceled) && !b.stopped {
			b.l.opts.Log.Warn("the uploads of a bucket could not be listed; trying again", "bucket", b.bucket.String(), "error", err)
		}
		return
	}
	b.takeParts(s)
}

// takeParts takes over what parts there are.
func (b *book) takeParts(s *scan) {
	found, counted := max(s.parts, 0), b.parts
	b.used.Bytes = max(b.used.Bytes+found-counted, 0)
	b.parts, b.dirty = found, true
	for h, places := range s.pending {
		if b.outlast == nil {
			b.outlast = map[*Hold]map[Place]versions{}
		}
		if b.outlast[h] == nil {
			b.outlast[h] = map[Place]versions{}
		}
		for at, page := range places {
			b.outlast[h][at] = page
		}
	}
	b.noteSoft()
	if found != counted {
		b.l.opts.Log.Info("the uploads of a bucket hold another amount than was known", "bucket", b.bucket.String(), "more_bytes", found-counted)
	}
}
