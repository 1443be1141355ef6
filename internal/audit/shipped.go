package audit

import "math"

// Shipped is the number of the last record that every sink has got which
// retention waits for: a segment may be removed if none of its records is beyond
// it. Where no sink is waited for, that holds for every record.
func (t *Trail) Shipped() uint64 {
	if t.shipped == nil {
		return math.MaxUint64
	}
	return t.shipped()
}
