package http1

import (
	"context"
	"sync/atomic"
)

// requestContext is the context of a served request. Others may end it, with a
// cause, so that they need none of their own beneath it, which would cost each
// request allocations and a map. For the same reason the one exchange with a backend
// that most requests have waits in a field.
type requestContext struct {
	context.Context // it ends by End alone
	cancel          context.CancelCauseFunc
	waiting         atomic.Pointer[func()]
}

// newRequestContext makes one whose parent never ends.
func newRequestContext(parent context.Context) *requestContext {
	ctx, cancel := context.WithCancelCause(parent)
	return &requestContext{Context: ctx, cancel: cancel}
}

// End ends the request, with a cause that [context.Cause] tells. The first counts.
func (c *requestContext) End(cause error) {
	c.cancel(cause)
	c.wake(c.waiting.Load())
}

func (c *requestContext) wake(f *func()) {
	if f != nil && c.waiting.CompareAndSwap(f, nil) {
		go (*f)()
	}
}

// afterEnd is [context.AfterFunc].
func afterEnd(ctx context.Context, f func()) (stop func() bool) {
	c, ok := ctx.(*requestContext)
	if !ok || !c.waiting.CompareAndSwap(nil, &f) {
		return context.AfterFunc(ctx, f)
	}
	if c.Err() != nil { // perhaps before f was there to be found
		c.wake(&f)
	}
	return func() bool { return c.waiting.CompareAndSwap(&f, nil) }
}
