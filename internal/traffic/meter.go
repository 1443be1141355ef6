package traffic

import (
	"math/rand/v2"
	"sync"
	"time"

	"keystile/internal/keystile"
)

const (
	shardCount = 16
	// shardSlots bounds each shard, pendingSlots what waits for the store.
	shardSlots   = 4096
	pendingSlots = shardCount * shardSlots
)

// slot is what is counted together.
type slot struct {
	accessKeyID, backend string
	at                   int64 // Unix seconds: the minute; the hour where nobody was authenticated
}

func slotOf(s *keystile.Served) slot {
	at := slot{s.AccessKeyID, s.Backend, s.Ended.Unix()}
	if at.accessKeyID == "" {
		return at.unattributed()
	}
	at.at -= at.at % 60
	return at
}

// unattributed is where a slot counts that there is no room for. There are no
// more of these than hours and backends.
func (s slot) unattributed() slot {
	return slot{"", s.backend, s.at - s.at%3600}
}

// counters is a bounded set of slots.
type counters struct {
	limit int
	slots map[slot]*keystile.Traffic
	// crowded counts the requests that lost their credential for want of room.
	crowded int64
}

func newCounters(limit int) *counters {
	return &counters{limit: limit, slots: map[slot]*keystile.Traffic{}}
}

func (c *counters) add(s slot, n keystile.Traffic) {
	sum := c.slots[s]
	if sum == nil && len(c.slots) >= c.limit && s.accessKeyID != "" {
		c.crowded += n.Requests
		s = s.unattributed()
		sum = c.slots[s]
	}
	if sum == nil {
		sum = &keystile.Traffic{}
		c.slots[s] = sum
	}
	sum.Add(n)
}

func (c *counters) merge(o *counters) {
	for s, n := range o.slots {
		c.add(s, *n)
	}
	c.crowded += o.crowded
}

// meter counts in memory. Shards are chosen at random: also the requests of one
// busy credential spread over all of them.
type meter struct{ shards [shardCount]shard }

type shard struct {
	mu sync.Mutex
	*counters
	_ [48]byte // a cache line of its own
}

func newMeter() *meter {
	m := &meter{}
	for i := range m.shards {
		m.shards[i].counters = newCounters(shardSlots)
	}
	return m
}

func (m *meter) add(served *keystile.Served) {
	at, n := slotOf(served), served.Traffic()
	s := &m.shards[rand.Uint32()%shardCount] //nolint:gosec // spreads load, guards nothing
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(at, n)
}

// drain moves everything that was counted into c.
func (m *meter) drain(c *counters) {
	for i := range m.shards {
		c.merge(m.shards[i].take())
	}
}

func (s *shard) take() *counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.counters
	if len(taken.slots) > 0 {
		s.counters = newCounters(shardSlots)
	} else {
		taken = newCounters(0)
	}
	return taken
}

// batch is up to limit of the slots, as the store takes them.
func (c *counters) batch(limit int) (slots []slot, counts []keystile.TrafficCount) {
	for s, n := range c.slots {
		if len(slots) == limit {
			break
		}
		slots = append(slots, s)
		counts = append(counts, keystile.TrafficCount{
			At: time.Unix(s.at, 0).UTC(), AccessKeyID: s.accessKeyID, Backend: s.backend, Traffic: *n,
		})
	}
	return slots, counts
}

func (c *counters) remove(slots []slot) {
	for _, s := range slots {
		delete(c.slots, s)
	}
}
