package keyring

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"keystile/internal/keystile"
)

// ErrCut is the cause of a request's end when the right it was admitted with
// is taken away.
var ErrCut = errors.New("the access right was taken away")

// right is what requests are admitted with: one secret of a credential, or one
// anonymous binding. When it is cut, no request is admitted with it any more,
// and those in flight are cancelled.
type right struct {
	secret keystile.Secret

	mu    sync.Mutex
	until time.Time           // when it ends by itself; zero: never
	dead  bool                // cut
	kept  int64               // bytes that are held whole for its requests
	held  map[*Lease]struct{} // made with the first: most of a million keys rest
	empty chan struct{}       // made when dead, closed when nothing is held any more
}

func newRight(secret keystile.Secret, until time.Time) *right {
	return &right{secret: secret, until: until}
}

// errDead: the right was cut after the snapshot that has it was read.
var errDead = errors.New("the access right is dead")

// admit gives the lease to a right that is good at now. Otherwise it is errDead,
// or ErrNotActive if the right has ended by itself: its end may have moved since
// the snapshot was read.
func (r *right) admit(ctx context.Context, l *Lease, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.dead:
		return errDead
	case !r.until.IsZero() && !now.Before(r.until):
		return ErrNotActive
	case r.held == nil:
		r.held = map[*Lease]struct{}{}
	}
	l.right = r
	l.within(ctx)
	l.expireAt(r.until)
	r.held[l] = struct{}{}
	return nil
}

// retime moves the end of the right, also for the requests in flight.
func (r *right) retime(until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until.Equal(until) {
		return
	}
	r.until = until
	for l := range r.held {
		l.expireAt(until)
	}
}

func (r *right) release(l *Lease) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, held := r.held[l]; !held {
		return
	}
	delete(r.held, l)
	l.expireAt(time.Time{})
	if r.dead && len(r.held) == 0 {
		close(r.empty)
	}
}

// cut ends the right. r.empty closes when the last request in flight has gone:
// from then on nothing more is done with it.
func (r *right) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead {
		return
	}
	r.dead, r.empty = true, make(chan struct{})
	for l := range r.held {
		l.end()
	}
	if len(r.held) == 0 {
		close(r.empty)
	}
}

// gone reports whether a right that was cut is unused.
func (r *right) gone() bool {
	select {
	case <-r.empty:
		return true
	default:
		return false
	}
}

// Lease is one request's hold on the right it was admitted with. The holder
// releases it when nothing more is sent on the request's behalf.
type Lease struct {
	// Credential is the scope; nil for an anonymous request.
	Credential *keystile.Credential
	// Owner is the name of the account that owns the credential, or empty.
	Owner string
	// Binding is what an anonymous request reads through; nil for a signed one.
	Binding *keystile.Binding
	// Secret is the one that the request was signed with.
	Secret keystile.Secret

	// outer is the lease that this one took the place of; nil for most.
	outer  *Lease
	right  *right
	ctx    context.Context
	cancel func(cause error)
	shared bool        // ctx is the request's own
	expiry *time.Timer // guarded by right.mu
	dead   atomic.Bool // cut
	onCut  atomic.Pointer[func()]
}

// Ending is a context that can be ended from outside: that of a request. A lease
// admitted under one needs none of its own.
type Ending interface {
	context.Context
	End(cause error)
}

// within makes the lease's context.
func (l *Lease) within(ctx context.Context) {
	if own, ok := ctx.(Ending); ok {
		l.ctx, l.cancel, l.shared = own, own.End, true
		return
	}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
}

// end cuts the request.
func (l *Lease) end() {
	l.dead.Store(true)
	l.cancel(ErrCut)
	l.tell()
}

// OnCut has f called once, by a goroutine of its own, when the right is taken
// away: at once if it has been. A cut after Release calls nothing.
func (l *Lease) OnCut(f func()) {
	l.onCut.Store(&f)
	if l.Cut() {
		l.tell()
	}
}

func (l *Lease) tell() {
	if f := l.onCut.Swap(nil); f != nil {
		go (*f)()
	}
}

// expireAt sets when the request is cut by the passing of time.
func (l *Lease) expireAt(until time.Time) {
	if l.expiry != nil {
		l.expiry.Stop()
		l.expiry = nil
	}
	if !until.IsZero() {
		l.expiry = time.AfterFunc(time.Until(until), l.end)
	}
}

// InFlight is how many requests hold the same right now, this one among them.
func (l *Lease) InFlight() int {
	if l.outer != nil {
		return l.outer.InFlight()
	}
	l.right.mu.Lock()
	defer l.right.mu.Unlock()
	return len(l.right.held)
}

// Keep counts n more bytes, which may be negative, that are held whole for
// requests of the same right, and returns how many they are now.
func (l *Lease) Keep(n int64) int64 {
	if l.outer != nil {
		return l.outer.Keep(n)
	}
	l.right.mu.Lock()
	defer l.right.mu.Unlock()
	l.right.kept += n
	return l.right.kept
}

// Context ends when the request does, or with the cause ErrCut when the right
// is taken away or expires. Release ends it too where the request's own does not
// stand for it.
func (l *Lease) Context() context.Context { return l.ctx }

// Cut reports whether the right has been taken away.
func (l *Lease) Cut() bool { return l.dead.Load() || l.outer != nil && l.outer.Cut() }

// Release ends the hold. It may be called more than once.
func (l *Lease) Release() {
	l.onCut.Store(nil)
	if !l.shared {
		l.cancel(context.Canceled)
	}
	l.right.release(l)
	if l.outer != nil {
		l.outer.Release()
	}
}
