package s3proxy

import (
	"fmt"
	"testing"
	"time"
)

// However many names and addresses there are, a limiter remembers a bounded
// number of them.
func TestLimitersAreBounded(t *testing.T) {
	now := time.Now()
	l := newLimiter(func() time.Time { return now })
	for i := range maxLimited + 1000 {
		l.allow(fmt.Sprintf("key-%d", i), "", 1)
		l.allow("binding", fmt.Sprintf("2001:db8:%x:%x::1", i>>16, i&0xffff), 1)
	}
	if n := len(l.buckets); n > maxLimited {
		t.Errorf("%d are remembered, more than %d", n, maxLimited)
	}
}

func TestMemoryIsGivenBack(t *testing.T) {
	p := &Proxy{memory: memory{limit: 100}}
	first, second := &exchange{p: p}, &exchange{p: p}
	if first.hold(60) != nil || second.hold(60) == nil || second.hold(40) != nil {
		t.Errorf("%d of 100 bytes are held", p.Buffered())
	}
	first.letGo()
	if err := second.hold(60); err != nil || p.Buffered() != 100 {
		t.Errorf("%v, %d held", err, p.Buffered())
	}
	second.letGo()
	second.letGo()
	if p.Buffered() != 0 {
		t.Errorf("%d are held by nobody", p.Buffered())
	}
}
