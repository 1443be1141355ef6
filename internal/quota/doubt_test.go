package quota

import (
	"testing"
	"time"

	"keystile/internal/keystile"
)

// lose is a write that nobody knows the outcome of; carriedOut is what the backend
// made of it.
func (s *scene) lose(key string, size int64, carriedOut bool) {
	s.t.Helper()
	s.must(s.put(key, size, func(h *Hold) {
		if carriedOut {
			s.backend.do(func() { s.backend.write(key, size) })
		}
		h.Lose(false, Doubt{Key: key, Stores: true, Size: size})
	}))
}

func (s *scene) loseDelete(key string, carriedOut bool) {
	s.t.Helper()
	s.onDelete(s.ledger, key, func(h *Hold) {
		if carriedOut {
			s.backend.do(func() { delete(s.backend.objects, key) })
		}
		h.Lose(false, Doubt{Key: key})
	})
}

func (s *scene) losePart(id string, number int, size int64, carriedOut bool) {
	_ = s.onPart(s.ledger, id, number, size, func(h *Hold) { // may be over
		if carriedOut {
			s.backend.writePart(id, number, size)
		}
		h.Lose(false, Doubt{Key: "k", UploadID: id, Part: number, Stores: true, Size: size})
	})
}

// loseEnd loses the completion of an upload, or its abort where key is empty.
func (s *scene) loseEnd(id, key string, carriedOut bool) {
	_ = s.onEnd(s.ledger, id, key, func(h *Hold, parts map[int]int64) { // may be over
		if carriedOut {
			s.backend.endUpload(id, key, parts)
		}
		h.Lose(key != "", Doubt{Key: key, UploadID: id, Parts: parts, Stores: key != "", Size: sumOf(parts)})
	})
}

// What became of a lost write is found out without a count: at once if it was
// carried out, and once it can no longer be if it was not. Until then it counts.
func TestLostWriteIsAskedFor(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(s *scene)
		soon bool // it is known before the write can no longer take effect
	}{
		{"a new object that is stored", func(s *scene) { s.lose("k", 500, true) }, true},
		{"a new object that is not", func(s *scene) { s.lose("k", 500, false) }, false},
		{"a smaller object in the place of another", func(s *scene) { s.lose("there", 10, true) }, true},
		{"one that left the other as it was", func(s *scene) { s.lose("there", 10, false) }, false},
		{"one of the same size", func(s *scene) { s.lose("there", 300, false) }, true},
		{"one that was sent again", func(s *scene) {
			s.lose("k", 500, false)
			s.must(s.put("k", 500, s.stores("k", 500)))
		}, false},
		{"one that was sent again after it was stored", func(s *scene) {
			s.lose("there", 200, true)
			s.must(s.put("there", 100, s.stores("there", 100)))
		}, false},
		{"one that was lost twice", func(s *scene) {
			s.lose("there", 200, false)
			s.lose("there", 100, true)
		}, false},
		{"one that is deleted later", func(s *scene) {
			s.lose("there", 200, true)
			s.remove(s.ledger, "there")
		}, false},
		{"a delete that was done", func(s *scene) { s.loseDelete("there", true) }, true},
		{"a delete that was not", func(s *scene) { s.loseDelete("there", false) }, false},
		{"a delete that was asked for again", func(s *scene) {
			s.loseDelete("there", true)
			s.remove(s.ledger, "there")
		}, true},
		{"a part that is stored", func(s *scene) { s.losePart("u", 2, 50, true) }, true},
		{"a part that is not", func(s *scene) { s.losePart("u", 2, 50, false) }, false},
		{"a part in the place of another", func(s *scene) { s.losePart("u", 1, 30, true) }, true},
		{"a part of an upload that is completed", func(s *scene) {
			s.losePart("u", 2, 50, true)
			s.must(s.end(s.ledger, "u", "k"))
		}, false},
		{"a part of an upload that is aborted", func(s *scene) {
			s.losePart("u", 1, 30, false)
			s.must(s.end(s.ledger, "u", ""))
		}, false},
		{"a completion that was done", func(s *scene) { s.loseEnd("u", "k", true) }, true},
		{"a completion that was not", func(s *scene) { s.loseEnd("u", "k", false) }, false},
		{"a completion that was asked for again", func(s *scene) {
			s.loseEnd("u", "k", false)
			s.must(s.end(s.ledger, "u", "k"))
		}, false},
		{"a completion that was done and asked for again", func(s *scene) {
			s.loseEnd("u", "k", true)
			s.must(s.end(s.ledger, "u", "k"))
		}, true},
		{"an abort that was done", func(s *scene) { s.loseEnd("u", "", true) }, true},
		{"an abort that was not", func(s *scene) { s.loseEnd("u", "", false) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, hardBytes(10_000))
			s.backend.objects["there"] = 300
			s.backend.parts["u"] = map[int]int64{1: 100}
			s.run()
			s.until("counted", func(u keystile.Usage) bool { return !u.CountedAt.IsZero() })
			first := s.usage()
			tt.do(s)
			covers := func(when string) {
				if u := s.usage(); !s.backend.sum().Within(u.Total()) {
					t.Errorf("%s %+v counts, %+v is stored", when, u.Total(), s.backend.sum())
				}
			}
			covers("when it was lost")
			settled := func(u keystile.Usage) bool { return u.Unknown == keystile.Amount{} && s.doubts() == 0 }
			s.pass(31 * time.Second)
			if tt.soon {
				s.until("settled soon", settled)
			} else {
				s.asks(1)
				if settled(s.usage()) {
					t.Error("it was settled while it could still take effect")
				}
			}
			covers("soon")
			s.pass(20 * time.Minute)
			s.until("settled", settled)
			s.used(s.backend.sum())
			if u := s.usage(); !u.CountedAt.Equal(first.CountedAt) || u.Recount {
				t.Errorf("the bucket was counted, or is to be: %+v", u)
			}
		})
	}
}

func (s *scene) doubts() int {
	b := s.ledger.book(s.bucket)
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.doubts)
}

// asks waits until each place was asked for so often that is asked for now.
func (s *scene) asks(times int) {
	s.t.Helper()
	b := s.ledger.book(s.bucket)
	s.until("asked for", func(keystile.Usage) bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		for place, d := range b.doubts {
			if !b.awaitsObject(place, d) && d.lost == 1 && d.seq == 1 && d.tries < times {
				return false
			}
		}
		return true
	})
}

// A write that takes effect after the backend was asked for it the first time is
// found the next time.
func TestLostWriteThatTakesEffectLate(t *testing.T) {
	s := counted(t, hardBytes(10_000))
	s.must(s.put("k", 100, s.stores("k", 100)))
	s.lose("k", 700, false)
	s.pass(2 * time.Second)
	s.asks(1)
	s.backend.do(func() { s.backend.write("k", 700) })
	s.pass(time.Hour)
	s.until("settled", func(u keystile.Usage) bool { return u.Unknown == keystile.Amount{} })
	s.used(s.backend.sum())
}

// What the answer does not prove is left to a count, and counts until then.
func TestLostWriteThatIsLeftToACount(t *testing.T) {
	for _, tt := range []struct {
		name  string
		found func(s *scene)
	}{
		{"somebody else has written", func(s *scene) { s.backend.objects["k"] = 333 }},
		{"somebody else has deleted", func(s *scene) { delete(s.backend.objects, "k") }},
		{"the object has a version of its own", func(s *scene) { s.backend.objects["k"], s.backend.version = 700, "v2" }},
		{"the backend does not tell", func(s *scene) { s.backend.mute = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := counted(t, hardBytes(10_000))
			s.must(s.put("k", 100, s.stores("k", 100)))
			s.lose("k", 700, false)
			first := s.usage().CountedAt
			s.backend.do(func() { tt.found(s) })
			for range 7 {
				if u := s.usage(); u.CountedAt.Equal(first) && u.Total().Bytes != 800 {
					t.Fatalf("%+v counts", u)
				}
				s.pass(10 * time.Minute)
				time.Sleep(2 * time.Millisecond)
			}
			s.until("counted", func(u keystile.Usage) bool { return u.CountedAt.After(first) && u.Scan == nil })
			s.count()
			s.used(s.backend.sum())
		})
	}
}

// A count that began before a lost write could no longer take effect has seen it or
// not: the next one settles it.
func TestLostWriteIsNotAskedForAfterACount(t *testing.T) {
	s := counted(t, hardBytes(10_000))
	s.backend.mute = true // until it is counted
	s.lose("k", 700, true)
	s.pass(time.Second)
	from := s.clock()
	s.ledger.Scan(uploads)
	s.countAfter(from)
	if u := s.usage(); u.Total().Bytes < 700 || s.doubts() != 0 {
		t.Errorf("usage is %+v, %d places are asked for", u, s.doubts())
	}
	s.count()
	s.used(s.backend.sum())
}

// Places that cannot be asked for by themselves any more are counted.
func TestTooManyLostWritesAreLeftToACount(t *testing.T) {
	s := counted(t, hardBytes(1<<30))
	b := s.ledger.book(uploads)
	b.mu.Lock()
	for n := range mostDoubts {
		b.doubts[ObjectPlace(key(n))] = &doubt{asking: true, until: s.clock()}
	}
	b.mu.Unlock()
	s.lose("k", 700, false)
	if u := s.usage(); u.Unknown.Bytes != 700 || !u.Recount {
		t.Errorf("usage is %+v", u)
	}
}

// A process that dies leaves what it would have asked for to a count.
func TestLostWriteOfADeadProcessIsCounted(t *testing.T) {
	s := counted(t, hardBytes(1<<30))
	s.must(s.put("k", 500, s.stores("k", 500)))
	s.loseDelete("k", true)
	s.lose("l", 700, true)
	s.halt()
	s.must(s.ledger.Flush(t.Context()))
	s.start()
	if u := s.usage(); !u.Recount || u.Unknown.Bytes != 700 {
		t.Errorf("usage is %+v", u)
	}
	s.run()
	s.count()
	s.used(s.backend.sum())
}
