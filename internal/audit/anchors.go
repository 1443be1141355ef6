package audit

import (
	"crypto/ed25519"
	"log/slog"
	"sync"
	"time"

	"keystile/internal/journal"
)

// Anchoring signs, from time to time, how the journal stands.
type Anchoring struct {
	Key   ed25519.PrivateKey
	Every time.Duration
}

// Chain is how the journal stands.
type Chain struct {
	Journal   string         // its id
	Record    uint64         // number of the last durable record; 0 before the first
	Hash      string         // of that record
	PublicKey string         // of the anchors, in base64; empty if none are made
	Anchor    journal.Anchor // the last one; zero before the first
}

// anchorer makes anchors until it is stopped.
type anchorer struct {
	Anchoring
	journal *journal.Journal
	log     *slog.Logger

	mu   sync.Mutex
	last journal.Anchor

	once     sync.Once
	stopping chan struct{}
	stopped  chan struct{}
}

func startAnchorer(a Anchoring, j *journal.Journal, log *slog.Logger) *anchorer {
	w := &anchorer{Anchoring: a, journal: j, log: log, stopping: make(chan struct{}), stopped: make(chan struct{})}
	go w.run()
	return w
}

func (w *anchorer) run() {
	defer close(w.stopped)
	if w.Key == nil {
		return
	}
	ticks := time.NewTicker(w.Every)
	defer ticks.Stop()
	w.anchor()
	for {
		select {
		case <-ticks.C:
			w.anchor()
		case <-w.stopping:
			return
		}
	}
}

// stop makes a last anchor. Nothing is appended to the journal any more.
func (w *anchorer) stop() {
	w.once.Do(func() {
		close(w.stopping)
		<-w.stopped
		if w.Key != nil {
			w.anchor()
		}
	})
}

func (w *anchorer) anchor() {
	a, _, err := w.journal.Anchor(w.Key)
	if err != nil {
		w.log.Error("the audit journal could not be anchored", "error", err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = a
}

// Anchor is an anchor of the journal, as package journal describes it.
type Anchor = journal.Anchor

// AnchorsMade are all that the journal has, oldest first.
func (t *Trail) AnchorsMade() ([]Anchor, error) { return t.journal.Anchors() }

// Chain tells how the journal stands.
func (t *Trail) Chain() Chain {
	c := Chain{Journal: t.journal.ID()}
	c.Record, c.Hash = t.journal.Stands()
	t.anchors.mu.Lock()
	defer t.anchors.mu.Unlock()
	c.Anchor = t.anchors.last
	if t.anchors.Key != nil {
		c.PublicKey = journal.PublicKey(t.anchors.Key)
	}
	return c
}
