package s3proxy

import (
	"bytes"
	"sync"

	"keystile/internal/http1"
)

// lent is what holds the bytes of an answer that was read whole. It goes back when
// the exchange has ended: what is made of these bytes must not live longer.
type lent struct {
	wanted bool          // an answer may be put into what is lent
	ahead  http1.Held    // what the connection read ahead
	buf    *bytes.Buffer // nil: none
}

// gathering holds buffers for whole answers.
var gathering = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, heldStep)) }}

// borrow lends room to the next answer that is read whole.
func (x *exchange) borrow() { x.lent.wanted = true }

// takeAhead returns the answer if the connection has read all of it already.
func (x *exchange) takeAhead(got *http1.Response) (data []byte, ok bool, err error) {
	if !x.lent.wanted {
		return nil, false, nil
	}
	data, held, ok := got.Whole()
	if !ok {
		return nil, false, nil
	}
	x.lent.wanted, x.lent.ahead = false, held
	if len(data) > freeAnswer {
		h := holding{x: x}
		err = h.pay()
	}
	return data, true, err
}

// gatheringRoom returns an empty buffer. What a backend says of its answer's length
// is believed as far as that is cheap.
func (x *exchange) gatheringRoom(length int64) *bytes.Buffer {
	if !x.lent.wanted {
		return bytes.NewBuffer(make([]byte, 0, min(max(length, 0), heldStep)+bytes.MinRead))
	}
	x.lent.wanted = false
	x.lent.buf = gathering.Get().(*bytes.Buffer)
	return x.lent.buf
}

func (x *exchange) giveBack() {
	x.lent.ahead.Free()
	if buf := x.lent.buf; buf != nil && buf.Cap() <= 4*heldStep {
		buf.Reset()
		gathering.Put(buf)
	}
	x.lent = lent{}
}
