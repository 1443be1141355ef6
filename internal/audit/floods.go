package audit

import (
	"net/netip"
	"time"

	"keystile/internal/clientip"
	"keystile/internal/keystile"
)

// A refusal that one source repeats is recorded floodAfter times within
// floodWindow; what follows is counted in one event.
const (
	floodAfter  = 10
	floodWindow = time.Minute
	// maxSources bounds the memory for counting. Sources beyond share a count
	// for each kind of refusal, and kinds beyond maxKinds one for all.
	maxSources = 10_000
	maxKinds   = 1_000
	// maxStrangers bounds the events within floodWindow of all whose signature
	// was not verified: many sources that each stay below floodAfter must not
	// fill the disk either. Beyond it they share counts too.
	maxStrangers = 1_000
	// countPace is how often counts get to the journal. A refusal that is only
	// counted is answered after that, which also slows who floods.
	countPace = 50 * time.Millisecond
)

// source is what makes refusals the same: who, from where, what and why. Names
// that are merely claimed are left out, or a client could escape the counting
// by claiming another each time.
type source struct {
	network     netip.Prefix
	account     string          // if authenticated
	accessKeyID string          // if authenticated
	bucket      keystile.Bucket // of a hard cap that was met: each is told of
	action      string
	code        string
}

type flood struct {
	began   time.Time
	seen    int
	eventID string // the event that counts; empty before the flood
}

// floods is guarded by its Recorder.
type floods struct {
	now     func() time.Time
	sources map[source]*flood
	swept   time.Time

	strangers      int // events of their own since strangersBegan
	strangersBegan time.Time
}

func newFloods(now func() time.Time) *floods {
	return &floods{now: now, sources: map[source]*flood{}}
}

// reset forgets all counting, so that the next of each is recorded anew.
func (f *floods) reset() { clear(f.sources) }

// take returns the event to record, or the id of the event that counts it.
func (f *floods) take(e keystile.Event) (record keystile.Event, countedBy string) {
	now := f.now()
	s := sourceOf(e)
	fl := f.find(s, now)
	if fl.seen < floodAfter && !e.Detail.Authenticated && !f.room(now) {
		fl = f.overflow(s, now)
	}
	fl.seen++
	switch {
	case fl.seen <= floodAfter:
		return e, ""
	case fl.eventID == "":
		fl.eventID = e.ID
		e.Detail.Count = 1
		e.Detail.LastTime = &e.Time
		return e, ""
	}
	return e, fl.eventID
}

// room reports whether one more stranger may have an event of its own.
func (f *floods) room(now time.Time) bool {
	if now.Sub(f.strangersBegan) >= floodWindow {
		f.strangers, f.strangersBegan = 0, now
	}
	f.strangers++
	return f.strangers <= maxStrangers
}

func (f *floods) find(s source, now time.Time) *flood {
	fl := f.sources[s]
	if fl != nil && now.Sub(fl.began) < floodWindow {
		return fl
	}
	if fl == nil && len(f.sources) >= maxSources {
		f.sweep(now)
		if len(f.sources) >= maxSources {
			return f.overflow(s, now)
		}
	}
	fl = &flood{began: now}
	f.sources[s] = fl
	return fl
}

// overflow counts a kind of refusal over all sources that found no place.
func (f *floods) overflow(s source, now time.Time) *flood {
	all := source{action: s.action, code: s.code}
	if len(f.sources) >= maxSources+maxKinds {
		all = source{}
	}
	fl := f.sources[all]
	if fl == nil || now.Sub(fl.began) >= floodWindow {
		fl = &flood{began: now}
		f.sources[all] = fl
	}
	return fl
}

// sweep forgets what is over. At most once a second: a flood from ever new
// sources must not pay for looking through all of them each time.
func (f *floods) sweep(now time.Time) {
	if now.Sub(f.swept) < time.Second {
		return
	}
	f.swept = now
	for s, fl := range f.sources {
		if now.Sub(fl.began) >= floodWindow {
			delete(f.sources, s)
		}
	}
}

func sourceOf(e keystile.Event) source {
	s := source{action: e.Action, code: e.Detail.Code}
	if e.Detail.Authenticated {
		s.account, s.accessKeyID = e.Account, e.Detail.AccessKeyID
		if e.Detail.Code == keystile.CodeQuotaExceeded {
			s.bucket = keystile.Bucket{Backend: e.Backend, Name: e.Bucket}
		}
	}
	addr, _ := netip.ParseAddr(e.SourceIP) // all without an address are one source
	s.network = clientip.Network(addr)
	return s
}
