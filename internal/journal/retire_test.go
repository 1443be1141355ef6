package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// many is a journal of n records in small segments.
func many(t testing.TB, n int) (dir string, j *Journal) {
	t.Helper()
	dir = t.TempDir()
	j, _ = open(t, Options{Dir: dir, SegmentBytes: 300})
	fill(t, j, n)
	return dir, j
}

func compressAll(t testing.TB, j *Journal) (n int) {
	t.Helper()
	for {
		more, err := j.Compress()
		must(t, err)
		if !more {
			return n
		}
		n++
	}
}

func TestCompressedSegmentsAreReadAsOthersAre(t *testing.T) {
	dir, j := many(t, 20)
	c := j.Read(1)
	if seq, _, err := c.Next(); err != nil || seq != 1 { // it has a segment open that goes
		t.Fatal(seq, err)
	}
	if n := compressAll(t, j); n < 3 {
		t.Fatalf("%d segments were compressed", n)
	}
	if plain, _ := filepath.Glob(filepath.Join(dir, "*"+suffix)); len(plain) != 1 {
		t.Errorf("not compressed: %q", plain)
	}
	for want := uint64(2); want <= 20; want++ {
		if seq, _, err := c.Next(); err != nil || seq != want {
			t.Fatalf("read %d, %v, want %d", seq, err, want)
		}
	}
	must(t, c.Close())
	for _, first := range []uint64{1, 9, 20} {
		if got := all(t, j, first); uint64(len(got)) != 21-first {
			t.Errorf("from %d: %v", first, got)
		}
	}
	must(t, j.Close())
	sound(t, dir)
	j, found := open(t, Options{Dir: dir, SegmentBytes: 300})
	if found != (Found{}) || j.Head() != 20 {
		t.Errorf("%+v, head %d", found, j.Head())
	}
	fill(t, j, 2)
	must(t, j.Close())
	sound(t, dir)
}

func TestACompressionThatWasCutOffIsDoneAnew(t *testing.T) {
	dir, j := many(t, 20)
	data, err := os.ReadFile(filepath.Join(dir, segmentName(1)))
	must(t, err)
	compressAll(t, j)
	must(t, os.WriteFile(filepath.Join(dir, segmentName(1)), data, 0o600)) // it was not removed yet
	must(t, os.WriteFile(filepath.Join(dir, compressedName(1)+".tmp"), data[:9], 0o600))
	sound(t, dir)
	if n := compressAll(t, j); n != 1 {
		t.Errorf("%d segments were compressed again", n)
	}
	must(t, j.Close())
	sound(t, dir)
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestAFlippedByteOfACompressedSegmentIsFound(t *testing.T) {
	source, j := many(t, 20)
	compressAll(t, j)
	must(t, j.Close())
	firsts, err := segments(source)
	must(t, err)
	first, next := firsts[1], firsts[2]
	data, err := os.ReadFile(filepath.Join(source, compressedName(first)))
	must(t, err)
	dir := t.TempDir()
	must(t, os.CopyFS(dir, os.DirFS(source)))
	for at := range data {
		for _, flip := range []byte{0x01, 0x40, 0xff} {
			data[at] ^= flip
			must(t, os.WriteFile(filepath.Join(dir, compressedName(first)), data, 0o600))
			data[at] ^= flip
			r, err := Verify(dir)
			must(t, err)
			if len(r.Faults) == 0 || r.Faults[0].Segment != compressedName(first) || r.Faults[0].Seq < first || r.Faults[0].Seq >= next {
				t.Fatalf("byte %d: %v", at, r.Faults)
			}
		}
	}
}

// A journal that is begun by a compressed segment, its end gone, goes on behind it.
func TestAJournalWhoseEndIsGoneGoesOnBehindACompressedSegment(t *testing.T) {
	dir, j := many(t, 20)
	compressAll(t, j)
	must(t, j.Close())
	removeSegments(t, dir, -1)
	firsts, err := segments(dir)
	must(t, err)
	j, _ = open(t, Options{Dir: dir, SegmentBytes: 300})
	if j.Head() < firsts[len(firsts)-1] || j.Head() > 19 {
		t.Errorf("head %d", j.Head())
	}
	fill(t, j, 1)
	must(t, j.Close())
	sound(t, dir)
}

func TestASegmentGrowsNoOlderThanItMay(t *testing.T) {
	now := clock()
	dir := t.TempDir()
	j, _, err := Open(Options{Dir: dir, SegmentAge: time.Hour, Now: func() time.Time { return now }})
	must(t, err)
	fill(t, j, 1)
	now = now.Add(59 * time.Minute)
	fill(t, j, 1)
	now = now.Add(time.Minute)
	fill(t, j, 1)
	must(t, j.Close())
	if firsts, _ := segments(dir); fmt.Sprint(firsts) != "[1 3]" {
		t.Errorf("segments begin at %v", firsts)
	}
}

func TestRetention(t *testing.T) {
	const none = ^uint64(0)
	for _, tt := range []struct {
		name   string
		limits Limits
		all    bool // but the segment that is written to
		some   bool
	}{
		{"no limit keeps all", Limits{Below: none}, false, false},
		{"what is younger is kept", Limits{KeepFor: time.Hour, Below: none}, false, false},
		{"what is older goes", Limits{KeepFor: time.Minute, Below: none}, true, false},
		{"what is more goes", Limits{KeepBytes: 1, Below: none}, true, false},
		{"what is less is kept", Limits{KeepBytes: 1 << 20, Below: none}, false, false},
		{"as much goes as is too much", Limits{KeepBytes: 700, Below: none}, false, true},
		{"what somebody has to read is kept", Limits{KeepFor: time.Minute}, false, false},
		{"what somebody has to read is kept, the rest goes", Limits{KeepFor: time.Minute, Below: 9}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := clock()
			dir := t.TempDir()
			j, _, err := Open(Options{Dir: dir, SegmentBytes: 300, Now: func() time.Time { return now }})
			must(t, err)
			fill(t, j, 20)
			compressAll(t, j)
			now = now.Add(30 * time.Minute)
			before, err := segments(dir)
			must(t, err)
			r, err := j.Retirable(tt.limits)
			must(t, err)
			must(t, j.Retire(r, anchorKey('a')))
			after, err := segments(dir)
			must(t, err)
			gone := len(before) - len(after)
			if gone != r.Segments || tt.all != (len(after) == 1) || tt.some != (gone > 0 && len(after) > 1) {
				t.Fatalf("%d of %d segments are left, %+v", len(after), len(before), r)
			}
			if gone > 0 && (r.First != 1 || r.Last != after[0]-1) || tt.limits.Below < none && after[0] > max(tt.limits.Below, 1) {
				t.Errorf("retired %+v, left from %d", r, after[0])
			}
			fill(t, j, 1)
			if got := all(t, j, 1); got[0] != after[0] || got[len(got)-1] != 21 {
				t.Errorf("read %v", got)
			}
			must(t, j.Close())
			if got := sound(t, dir); got.First != after[0] {
				t.Errorf("%+v", got)
			}
		})
	}
}

// retired is a journal whose first two segments were retired.
func retired(t *testing.T) (dir string, before []uint64) {
	t.Helper()
	dir, j := many(t, 20)
	must(t, func() error { _, _, err := j.Anchor(anchorKey('a')); return err }())
	before, err := segments(dir)
	must(t, err)
	r, err := j.Retirable(Limits{KeepBytes: 1, Below: before[2]})
	must(t, err)
	must(t, j.Retire(r, anchorKey('a')))
	must(t, j.Close())
	return dir, before
}

func TestOnlyWhatWasRetiredMayBeMissing(t *testing.T) {
	statements := func(t *testing.T, dir string, change func(string) string) {
		name := filepath.Join(dir, anchorsName)
		text, err := os.ReadFile(name)
		must(t, err)
		must(t, os.WriteFile(name, []byte(change(string(text))), 0o600))
	}
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, dir string, before []uint64)
		want   string // "": sound
	}{
		{"what was retired", func(*testing.T, string, []uint64) {}, ""},
		{"one segment more", func(t *testing.T, dir string, _ []uint64) { removeSegments(t, dir, 1) }, "nothing that was signed"},
		{"a segment of the middle", func(t *testing.T, dir string, before []uint64) {
			must(t, removeSegment(dir, before[3]))
		}, "are missing"},
		{"the end", func(t *testing.T, dir string, _ []uint64) { removeSegments(t, dir, -1) }, "the end was removed"},
		{"the statement too", func(t *testing.T, dir string, _ []uint64) {
			statements(t, dir, func(s string) string { return s[:strings.Index(s, "\n")+1] })
		}, "nothing that was signed"},
		{"more, and the statement says so", func(t *testing.T, dir string, before []uint64) {
			removeSegments(t, dir, 1)
			statements(t, dir, func(s string) string {
				return strings.Replace(s, fmt.Sprintf(`"record":%d`, before[2]-1), fmt.Sprintf(`"record":%d`, before[3]-1), 1)
			})
		}, "nothing that was signed"},
		{"more, and an anchor passes for a statement", func(t *testing.T, dir string, _ []uint64) {
			removeSegments(t, dir, 1)
			statements(t, dir, func(s string) string { return strings.Replace(s, `"}`, `","retired":true}`, 1) })
		}, "the anchor's signature does not match"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, before := retired(t)
			tt.change(t, dir, before)
			r, err := Verify(dir)
			must(t, err)
			if told := fmt.Sprint(r.Faults); (tt.want == "") != (len(r.Faults) == 0) || !strings.Contains(told, tt.want) {
				t.Errorf("faults %s, want %q", told, tt.want)
			}
		})
	}
}

// An anchor that stands by chance where a segment ends is no leave to remove it.
func TestAnAnchorIsNoRetirement(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, Options{Dir: dir, SegmentBytes: 300})
	for j.Head() == 0 || j.size < 300 {
		fill(t, j, 1)
	}
	_, _, err := j.Anchor(anchorKey('a'))
	must(t, err)
	fill(t, j, 5)
	must(t, j.Close())
	sound(t, dir)
	removeSegments(t, dir, 1)
	r, err := Verify(dir)
	must(t, err)
	if len(r.Faults) == 0 || r.First != r.Anchored+1 {
		t.Errorf("%+v", r)
	}
}

func TestARetirementThatWasCutOffLeavesASoundJournal(t *testing.T) {
	dir, j := many(t, 20)
	r, err := j.Retirable(Limits{KeepBytes: 1, Below: ^uint64(0)})
	must(t, err)
	kept := r.firsts
	r.firsts = kept[:1] // dies behind the first file
	must(t, j.Retire(r, anchorKey('a')))
	must(t, j.Close())
	if got := sound(t, dir); got.First != kept[1] {
		t.Errorf("%+v", got)
	}
}

func FuzzUnpack(f *testing.F) {
	packed, err := pack(bytes.Repeat([]byte("record"), 50))
	must(f, err)
	f.Add(packed)
	f.Add(packed[:len(packed)-sealBytes])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, packed []byte) {
		data, err := unpack(packed)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		again, err := pack(data)
		must(t, err)
		if same, err := unpack(again); err != nil || !bytes.Equal(same, data) {
			t.Errorf("%v", err)
		}
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, compressedName(1)), packed, 0o600))
		if _, err := Verify(dir); err != nil || errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	})
}
