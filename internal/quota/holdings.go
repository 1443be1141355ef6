package quota

import "keystile/internal/keystile"

// Holdings tells what each bucket holds that has been counted: what is stored, as
// far as that is known. Room that is reserved and writes whose outcome is unknown
// are not among it.
func (l *Ledger) Holdings() map[keystile.Bucket]keystile.Amount {
	held := map[keystile.Bucket]keystile.Amount{}
	for bucket, b := range *l.books.Load() {
		b.mu.Lock()
		if !b.countedAt.IsZero() {
			held[bucket] = b.used
		}
		b.mu.Unlock()
	}
	return held
}
