package control

import (
	"context"

	"keystile/internal/audit"
	"keystile/internal/keystile"
)

// Trail records refusals and failures of acts, which change nothing and so have
// no transaction of their own. A flood of one becomes one counted event.
type Trail interface {
	Refuse(keystile.Event) audit.Pending
	// Posted says that a transaction has recorded events.
	Posted()
	// CaughtUp returns nil once the store has every event that is durable now.
	CaughtUp(ctx context.Context) error
}

// Journal is what the trail is recorded in.
type Journal interface {
	Chain() audit.Chain
	AnchorsMade() ([]Anchor, error)
	// Follow begins to follow what the trail gets. Too many who do are ErrThrottled.
	Follow() (*audit.Tail, error)
}

// What ends those who follow the trail, beside their rights.
var (
	ErrTooSlow    = audit.ErrTooSlow
	ErrTailsEnded = audit.ErrTailsEnded
)

// Anchor is an anchor of the audit journal.
type Anchor = audit.Anchor

// Gateways are all gateways that answer S3 requests.
type Gateways interface {
	// Confirm returns nil once no gateway accepts anything older than the
	// generation, and requests in flight on rights lost by then have been cut.
	Confirm(ctx context.Context, generation int64) error
}

// Upstreams are the backends as they can be reached.
//
// Errors match keystile.ErrNotFound and ErrConflict where the backend said so,
// ErrUnavailable where it did not answer; their texts are for the log only.
type Upstreams interface {
	// Declared lists the backends of the configuration file.
	Declared() []keystile.Backend
	// Health tells what was last seen of each backend, by id.
	Health() map[string]keystile.Health
	// CheckEndpoint reports ErrInvalid if the backend's address may not be
	// connected to.
	CheckEndpoint(ctx context.Context, b keystile.Backend) error
	// Test tries the backend and keeps what it proves. A zero secret stands for
	// the one in the configuration.
	Test(ctx context.Context, b keystile.Backend, secret keystile.Secret) keystile.TestReport
	Buckets(ctx context.Context, backendID string) ([]keystile.BucketInfo, error)
	CreateBucket(ctx context.Context, b keystile.Bucket) error
	// DeleteBucket reports ErrConflict for a bucket that is not empty.
	DeleteBucket(ctx context.Context, b keystile.Bucket) error
}
