package upstream

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"keystile/internal/keystile"
)

const (
	checkTimeout = 15 * time.Second // a little more than a connection is waited for
	probeTimeout = 4 * time.Minute
	// probeAhead is how long before its end a proof is renewed, so that nothing
	// stops working in between.
	probeAhead = 24 * time.Hour
	// probeAgain is the pause after a probe that proved nothing.
	probeAgain = time.Hour
)

// contact is what one signed ListBuckets shows of a backend.
type contact struct {
	err     error // nil when the buckets were listed
	reached bool  // an HTTP answer came
	signed  bool  // the signature was accepted
	healthy bool  // it speaks S3, though its key may be barred from listing buckets
	latency time.Duration
	skew    time.Duration // the backend's clock less ours
	dated   bool          // the answer told its date
	buckets int
}

// trouble is why the contact speaks against the backend; nil if it answered in
// HTTP, whatever it said.
func (c contact) trouble() error {
	if errors.Is(c.err, ErrRedirect) || c.reached && !blames(c.err) {
		return nil
	}
	return c.err
}

func (b *Backend) contact(ctx context.Context) contact {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	started := b.now()
	answer, err := b.send(ctx, Request{Method: http.MethodGet})
	if err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = &Error{Kind: ErrTimeout, Backend: b.info.ID, cause: err}
		}
		return contact{err: err}
	}
	ended := b.now()
	c := contact{reached: true, latency: ended.Sub(started)}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		// Date is cut to the second: on average it is half a one too early.
		middle := started.Add(c.latency / 2)
		c.skew, c.dated = date.Add(time.Second/2).Sub(middle).Round(time.Second), true
	}
	list, err := b.readBuckets(answer)
	c.err = err
	for _, x := range list.Buckets {
		if !b.probesIn(x.Name, x.CreationDate) {
			c.buckets++
		}
	}
	var refused *Refused
	barred := errors.As(err, &refused) && refused.Code == "AccessDenied"
	c.signed = barred || answer.Status == http.StatusOK
	c.healthy = barred || err == nil
	return c
}

// check looks after the backend once and records what it saw.
func (b *Backend) check(ctx context.Context) contact {
	c := b.contact(ctx)
	if ctx.Err() != nil {
		return c
	}
	h := keystile.Health{Healthy: c.healthy, CheckedAt: b.now(), Latency: c.latency}
	if step := clockStep(c); !step.OK {
		h.Message = step.Message
	}
	if c.err != nil {
		h.Message = plain(c.err)
	}
	b.health.Store(&h)
	b.circuit.probed(c.trouble())
	return c
}

// plain is an error in words for an admin: without addresses, the backend's id
// and the sentinels' names behind it.
func plain(err error) string {
	var e *Error
	if errors.As(err, &e) {
		err = e.Kind
	}
	var refused *Refused
	if errors.As(err, &refused) {
		return refused.Message
	}
	return strings.TrimSuffix(err.Error(), ": "+keystile.ErrUnavailable.Error())
}

// Run watches over every backend until ctx ends: each on a goroutine of its
// own, so that one in trouble delays no other.
func (r *Registry) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	watched := map[*Backend]context.CancelFunc{}
	defer func() {
		for _, stop := range watched {
			stop()
		}
	}()
	for {
		current := map[*Backend]bool{}
		for _, b := range *r.backends.Load() {
			current[b] = true
			if watched[b] == nil {
				b.proving.set(b.needsProof(b.now()))
				watching, stop := context.WithCancel(ctx)
				watched[b] = stop
				wg.Go(func() { r.watch(watching, b) })
			}
		}
		for b, stop := range watched {
			if !current[b] {
				stop()
				delete(watched, b)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.changed:
		}
	}
}

// watch checks one backend, and probes it when no proof about it will be in
// force for long. While its circuit is not closed, the checks are the circuit's
// probes.
func (r *Registry) watch(ctx context.Context, b *Backend) {
	r.saveRemembered(ctx, b)
	left := r.leftovers(ctx, b)
	var told report
	var probed time.Time
	var probing sync.WaitGroup
	var busy atomic.Bool
	defer b.proving.set(false)
	defer probing.Wait()
	for {
		c := b.check(ctx)
		if ctx.Err() != nil {
			return
		}
		r.tell(b, &told, c)
		if c.healthy && len(left) > 0 {
			left = r.sweep(ctx, b, left)
		}
		if now := b.now(); c.healthy && b.needsProof(now) && now.Sub(probed) >= probeAgain && busy.CompareAndSwap(false, true) {
			probed = now
			// Beside the checks: a backend that dies meanwhile must not wait for it.
			b.proving.set(true)
			probing.Go(func() {
				defer busy.Store(false)
				defer b.proving.set(false)
				r.probe(ctx, b)
			})
		} else if !busy.Load() {
			b.proving.set(false)
		}
		for wait := r.pause(b); ; wait = r.pause(b) {
			opened, ok := b.pass(ctx, wait)
			if !ok {
				return
			}
			if !opened {
				break
			}
			r.tellCircuit(b, &told)
		}
	}
}

// pause is the time until the next check.
func (r *Registry) pause(b *Backend) time.Duration {
	if soon := b.circuit.next(); soon > 0 {
		return jitter(min(soon, r.opts.CheckEvery))
	}
	return jitter(r.opts.CheckEvery)
}

// pass waits, but for no longer than until the circuit opens. It returns false
// when ctx has ended.
func (b *Backend) pass(ctx context.Context, d time.Duration) (opened, ok bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false, false
	case <-b.circuit.moved:
		return true, true
	case <-t.C:
		return false, true
	}
}

// report is what the log was last told of a backend.
type report struct {
	begun, healthy, cutOff bool
}

// tell logs what has changed, once for each change.
func (r *Registry) tell(b *Backend, told *report, c contact) {
	r.tellCircuit(b, told)
	if told.begun && c.healthy == told.healthy {
		return
	}
	told.begun, told.healthy = true, c.healthy
	if c.healthy {
		r.opts.Log.Info("backend is healthy", "backend", b.info.ID, "latency", c.latency)
		return
	}
	r.opts.Log.Warn("backend is not healthy", "backend", b.info.ID, "cause", Detail(c.err))
}

func (r *Registry) tellCircuit(b *Backend, told *report) {
	state, _, cause := b.circuit.state()
	cutOff := state == keystile.CircuitOpen
	if cutOff == told.cutOff {
		return
	}
	told.cutOff = cutOff
	if cutOff {
		r.opts.Log.Warn("backend is cut off: requests to it are refused until it answers again", "backend", b.info.ID, "cause", Detail(cause))
		return
	}
	r.opts.Log.Info("backend answers again: requests go to it", "backend", b.info.ID)
}

// jitter spreads d by a quarter either way, so that replicas and backends do
// not fall into step.
func jitter(d time.Duration) time.Duration {
	return d*3/4 + rand.N(d/2+1) //nolint:gosec // spreads load, guards nothing
}
