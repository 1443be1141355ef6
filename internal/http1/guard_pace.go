package http1

import "time"

// pace judges the speed of a client in one direction. Only time in which it was
// waited for counts: a slow backend is not the client's fault.
type pace struct {
	least  int64 // bytes per second; 0: none
	window time.Duration

	waited time.Duration
	moved  int64
}

// note counts n bytes that were waited for, and returns [ErrTooSlow] at the end
// of a window in which too few came.
func (p *pace) note(waited time.Duration, n int) error {
	if p.least == 0 {
		return nil
	}
	p.waited += waited
	p.moved += int64(n)
	if p.waited < p.window {
		return nil
	}
	slow := float64(p.moved) < float64(p.least)*p.waited.Seconds()
	p.waited, p.moved = 0, 0
	if slow {
		return ErrTooSlow
	}
	return nil
}
