package s3proxy

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"sync"
	"time"

	"keystile/internal/s3wire"
)

// defaultKeepAlive is well below what clients wait for the next byte: 50 s and
// more.
const defaultKeepAlive = 10 * time.Second

// patience keeps a client's connection alive while an answer takes long: a 200,
// and then white space until the answer is there (S3 API Reference, CopyObject,
// "Response"). What went wrong after that stands in the body of the 200.
type patience struct {
	x     *exchange
	mu    sync.Mutex
	timer *time.Timer
	over  bool
}

// wait begins to keep the client's connection alive, for an operation that may
// take long. Of a DeleteObjects clients do not expect that its 200 is an error. The exchange is not to be answered before the returned function
// has been called.
func (x *exchange) wait() (end func()) {
	if !x.takesLong() || x.req.Op.Name == s3wire.OpDeleteObjects {
		return func() {}
	}
	p := &patience{x: x}
	p.mu.Lock()
	p.timer = time.AfterFunc(x.p.KeepAlive, p.tick)
	p.mu.Unlock()
	return p.end
}

func (p *patience) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	x := p.x
	if x.late {
		x.write([]byte(" "))
	} else {
		x.late = true
		x.w.Header().Set("Content-Type", "application/xml")
		x.start(http.StatusOK)
		x.write([]byte(xml.Header))
	}
	_ = x.ctl.Flush() // fails only where the client is gone
	p.timer.Reset(x.p.KeepAlive)
}

func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.timer.Stop()
}

// finish ends an answer that began with white space. The status is the one that
// counts; the client was told 200.
func (x *exchange) finish(status int, doc []byte) {
	doc = bytes.TrimSpace(doc)
	if bytes.HasPrefix(doc, []byte("<?xml")) {
		_, doc, _ = bytes.Cut(doc, []byte("?>"))
	}
	x.write(doc)
	x.status = status
}
