package upstream

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"keystile/internal/http1"
	"keystile/internal/keystile"
)

// When a circuit opens, and how long it stays so.
const (
	circuitStreak  = 5                // failures in a row, or …
	circuitFailed  = 10               // … so many within a window, when they are half of all or more
	circuitWindow  = 10 * time.Second // of the second rule
	circuitPause   = time.Second      // before the first probe; each later one waits twice as long
	circuitLongest = 15 * time.Second // at most
)

// circuit cuts a backend off that fails again and again, so that its requests
// are answered at once and hold no connection. While it is open no request
// passes; the watcher of the backend sends probes of its own, one at a time,
// and the first that is answered closes the circuit on trial: a single failure
// then opens it again, and the next success ends the trial.
//
// Failures once connected may be the fault of one object: a circuit that opened
// on those alone would let the owner of such an object shut everybody out. So
// they count only from two objects on, or when a health check failed too.
//
// A success costs two atomic operations. It is safe for concurrent use.
type circuit struct {
	now func() time.Time
	// moved is told when the circuit opened.
	moved chan struct{}

	isOpen atomic.Bool
	shaky  atomic.Bool  // a success has something to clear: a streak, or a trial
	ok     atomic.Int64 // successes in the current window

	mu     sync.Mutex
	trial  bool
	row    failures  // since the last success
	began  time.Time // of the window
	window failures
	pause  time.Duration
	opened time.Time
	cause  error
}

// failures are counted together.
type failures struct {
	n       int
	object  string // of the first
	several bool   // they were of more than one object, or none had a part in it
}

func (f *failures) add(object string, undoubted bool) {
	if f.n++; f.n == 1 {
		f.object = object
	}
	f.several = f.several || undoubted || object != f.object
}

func (f *failures) reach(n int) bool { return f.several && f.n >= n }

func newCircuit(now func() time.Time) *circuit {
	return &circuit{now: now, moved: make(chan struct{}, 1), pause: circuitPause}
}

// admit reports whether a request may go out.
func (c *circuit) admit() bool { return !c.isOpen.Load() }

// answered notes that the backend answered, with whatever status.
func (c *circuit) answered() {
	c.ok.Add(1)
	if !c.shaky.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isOpen.Load() {
		c.settle()
	}
}

// settle forgets all trouble.
func (c *circuit) settle() {
	c.trial, c.row, c.pause = false, failures{}, circuitPause
	c.shaky.Store(false)
}

// failure notes that an exchange about an object failed; "" is none, as of a
// health check. What the client brought about, and what says nothing about the
// backend, is passed over.
func (c *circuit) failure(err error, object string) {
	if !blames(err) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isOpen.Load() {
		return
	}
	if now := c.now(); now.Sub(c.began) >= circuitWindow {
		c.began, c.window = now, failures{}
		c.ok.Store(0)
	}
	undoubted := object == "" || errors.Is(err, http1.ErrDial)
	c.row.add(object, undoubted)
	c.window.add(object, undoubted)
	c.shaky.Store(true)
	half := int64(c.window.n) >= c.ok.Load()
	if c.trial || c.row.reach(circuitStreak) || c.window.reach(circuitFailed) && half {
		c.open(err)
	}
}

func (c *circuit) open(cause error) {
	c.isOpen.Store(true)
	c.trial, c.opened, c.cause = false, c.now(), cause
	select {
	case c.moved <- struct{}{}:
	default:
	}
}

// probed notes the outcome of a probe: nil if the backend answered it.
func (c *circuit) probed(err error) {
	switch {
	case err == nil:
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.isOpen.Load() {
			c.row, c.window, c.trial = failures{}, failures{}, true
			c.isOpen.Store(false) // shaky stays: the next success ends the trial
			return
		}
		c.ok.Add(1)
		c.settle()
	case c.isOpen.Load():
		c.mu.Lock()
		defer c.mu.Unlock()
		c.pause = min(2*c.pause, circuitLongest)
		if blames(err) {
			c.cause = err
		}
	default:
		c.failure(err, "")
	}
}

// next is the pause before the next probe, 0 when none is due.
func (c *circuit) next() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isOpen.Load() || c.trial || c.row.n > 0 {
		return c.pause
	}
	return 0
}

// state tells how the circuit stands, and since when and why it is open.
func (c *circuit) state() (state keystile.Circuit, since time.Time, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.isOpen.Load():
		return keystile.CircuitOpen, c.opened, c.cause
	case c.trial:
		return keystile.CircuitHalfOpen, time.Time{}, nil
	}
	return keystile.CircuitClosed, time.Time{}, nil
}

// blames reports whether a failed exchange speaks against the backend.
func blames(err error) bool {
	return errors.Is(err, ErrUnreachable) || errors.Is(err, ErrTimeout) || errors.Is(err, ErrBadAnswer)
}
