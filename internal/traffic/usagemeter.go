package traffic

import (
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"keystile/internal/keystile"
)

// maxMeters bounds the memory for what is counted between two writes. What there
// is no room for counts for its bucket alone, and where there are too many of
// these, for its backend.
const maxMeters = 65_536

// meterKey is what is counted together.
type meterKey struct {
	day         int64 // Unix seconds of its beginning
	bucket      keystile.Bucket
	accessKeyID string
}

// meterCell counts for one key. Requests share nothing else: who adds asks for no
// lock, and the one that takes the counts away waits for nobody.
type meterCell struct {
	// users is how many are adding; below zero the cell is dead, and what would be
	// added needs another one.
	users                                   atomic.Int64
	reads, lists, refused, failed, bytesOut atomic.Int64
}

// dead is far enough below zero that those who try in vain leave it so.
const dead = math.MinInt64 / 2

func (c *meterCell) add(m keystile.Meter) bool {
	if c.users.Add(1) < 0 {
		c.users.Add(-1)
		return false
	}
	defer c.users.Add(-1)
	for _, one := range []struct {
		to *atomic.Int64
		n  int64
	}{{&c.reads, m.Reads}, {&c.lists, m.Lists}, {&c.refused, m.Refused}, {&c.failed, m.Failed}, {&c.bytesOut, m.BytesOut}} {
		if one.n != 0 {
			one.to.Add(one.n)
		}
	}
	return true
}

// take returns what was counted since the last time, and whether the cell is dead:
// then nothing will be added any more.
func (c *meterCell) take() (m keystile.Meter, gone bool) {
	gone = c.users.CompareAndSwap(0, dead)
	return keystile.Meter{
		Reads: c.reads.Swap(0), Lists: c.lists.Swap(0), Refused: c.refused.Swap(0), Failed: c.failed.Swap(0), BytesOut: c.bytesOut.Swap(0),
	}, gone
}

// usageMeter counts what the audit trail does not tell.
type usageMeter struct {
	cells sync.Map // meterKey to *meterCell: looking one up takes no lock
	count atomic.Int64
}

func (u *usageMeter) add(s *keystile.Served) {
	m := meterOf(s)
	if m == (keystile.Meter{}) {
		return
	}
	key := meterKey{
		day: dayOf(s.Ended), accessKeyID: s.AccessKeyID,
		bucket: keystile.Bucket{Backend: s.Backend, Name: s.Bucket},
	}
	for {
		at, c := u.cell(key)
		if c.add(m) {
			return
		}
		u.drop(at, c) // it was just taken away: the key gets another one
	}
}

func dayOf(t time.Time) int64 { return keystile.DayOf(t).Unix() }

func dayAt(unix int64) time.Time { return time.Unix(unix, 0).UTC() }

// cell is where the key is counted, or where what there is no room for is. There
// are no more of the last than days and backends.
func (u *usageMeter) cell(key meterKey) (meterKey, *meterCell) {
	for _, k := range []meterKey{key, {day: key.day, bucket: key.bucket}} {
		if c, ok := u.cells.Load(k); ok {
			return k, c.(*meterCell)
		}
		if u.count.Load() < maxMeters {
			return k, u.open(k)
		}
	}
	last := meterKey{day: key.day, bucket: keystile.Bucket{Backend: key.bucket.Backend}}
	return last, u.open(last)
}

func (u *usageMeter) open(k meterKey) *meterCell {
	c, loaded := u.cells.LoadOrStore(k, &meterCell{})
	if !loaded {
		u.count.Add(1)
	}
	return c.(*meterCell)
}

func (u *usageMeter) drop(k meterKey, c *meterCell) {
	if u.cells.CompareAndDelete(k, c) {
		u.count.Add(-1)
	}
}

// drain moves what was counted to where it waits for the store.
func (u *usageMeter) drain(to map[meterKey]keystile.Meter) {
	u.cells.Range(func(k, c any) bool {
		key, cell := k.(meterKey), c.(*meterCell)
		m, gone := cell.take()
		if gone {
			u.drop(key, cell)
		}
		if m != (keystile.Meter{}) {
			to[key] = to[key].Plus(m)
		}
		return true
	})
}

// meterOf is what the trail does not tell of a request: all of reads, and of the
// rest whether it was refused or failed.
func meterOf(s *keystile.Served) (m keystile.Meter) {
	read := s.Class == "read"
	switch {
	case s.Refused:
		m.Refused = 1
		return m
	case s.Broken || s.Status >= 500 || !read && (s.Status >= 400 || s.Status == 0):
		m.Failed = 1
	}
	if !read {
		return m
	}
	m.BytesOut = max(s.Out, 0)
	if strings.HasPrefix(s.Operation, "List") {
		m.Lists = 1
	} else {
		m.Reads = 1
	}
	return m
}
