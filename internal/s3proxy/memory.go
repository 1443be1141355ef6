package s3proxy

import (
	"io"
	"sync/atomic"
)

// memory counts the bytes of bodies that are held whole.
type memory struct {
	limit int64 // 0: none
	used  atomic.Int64
}

// take counts n more bytes and reports whether they fit; if not, they do not
// count.
func (m *memory) take(n int64) bool {
	if m.used.Add(n) > m.limit && m.limit > 0 {
		m.used.Add(-n)
		return false
	}
	return true
}

// hold counts bytes that the request will hold until it ends.
func (x *exchange) hold(n int64) error {
	if !x.p.memory.take(n) {
		return x.limited("memory")
	}
	x.held += n
	return nil
}

// letGo ends the request's share in what is limited.
func (x *exchange) letGo() {
	x.p.memory.used.Add(-x.held)
	x.held = 0
	if x.counted {
		x.p.inFlight.Add(-1)
		x.counted = false
	}
}

// Answers are counted in steps of heldStep as they grow; the first
// freeAnswer bytes, which hold nearly every answer but listings, are free.
const (
	freeAnswer = 16 << 10
	heldStep   = 64 << 10
)

// holding counts what is read through it.
type holding struct {
	x    *exchange
	r    io.Reader
	paid int64
}

func (h *holding) Read(p []byte) (int, error) {
	if h.paid <= 0 {
		if err := h.pay(); err != nil {
			return 0, err
		}
	}
	n, err := h.r.Read(p[:min(int64(len(p)), h.paid)])
	h.paid -= int64(n)
	return n, err
}

func (h *holding) pay() error {
	h.paid += heldStep
	if h.x.intended {
		// It has been carried out: the answer is read, whatever it takes.
		h.x.p.memory.used.Add(heldStep)
		h.x.held += heldStep
		return nil
	}
	return h.x.hold(heldStep)
}

// Buffered is the number of bytes that are held whole now, as far as they are
// limited.
func (p *Proxy) Buffered() int64 { return p.memory.used.Load() }
