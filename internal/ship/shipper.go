package ship

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"keystile/internal/journal"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Sink takes items. It is used by one goroutine.
type Sink interface {
	// Send returns nil once all items were taken, for good as far as can be known.
	// After an error they are sent again, all of them.
	Send(ctx context.Context, items []Item) error
	Close() error
}

// Feed is what one sink gets.
type Feed struct {
	Name   string
	Kind   string
	Target string // where that is, in words that hold no secret
	Sink   Sink
	// Records and Anchors say which of them it gets.
	Records, Anchors bool
	// FromNow lets a sink that never got anything begin with what is recorded from
	// now on, instead of with the journal's first record.
	FromNow bool
	// Waited says that retention removes no record that this sink has not got.
	Waited bool
}

// Journal is where records and anchors are read.
type Journal interface {
	ID() string
	// Head is the number of the last durable record.
	Head() uint64
	// Read begins with the record seq, or the first one after it that is there.
	Read(seq uint64) *journal.Cursor
	Anchors() ([]journal.Anchor, error)
}

// Store is where positions are kept.
type Store interface {
	Read(ctx context.Context, fn func(store.Tx) error) error
	Write(ctx context.Context, fn func(store.Tx) error) error
}

// Options are what a Shipper is made of; all are required.
type Options struct {
	Journal Journal
	Store   Store
	Log     *slog.Logger
	Now     func() time.Time
	Feeds   []Feed
}

// Shipper sends to all sinks.
type Shipper struct{ feeds []*feed }

// New reads the positions. Run sends.
func New(ctx context.Context, o Options) (*Shipper, error) {
	s := &Shipper{}
	for _, one := range o.Feeds {
		f, err := newFeed(ctx, o, one)
		if err != nil {
			return nil, err
		}
		s.feeds = append(s.feeds, f)
	}
	return s, nil
}

// Run sends until ctx ends, and notes how far it got.
func (s *Shipper) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, f := range s.feeds {
		all.Go(func() { f.run(ctx) })
	}
	all.Wait()
}

// Reopen has files opened anew before the next record: they may have been moved
// away.
func (s *Shipper) Reopen() {
	for _, f := range s.feeds {
		if file, ok := f.Sink.(*File); ok {
			file.Reopen()
		}
	}
}

// Shipped is the number of the last record that all sinks have got which
// retention waits for; the largest number if there is none.
func (s *Shipper) Shipped() uint64 {
	least := uint64(math.MaxUint64)
	for _, f := range s.feeds {
		if f.Records && f.Waited {
			least = min(least, f.durable())
		}
	}
	return least
}

// Status is how it stands with each sink.
func (s *Shipper) Status() []keystile.AuditSink {
	list := make([]keystile.AuditSink, len(s.feeds))
	for i, f := range s.feeds {
		list[i] = f.status()
	}
	return list
}
