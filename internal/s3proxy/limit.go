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

// Limits bound what all clients, or all requests with one key, take together. A
// zero is no bound. Only requests that were authorised count: whoever may do
// nothing takes nothing from those who may.
type Limits struct {
	RequestsPerSecond       float64
	RequestsPerSecondPerKey float64
	InFlight                int // requests
	InFlightPerKey          int // requests with one secret of a credential, or through one binding
	// BufferedBytes bounds the bodies that are held whole: XML of clients and of
	// backends. What is parsed from them takes a small multiple.
	BufferedBytes int64
}

// limit refuses what goes beyond a limit: its own caller's before those of all,
// so that a greedy one uses up nobody else's.
func (p *Proxy) limit(x *exchange) error {
	switch {
	case !p.fitsAnonymousRate(x):
		return x.limited("anonymous_rate")
	case !p.fitsAnonymousTotal(x):
		return x.limited("anonymous_total")
	case !p.fitsKeyRate(x):
		return x.limited("key_rate")
	case !p.fitsKeyInFlight(x):
		return x.limited("key_in_flight")
	case !p.fitsInFlight(x):
		return x.limited("in_flight")
	case !p.fitsRate():
		return x.limited("rate")
	}
	return nil
}

// limited is the refusal for a limit, which metrics know by its name.
func (x *exchange) limited(name string) error {
	x.limit = name
	return s3wire.SlowDown.Err()
}

// fitsAnonymousRate holds anonymous callers to the binding's rate for their
// address.
func (p *Proxy) fitsAnonymousRate(x *exchange) bool {
	binding := x.lease.Binding
	if binding == nil {
		return true
	}
	perSecond := binding.RatePerSecond
	if perSecond == 0 {
		perSecond = p.AnonymousRate
	}
	return perSecond == 0 || p.limits.allow(binding.Name, x.event.SourceIP, perSecond)
}

// fitsAnonymousTotal holds all anonymous callers of a binding together to a rate.
func (p *Proxy) fitsAnonymousTotal(x *exchange) bool {
	return p.AnonymousTotal == 0 || x.lease.Binding == nil || p.totals.allow(x.lease.Binding.Name, "", p.AnonymousTotal)
}

func (p *Proxy) fitsKeyRate(x *exchange) bool {
	perSecond := p.Limits.RequestsPerSecondPerKey
	return perSecond == 0 || x.lease.Credential == nil || p.keyLimits.allow(x.lease.Credential.AccessKeyID, "", perSecond)
}

func (p *Proxy) fitsKeyInFlight(x *exchange) bool {
	most := p.Limits.InFlightPerKey
	return most == 0 || x.lease.InFlight() <= most
}

func (p *Proxy) fitsInFlight(x *exchange) bool {
	x.counted = true
	n := p.inFlight.Add(1)
	return p.Limits.InFlight == 0 || n <= int64(p.Limits.InFlight)
}

func (p *Proxy) fitsRate() bool {
	return p.rate == nil || p.rate.AllowN(p.Now(), 1)
}

// newRate is a rate for all; nil where there is none.
func newRate(perSecond float64) *rate.Limiter {
	if perSecond == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), burst(perSecond))
}

// burst is a second's worth, and at least one.
func burst(perSecond float64) int { return int(math.Max(1, math.Ceil(perSecond))) }

// maxLimited bounds the memory of a limiter. Beyond it, addresses that were
// quiet are forgotten first; if none was, all start anew.
const maxLimited = 65_536

// limiter counts requests by name, that of a binding or key, and source.
type limiter struct {
	now     func() time.Time
	mu      sync.Mutex
	buckets map[limited]*rate.Limiter
}

type limited struct {
	name    string
	network netip.Prefix
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, buckets: map[limited]*rate.Limiter{}}
}

// allow takes one request out of the bucket, which holds a second's worth and at
// least one.
func (l *limiter) allow(name, address string, perSecond float64) bool {
	addr, _ := netip.ParseAddr(address) // all without an address are one source
	key := limited{name, clientip.Network(addr)}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key]
	if b == nil || b.Limit() != rate.Limit(perSecond) {
		l.makeRoom(now)
		b = rate.NewLimiter(rate.Limit(perSecond), burst(perSecond))
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
