package journal

import (
	"crypto/ed25519"
	"errors"
	"time"
)

// Limits say what of a journal is kept. Zero fields do not limit.
type Limits struct {
	// KeepFor is how long a segment is kept after its last record was written.
	KeepFor time.Duration
	// KeepBytes is how much all segments together may take on the disk.
	KeepBytes int64
	// Below is the record from which on nothing is removed, whatever else is said:
	// what somebody still has to read.
	Below uint64
}

// Retiring is what may be removed: the beginning of a journal, in whole segments.
type Retiring struct {
	First, Last uint64 // records
	// Until is when the segment behind them was begun: they are older.
	Until    time.Time
	Segments int
	Bytes    int64

	firsts []uint64
	hash   chain // of Last
}

// Retirable finds what may be removed; nothing if Segments is 0. The segment that
// is written to is always kept.
func (j *Journal) Retirable(l Limits) (Retiring, error) {
	firsts, err := segments(j.opts.Dir)
	if err != nil || len(firsts) < 2 {
		return Retiring{}, err
	}
	taken, err := sizes(j.opts.Dir, firsts)
	if err != nil {
		return Retiring{}, err
	}
	var total int64
	for _, size := range taken {
		total += size
	}
	r := Retiring{First: firsts[0]}
	for i, first := range firsts[:len(firsts)-1] {
		next, err := headerOf(j.opts.Dir, firsts[i+1])
		if err != nil {
			return Retiring{}, err
		}
		old := l.KeepFor > 0 && j.opts.Now().Sub(next.created) > l.KeepFor
		large := l.KeepBytes > 0 && total > l.KeepBytes
		if !old && !large || next.first > l.Below {
			break
		}
		total -= taken[i]
		r.Last, r.Until, r.hash = next.first-1, next.created, next.before
		r.Segments++
		r.Bytes += taken[i]
		r.firsts = append(r.firsts, first)
	}
	return r, nil
}

// Retire removes what Retirable found, once it has been signed that this was
// meant: Verify takes no other beginning for whole. A crash in between leaves a
// statement of more than is gone.
func (j *Journal) Retire(r Retiring, key ed25519.PrivateKey) error {
	if r.Segments == 0 {
		return nil
	}
	j.signing.Lock()
	_, err := j.sign(key, Anchor{Record: r.Last, Hash: r.hash.String(), Retired: true})
	j.signing.Unlock()
	if err != nil {
		return err
	}
	for _, first := range r.firsts { // the oldest first: what is left has no gap
		if err := removeSegment(j.opts.Dir, first); err != nil {
			return err
		}
	}
	return syncDir(j.opts.Dir)
}

// Begins tells with which record the journal begins, and when its first segment
// was begun; 0 if there is none.
func (j *Journal) Begins() (first uint64, at time.Time, err error) {
	firsts, err := segments(j.opts.Dir)
	if err != nil || len(firsts) == 0 {
		return 0, time.Time{}, err
	}
	h, err := headerOf(j.opts.Dir, firsts[0])
	if errors.Is(err, ErrDamaged) {
		return 0, time.Time{}, nil // Verify tells of it
	}
	return h.first, h.created, err
}
