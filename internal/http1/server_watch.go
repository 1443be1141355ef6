package http1

import (
	"context"
	"sync"
	"time"
)

// watchAfter is how long a request is under way before its client is looked
// after. Most are answered by then, and cost no goroutine.
const watchAfter = 50 * time.Millisecond

// watch ends a request's context when its client hangs up: nobody waits for the
// answer any more. It reads what follows the request, once its body has been
// read by others.
type watch struct {
	conn *serverConn

	mu     sync.Mutex
	timer  *time.Timer
	body   *requestBody
	gone   context.CancelFunc
	done   chan struct{} // closed when the reading that has begun is over; else nil
	ending bool          // it is being ended
}

func (w *watch) begin(gone context.CancelFunc, body *requestBody) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone, w.body, w.done, w.ending = gone, body, nil, false
	if w.timer == nil {
		w.timer = time.AfterFunc(watchAfter, w.look)
	} else {
		w.timer.Reset(watchAfter)
	}
}

// look is the timer's. A request's body is not its to read.
func (w *watch) look() {
	w.mu.Lock()
	switch {
	case w.body == nil || w.done != nil:
		w.mu.Unlock()
		return
	case !w.body.ended.Load():
		w.timer.Reset(watchAfter)
		w.mu.Unlock()
		return
	}
	done, gone := make(chan struct{}), w.gone
	w.done = done
	w.conn.reads.free()
	err := w.conn.reads.set(noDeadline)
	w.mu.Unlock()
	defer close(done)
	if err == nil {
		err = w.conn.readAhead()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && !w.ending {
		gone()
	}
}

// end returns when nothing is read any more.
func (w *watch) end() {
	w.mu.Lock()
	w.timer.Stop()
	w.body, w.ending = nil, true
	done := w.done
	if done != nil {
		_ = w.conn.Conn.SetReadDeadline(longAgo) // fails only where reading does
	}
	w.mu.Unlock()
	if done != nil {
		<-done
	}
}
