package s3proxy

import (
	"io"
	"sync/atomic"

	"keystile/internal/s3wire"
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

// ofOne is how many bytes requests with one key may hold: enough for two of the
// largest bodies, else a quarter, so that slow senders with one key do not keep
// others from holding any.
func (m *memory) ofOne() int64 { return max(m.limit/4, 2*s3wire.MaxXMLBody) }

// hold counts bytes that the request will hold until it ends.
func (x *exchange) hold(n int64) error {
	if x.lease != nil && x.lease.Keep(n) > x.p.memory.ofOne() && x.p.memory.limit > 0 {
		x.lease.Keep(-n)
		return x.limited("key_memory")
	}
	if !x.p.memory.take(n) {
		if x.lease != nil {
			x.lease.Keep(-n)
		}
		return x.limited("memory")
	}
	x.held += n
	return nil
}

// holdAnyway counts bytes that are held whatever the limits say.
func (x *exchange) holdAnyway(n int64) {
	x.lease.Keep(n)
	x.p.memory.used.Add(n)
	x.held += n
}

// letGo ends the request's share in what is limited.
func (x *exchange) letGo() {
	if x.lease != nil {
		x.lease.Keep(-x.held)
	}
	x.p.memory.used.Add(-x.held)
	x.held = 0
	if x.counted {
		x.p.inFlight.Add(-1)
		x.counted = false
	}
}

// Bodies are counted in steps of heldStep as they come; of an answer the first
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
		h.x.holdAnyway(heldStep)
		return nil
	}
	return h.x.hold(heldStep)
}

// Buffered is the number of bytes that are held whole now, as far as they are
// limited.
func (p *Proxy) Buffered() int64 { return p.memory.used.Load() }
