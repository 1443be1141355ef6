package quota

import (
	"context"

	"keystile/internal/keystile"
)

// Grow reserves more for a write whose size is learnt as it comes in. Errors are
// those of Reserve. It crosses no soft cap: that is left to the next write.
func (h *Hold) Grow(ctx context.Context, more keystile.Amount) error {
	if !h.books() {
		return nil
	}
	covered, crossed, err := h.b.take(more, nil)
	if err != nil {
		return err
	}
	h.b.mu.Lock()
	if crossed {
		h.b.overSoft = false
	}
	if !h.grown {
		h.grown, h.grownAt = true, h.b.countedAt
	}
	h.b.mu.Unlock()
	if !covered {
		if err := h.b.cover(ctx, false); err != nil {
			h.b.giveBack(more)
			return err
		}
	}
	h.need = h.need.Plus(more)
	return nil
}

// recountGrown is for a write whose parts no count was told of: one that was under
// way meanwhile, or ended, may have found them. So may a listing of uploads alone:
// the next one finds them gone.
func (h *Hold) recountGrown() {
	h.b.partsGone = h.b.partsGone || h.grown
	if b := h.b; h.grown && (b.scan != nil || !b.countedAt.Equal(h.grownAt)) {
		b.recount, b.dirty = true, true
	}
}
