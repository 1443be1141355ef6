package s3proxy

import (
	"context"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/upstream"
)

// awaitProof bounds how long one request waits for what a backend's probe is
// about to find. It is well below what clients wait for an answer.
const awaitProof = 20 * time.Second

// await gives the probe of a backend that is new the time to find out about an
// ability, before the request is refused, or carried out in a lesser form, for
// want of it.
func (x *exchange) await(b *upstream.Backend, abilities ...keystile.Ability) {
	if x.patience.IsZero() {
		x.patience = time.Now().Add(awaitProof)
	}
	ctx, cancel := context.WithDeadline(x.context(), x.patience)
	defer cancel()
	b.Await(ctx, abilities...)
}
