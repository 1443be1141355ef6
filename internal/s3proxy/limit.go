package s3proxy

import (
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"keystile/internal/clientip"
	"keystile/internal/s3wire"
)

// limit holds anonymous callers to the binding's rate for their address.
func (p *Proxy) limit(x *exchange) error {
	binding := x.lease.Binding
	if binding == nil {
		return nil
	}
	perSecond := binding.RatePerSecond
	if perSecond == 0 {
		perSecond = p.AnonymousRate
	}
	if perSecond > 0 && !p.limits.allow(binding.Name, x.event.SourceIP, perSecond) {
		return s3wire.SlowDown.Err()
	}
	return nil
}

// maxLimited bounds the memory of a limiter. Beyond it, addresses that were
// quiet are forgotten first; if none was, all start anew.
const maxLimited = 65_536

// limiter counts requests per binding and source.
type limiter struct {
	now     func() time.Time
	mu      sync.Mutex
	buckets map[limited]*rate.Limiter
}

type limited struct {
	binding string
	network netip.Prefix
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, buckets: map[limited]*rate.Limiter{}}
}

// allow takes one request out of the source's bucket, which holds a second's
// worth and at least one.
func (l *limiter) allow(binding, address string, perSecond float64) bool {
	addr, _ := netip.ParseAddr(address) // all without an address are one source
	key := limited{binding, clientip.Network(addr)}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key]
	if b == nil || b.Limit() != rate.Limit(perSecond) {
		l.makeRoom(now)
		b = rate.NewLimiter(rate.Limit(perSecond), int(math.Max(1, math.Ceil(perSecond))))
		l.buckets[key] = b
	}
	return b.AllowN(now, 1)
}

func (l *limiter) makeRoom(now time.Time) {
	if len(l.buckets) < maxLimited {
		return
	}
	for key, b := range l.buckets {
		if b.TokensAt(now) >= float64(b.Burst()) {
			delete(l.buckets, key)
		}
	}
	if len(l.buckets) >= maxLimited {
		clear(l.buckets)
	}
}
