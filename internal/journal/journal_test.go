package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var clock = func() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }

func open(t testing.TB, o Options) (*Journal, Found) {
	t.Helper()
	o.Now = clock
	j, found, err := Open(o)
	must(t, err)
	return j, found
}

// fill appends n records, one Append each, named by their numbers.
func fill(t testing.TB, j *Journal, n int) {
	t.Helper()
	for range n {
		must(t, j.Append([][]byte{record(j.Head() + 1)}))
	}
}

func record(seq uint64) []byte { return fmt.Appendf(nil, `{"record":%d}`, seq) }

// all reads the records from first to the head, and checks their numbers.
func all(t testing.TB, j *Journal, first uint64) []uint64 {
	t.Helper()
	c := j.Read(first)
	defer func() { must(t, c.Close()) }()
	var seqs []uint64
	for {
		seq, data, err := c.Next()
		if errors.Is(err, io.EOF) {
			return seqs
		}
		must(t, err)
		if string(data) != string(record(seq)) {
			t.Fatalf("record %d is %q", seq, data)
		}
		seqs = append(seqs, seq)
	}
}

func sound(t testing.TB, dir string) Report {
	t.Helper()
	r, err := Verify(dir)
	must(t, err)
	if len(r.Faults) > 0 {
		t.Fatalf("faults: %v", r.Faults)
	}
	return r
}

func TestRecordsAreThereAfterReopening(t *testing.T) {
	for _, size := range []int64{0, 200} { // one segment, many
		dir := t.TempDir()
		j, _ := open(t, Options{Dir: dir, SegmentBytes: size})
		id := j.ID()
		fill(t, j, 10)
		must(t, j.Append([][]byte{record(11), record(12), record(13)}))
		must(t, j.Close())
		j, found := open(t, Options{Dir: dir, SegmentBytes: size})
		if j.Head() != 13 || j.ID() != id || found != (Found{}) {
			t.Fatalf("head %d, id %s, found %+v", j.Head(), j.ID(), found)
		}
		fill(t, j, 4)
		for _, first := range []uint64{0, 1, 2, 7, 13, 17, 18} {
			seqs := all(t, j, first)
			if want := 18 - max(first, 1); uint64(len(seqs)) != want {
				t.Errorf("from %d: %v", first, seqs)
			}
		}
		if r := sound(t, dir); r.First != 1 || r.Last != 17 {
			t.Errorf("%+v", r)
		}
		must(t, j.Close())
	}
}

func TestACursorFollowsWhatIsAppended(t *testing.T) {
	j, _ := open(t, Options{Dir: t.TempDir(), SegmentBytes: 300})
	defer func() { must(t, j.Close()) }()
	c := j.Read(1)
	defer func() { must(t, c.Close()) }()
	for want := uint64(1); want < 40; want++ {
		if _, _, err := c.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("at the end: %v", err)
		}
		fill(t, j, 1)
		if seq, _, err := c.Next(); err != nil || seq != want {
			t.Fatalf("read %d, %v, want %d", seq, err, want)
		}
	}
}

func TestASecondWriterIsRefused(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, Options{Dir: dir})
	if _, _, err := Open(Options{Dir: dir, Now: clock}); !errors.Is(err, ErrLocked) {
		t.Errorf("a second one: %v", err)
	}
	must(t, j.Close())
	j, _ = open(t, Options{Dir: dir})
	must(t, j.Close())
}

// A kill leaves any part of the last write. Everything before it must be found,
// wherever the cut is.
func TestATornTailIsRemoved(t *testing.T) {
	whole := t.TempDir()
	j, _ := open(t, Options{Dir: whole})
	fill(t, j, 3)
	kept := j.size
	must(t, j.Append([][]byte{record(4), record(5)}))
	must(t, j.Close())
	data, err := os.ReadFile(filepath.Join(whole, segmentName(1)))
	must(t, err)
	middle := int(kept) + (len(data)-int(kept))/2
	for cut := int(kept); cut <= len(data); cut++ {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, segmentName(1)), data[:cut], 0o600))
		j, found := open(t, Options{Dir: dir})
		want := uint64(3)
		switch {
		case cut == len(data):
			want = 5
		case cut >= middle:
			want = 4
		}
		if j.Head() != want || found.Damaged != "" {
			t.Fatalf("cut at %d: head %d, want %d, %+v", cut, j.Head(), want, found)
		}
		fill(t, j, 2)
		if got := all(t, j, 1); len(got) != int(want)+2 {
			t.Fatalf("cut at %d: %v", cut, got)
		}
		must(t, j.Close())
		sound(t, dir)
	}
}

func TestASegmentWhoseMakingWasCutOffIsMadeAnew(t *testing.T) {
	for _, left := range []int{0, 1, headerBytes - 1} {
		dir := t.TempDir()
		j, _ := open(t, Options{Dir: dir})
		fill(t, j, 3)
		must(t, j.Close())
		must(t, os.WriteFile(filepath.Join(dir, segmentName(4)), make([]byte, left), 0o600))
		j, _ = open(t, Options{Dir: dir})
		fill(t, j, 1)
		must(t, j.Close())
		if r := sound(t, dir); r.Last != 4 {
			t.Errorf("%d bytes left: %+v", left, r)
		}
	}
}

func TestAFlippedByteIsFound(t *testing.T) {
	source := t.TempDir()
	j, _ := open(t, Options{Dir: source, SegmentBytes: 400})
	fill(t, j, 12)
	must(t, j.Close())
	firsts, err := segments(source)
	must(t, err)
	if len(firsts) < 2 {
		t.Fatal("one segment only")
	}
	last := firsts[len(firsts)-1]
	for _, first := range firsts {
		data, err := os.ReadFile(filepath.Join(source, segmentName(first)))
		must(t, err)
		for at := range data {
			dir := t.TempDir()
			must(t, os.CopyFS(dir, os.DirFS(source)))
			data[at] ^= 0x40
			must(t, os.WriteFile(filepath.Join(dir, segmentName(first)), data, 0o600))
			data[at] ^= 0x40
			r, err := Verify(dir)
			must(t, err)
			// The last record of all has none behind it: that it is gone shows by
			// its number, which the index knows.
			if len(r.Faults) == 0 && (first != last || r.Last == 12) {
				t.Fatalf("byte %d of segment %d: no fault", at, first)
			}
			if len(r.Faults) > 0 && r.Faults[0].Segment != segmentName(first) && r.Faults[0].Seq != first {
				t.Fatalf("byte %d of segment %d: %v", at, first, r.Faults)
			}
		}
	}
}

func TestADamagedSegmentIsLeftAndTheJournalGoesOn(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, Options{Dir: dir})
	fill(t, j, 9)
	must(t, j.Close())
	name := filepath.Join(dir, segmentName(1))
	data, err := os.ReadFile(name)
	must(t, err)
	data[len(data)/2] ^= 1
	must(t, os.WriteFile(name, data, 0o600))
	j, found := open(t, Options{Dir: dir})
	if found.Damaged != name || j.Head() != 9 {
		t.Fatalf("%+v, head %d", found, j.Head())
	}
	fill(t, j, 2)
	must(t, j.Close())
	r, err := Verify(dir)
	must(t, err)
	if len(r.Faults) != 1 || r.Last != 11 {
		t.Errorf("%+v", r)
	}
	after, err := os.ReadFile(name)
	must(t, err)
	if string(after) != string(data) {
		t.Error("the damaged segment was changed")
	}
}

func TestMissingRecordsAreFound(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, Options{Dir: dir, SegmentBytes: 200})
	fill(t, j, 20)
	must(t, j.Close())
	firsts, err := segments(dir)
	must(t, err)
	must(t, os.Remove(filepath.Join(dir, segmentName(firsts[2]))))
	r, err := Verify(dir)
	must(t, err)
	if len(r.Faults) == 0 || r.Faults[0].Seq != firsts[2] {
		t.Errorf("%+v, a segment at %d was removed", r, firsts[2])
	}
}

func TestNumbersAreNeverGivenTwice(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, Options{Dir: dir})
	fill(t, j, 3)
	must(t, j.SkipTo(4)) // nothing to skip
	must(t, j.SkipTo(10))
	fill(t, j, 2)
	if got := fmt.Sprint(all(t, j, 2)); got != "[2 3 10 11]" {
		t.Errorf("read %s", got)
	}
	must(t, j.Close())
	r, err := Verify(dir)
	must(t, err)
	if len(r.Faults) != 1 || r.Faults[0].Seq != 4 {
		t.Errorf("%+v", r)
	}
}

// shaky fails as told, as a full or broken disk does.
type shaky struct {
	file
	plan *plan
}

type plan struct{ write, sync, truncate error }

var errDisk = errors.New("no space left on device")

func (s shaky) Write(p []byte) (int, error) {
	if s.plan.write != nil {
		n, _ := s.file.Write(p[:len(p)/2])
		return n, s.plan.write
	}
	return s.file.Write(p)
}

func (s shaky) Truncate(size int64) error {
	if s.plan.truncate != nil {
		return s.plan.truncate
	}
	return s.file.Truncate(size)
}

func (s shaky) datasync() error {
	if s.plan.sync != nil {
		return s.plan.sync
	}
	return s.file.datasync()
}

func TestAFailedAppendLeavesNothingBehind(t *testing.T) {
	for _, tt := range []struct {
		name string
		plan plan
	}{
		{"write", plan{write: errDisk}},
		{"write, and it cannot be taken back", plan{write: errDisk, truncate: errDisk}},
		{"sync", plan{sync: errDisk}},
		{"sync, and it cannot be taken back", plan{sync: errDisk, truncate: errDisk}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, now := t.TempDir(), plan{}
			create := func(name string) (file, error) {
				f, err := createFile(name)
				return shaky{f, &now}, err
			}
			j, _ := open(t, Options{Dir: dir, create: create})
			fill(t, j, 3)
			now = tt.plan
			for range 2 { // also when the next segment cannot be made
				if err := j.Append([][]byte{[]byte("lost"), []byte("lost too")}); !errors.Is(err, errDisk) {
					t.Fatalf("appended: %v", err)
				}
			}
			if j.Head() != 3 {
				t.Errorf("head %d", j.Head())
			}
			now = plan{}
			fill(t, j, 2)
			if got := fmt.Sprint(all(t, j, 1)); got != "[1 2 3 4 5]" {
				t.Errorf("read %s", got)
			}
			must(t, j.Close())
			sound(t, dir)
			j, _ = open(t, Options{Dir: dir})
			if got := fmt.Sprint(all(t, j, 1)); got != "[1 2 3 4 5]" {
				t.Errorf("read %s after reopening", got)
			}
			must(t, j.Close())
		})
	}
}

func TestARecordThatIsTooLargeIsRefused(t *testing.T) {
	j, _ := open(t, Options{Dir: t.TempDir()})
	defer func() { must(t, j.Close()) }()
	if err := j.Append([][]byte{make([]byte, MaxRecord+1)}); err == nil {
		t.Error("it was taken")
	}
	fill(t, j, 1)
}

func FuzzScan(f *testing.F) {
	dir := f.TempDir()
	j, _ := open(f, Options{Dir: dir})
	fill(f, j, 3)
	must(f, j.Close())
	data, err := os.ReadFile(filepath.Join(dir, segmentName(1)))
	must(f, err)
	f.Add(data)
	f.Add(data[:len(data)-7])
	f.Add(append(data[:90:90], data...))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, segmentName(1)), data, 0o600))
		if _, err := Verify(dir); err != nil {
			t.Fatal(err)
		}
		j, _, err := Open(Options{Dir: dir, Now: clock})
		if errors.Is(err, ErrDamaged) {
			return
		}
		must(t, err)
		head := j.Head()
		if head > 1<<60 {
			return
		}
		must(t, j.Append([][]byte{[]byte("more")}))
		must(t, j.Close())
		j, _ = open(t, Options{Dir: dir})
		if j.Head() != head+1 {
			t.Errorf("head %d after one more than %d", j.Head(), head)
		}
		must(t, j.Close())
	})
}
