package quota

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"keystile/internal/keystile"
)

// ErrUncounted: the bucket has a hard cap, and what it holds is being counted for
// the first time.
var ErrUncounted = errors.New("the bucket is being counted for the first time")

// Limit is what a write does not fit below.
type Limit uint8

// The limits.
const (
	OfBucket    Limit = iota // the bucket's hard cap
	OfOwner                  // what all buckets of the bucket's owner may hold
	OfCeiling                // what the bucket may hold for the credential to write
	OfDay                    // what the credential may write in a day
	OfAllowance              // what it may write in all
)

// The units of OverError.
const (
	unitBytes   = "bytes"
	unitObjects = "objects"
)

// OverError is a write that does not fit.
type OverError struct {
	Bucket keystile.Bucket // empty for an allowance
	Of     Limit
	Unit   string // "bytes" or "objects"
	// Cap, Used (with what is reserved) and Needed are in that unit.
	Cap, Used, Needed int64
}

func (e *OverError) Error() string {
	what := [...]string{
		OfBucket: "the hard cap of the bucket", OfOwner: "the cap of the bucket's owner", OfCeiling: "the credential's ceiling",
		OfDay: "the credential's allowance of a day", OfAllowance: "the credential's allowance",
	}[e.Of]
	return fmt.Sprintf("%s is %d %s: %d are used or reserved, and %d more are needed", what, e.Cap, e.Unit, e.Used, e.Needed)
}

// tightest is the refusal that leaves the least room, of those in one unit; nil if
// none is one.
func tightest(refusals ...error) (found error) {
	var least *OverError
	for _, err := range refusals {
		var over *OverError
		switch {
		case err == nil:
		case !errors.As(err, &over):
			return err
		case least == nil || over.Unit == least.Unit && over.Cap-over.Used < least.Cap-least.Used:
			least, found = over, err
		}
	}
	return found
}

// book is one bucket's.
type book struct {
	l         *Ledger
	bucket    keystile.Bucket
	trackedAt time.Time
	writing   chan struct{}         // held while the store is written; never while waiting for mu
	group     atomic.Pointer[group] // of its owner; nil: none

	mu        sync.Mutex
	caps      keystile.BucketQuota
	used      keystile.Amount
	parts     int64 // bytes of used that are parts of uploads; -1: not known
	unknown   []lost
	doubts    map[Place]*doubt // beside unknown
	inDoubt   keystile.Amount  // the sum of theirs
	reserved  keystile.Amount
	bound     keystile.Amount // total never goes beyond it; in the store it is as high
	dirty     bool
	stopped   bool // no longer counted
	countedAt time.Time
	drift     keystile.Amount
	overSoft  bool
	recount   bool
	places    map[Place]*entry
	active    map[Place]map[*Hold]bool // places, as counts find them, that writes are changing

	// outlast and loose are those of the last count (see scan.pending and scan.loose):
	// of changes that were under way when it ended.
	outlast map[*Hold]map[Place]versions
	loose   map[*Hold]bool

	sizes  map[Place]State // see recall
	keys   *keys           // nil: not known since the process began
	asked  int64           // how often the backend was for want of them
	counts int             // that began

	partsGone bool      // an upload is not there that may have had parts
	lastParts time.Time // when uploads were listed, or the bucket counted

	scan      *scan
	resume    *keystile.ScanPosition // of a count that a restart cut off; nil: none
	wanted    bool                   // a count was asked for
	disorder  bool                   // the backend lists in an order of its own
	lastScan  time.Time              // when the last one ended
	again     time.Time              // when another one is due in any case; zero: never
	scanError string
}

// lost are writes whose outcome is unknown.
type lost struct {
	amount keystile.Amount
	until  time.Time // the last of them may still take effect
}

// lostTogether is how near in time two lost writes are kept as one.
const lostTogether = 10 * time.Second

// longGrace is how long what a backend does by itself (a copy, the completion of
// an upload) may take after nobody waits for it.
const longGrace = 15 * time.Minute

// lostSum is what counts of writes whose outcome is unknown.
func (b *book) lostSum() keystile.Amount {
	sum := b.inDoubt
	for _, u := range b.unknown {
		sum = sum.Plus(u.amount)
	}
	return sum
}

// total is all that counts against a cap.
func (b *book) total() keystile.Amount { return b.used.Plus(b.lostSum()).Plus(b.reserved) }

func (b *book) setCaps(q keystile.BucketQuota) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// The lease was for the caps of before.
	b.dirty = b.dirty || b.caps.Soft != q.Soft || b.caps.Hard != q.Hard
	b.caps = q
	b.noteSoft()
}

func (b *book) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
	b.cancelScan()
	b.countBegins()
	b.takeKeys(nil)
}

func (b *book) usage() keystile.Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := keystile.Usage{
		Used: b.used, Unknown: b.lostSum(), Reserved: b.reserved, CountedAt: b.countedAt, Drift: b.drift,
		Recount: b.recount || len(b.unknown) > 0, ScanError: b.scanError,
	}
	if b.counting() {
		progress := b.scan.progress
		u.Scan = &progress
	}
	return u
}

// take reserves room for a write in memory; covered reports that the store's bound
// covers it, crossed that the write is the one which goes over a soft cap. A nil
// book takes everything.
func (b *book) take(need keystile.Amount, ceiling *keystile.Amount) (covered, crossed bool, err error) {
	if b == nil {
		return true, false, nil
	}
	g, unlock := b.lockGroup(need)
	defer unlock()
	var ofOwner error
	if g != nil {
		ofOwner = g.fits(b, need)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := tightest(b.fits(need, ceiling), ofOwner); err != nil {
		return false, false, err
	}
	b.reserved = b.reserved.Plus(need)
	crossed = !b.overSoft && b.aboveSoft()
	if crossed {
		b.overSoft, b.dirty = true, true
	}
	return b.total().Within(b.bound), crossed, nil
}

// giveBack returns what was reserved and not sent.
func (b *book) giveBack(need keystile.Amount) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reserved = b.reserved.Minus(need)
	b.noteSoft()
}

// fits reports why a write does not. What takes nothing always fits.
func (b *book) fits(need keystile.Amount, ceiling *keystile.Amount) error {
	if need == (keystile.Amount{}) || ceiling == nil && !b.caps.Capped() {
		return nil
	}
	if b.countedAt.IsZero() {
		return ErrUncounted
	}
	err := b.below(OfBucket, b.caps.Hard, need)
	if ceiling != nil {
		err = tightest(err, b.below(OfCeiling, *ceiling, need))
	}
	return err
}

// below reports why a write does not fit below caps.
func (b *book) below(of Limit, caps, need keystile.Amount) error {
	total := b.total()
	if caps.Bytes != keystile.NoCap && need.Bytes > 0 && need.Bytes > caps.Bytes-total.Bytes {
		return &OverError{Bucket: b.bucket, Of: of, Unit: unitBytes, Cap: caps.Bytes, Used: total.Bytes, Needed: need.Bytes}
	}
	if caps.Objects != keystile.NoCap && need.Objects > 0 && need.Objects > caps.Objects-total.Objects {
		return &OverError{Bucket: b.bucket, Of: of, Unit: unitObjects, Cap: caps.Objects, Used: total.Objects, Needed: need.Objects}
	}
	return nil
}

func (b *book) aboveSoft() bool {
	total, soft := b.total(), b.caps.Soft
	return soft.Bytes != keystile.NoCap && total.Bytes > soft.Bytes || soft.Objects != keystile.NoCap && total.Objects > soft.Objects
}

// noteSoft ends the state of being over a soft cap; a write alone begins it.
func (b *book) noteSoft() {
	if b.overSoft && !b.aboveSoft() {
		b.overSoft, b.dirty = false, true
	}
}

// warning tells of a soft cap that is passed; "" if none is.
func (b *book) warning() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	total, soft := b.total(), b.caps.Soft
	switch {
	case soft.Bytes != keystile.NoCap && total.Bytes > soft.Bytes:
		return fmt.Sprintf("soft cap of %d bytes passed: %d used", soft.Bytes, total.Bytes)
	case soft.Objects != keystile.NoCap && total.Objects > soft.Objects:
		return fmt.Sprintf("soft cap of %d objects passed: %d used", soft.Objects, total.Objects)
	}
	return ""
}

// grace is how long a lost write may still take effect; long is one that the
// backend may carry out on its own for a long time.
func (b *book) grace(long bool) time.Duration {
	if long {
		return max(longGrace, b.l.opts.Grace)
	}
	return b.l.opts.Grace
}

// loseUntil counts a write whose outcome a count is to find.
func (b *book) loseUntil(amount keystile.Amount, until time.Time) {
	b.recount, b.dirty = true, true
	if amount == (keystile.Amount{}) {
		return
	}
	if n := len(b.unknown); n > 0 && until.Sub(b.unknown[n-1].until).Abs() < lostTogether {
		last := &b.unknown[n-1]
		last.amount, last.until = last.amount.Plus(amount), maxTime(last.until, until)
		return
	}
	b.unknown = append(b.unknown, lost{amount, until})
}

func maxTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
