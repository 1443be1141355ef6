package audit

import (
	"math"

	"keystile/internal/journal"
)

// Shipped is the number of the last record that every sink has got which
// retention waits for: a segment may be removed if none of its records is beyond
// it. Where no sink is waited for, that holds for every record.
func (t *Trail) Shipped() uint64 {
	if t.shipped == nil {
		return math.MaxUint64
	}
	return t.shipped()
}

// Reading is the journal for those who read it.
type Reading interface {
	ID() string
	// Head is the number of the last durable record; 0 before the first.
	Head() uint64
	// Read begins with the record seq, or the first one after it that is there.
	Read(seq uint64) *journal.Cursor
	// Anchors are all that were made, oldest first.
	Anchors() ([]journal.Anchor, error)
}

// Reading is the trail's journal.
func (t *Trail) Reading() Reading { return t.journal }
