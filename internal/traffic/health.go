package traffic

import (
	"keystile/internal/keystile"
)

// healthLog chooses which looks at backends are kept.
type healthLog struct {
	last map[string]keystile.HealthSample // that was kept, by backend
}

// choose returns what is worth keeping of the health that was just seen: a
// backend's first look, every change, and one look in HealthSampleEvery.
func (l *healthLog) choose(seen map[string]keystile.Health) []keystile.HealthSample {
	var kept []keystile.HealthSample
	for id, h := range seen {
		if h.CheckedAt.IsZero() {
			continue
		}
		last, known := l.last[id]
		age := h.CheckedAt.Sub(last.At)
		if known && (age == 0 || h.Healthy == last.Healthy && age > 0 && age < keystile.HealthSampleEvery) {
			continue // a negative age is a clock that was set back
		}
		kept = append(kept, keystile.HealthSample{
			BackendID: id, At: h.CheckedAt, Healthy: h.Healthy, Latency: h.Latency, Message: h.Message,
		})
	}
	return kept
}

// kept notes what is in the store now, and forgets backends that are gone.
func (l *healthLog) kept(samples []keystile.HealthSample, seen map[string]keystile.Health) {
	for _, s := range samples {
		l.last[s.BackendID] = s
	}
	for id := range l.last {
		if _, ok := seen[id]; !ok {
			delete(l.last, id)
		}
	}
}
