package journal

import (
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func anchorKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))
}

// anchored makes a journal of ten records in several segments, with anchors of
// the fifth and the tenth.
func anchored(t *testing.T) (dir string, anchors []Anchor) {
	t.Helper()
	dir = t.TempDir()
	j, _ := open(t, Options{Dir: dir, SegmentBytes: 200})
	for range 2 {
		fill(t, j, 5)
		a, made, err := j.Anchor(anchorKey('a'))
		must(t, err)
		if !made || a.Record != j.Head() {
			t.Fatalf("anchor %+v, made %v at record %d", a, made, j.Head())
		}
		anchors = append(anchors, a)
	}
	must(t, j.Close())
	return dir, anchors
}

func TestAnAnchorSaysHowTheJournalStands(t *testing.T) {
	dir, anchors := anchored(t)
	r := sound(t, dir)
	if r.Anchored != 10 || len(r.Keys) != 1 || r.Keys[0] != PublicKey(anchorKey('a')) {
		t.Errorf("%+v", r)
	}
	j, _ := open(t, Options{Dir: dir})
	defer func() { must(t, j.Close()) }()
	if _, made, err := j.Anchor(anchorKey('a')); made || err != nil {
		t.Errorf("nothing new was anchored: %v, %v", made, err)
	}
	kept, err := Anchors(dir)
	must(t, err)
	if len(kept) != 2 || kept[0] != anchors[0] || kept[1] != anchors[1] {
		t.Errorf("the file has %+v", kept)
	}
}

// Whoever can write the journal's directory can make a sound chain of other
// records: an anchor that was kept elsewhere tells.
func TestAHistoryThatWasMadeAnewIsFound(t *testing.T) {
	_, kept := anchored(t)
	dir := t.TempDir()
	j, _ := open(t, Options{Dir: dir})
	fill(t, j, 12)
	must(t, j.Close())
	r, err := VerifyAgainst(dir, Against{Anchors: kept})
	must(t, err)
	if len(r.Faults) == 0 {
		t.Error("other records pass for those that were anchored")
	}
}

func TestWhatAnchorsTell(t *testing.T) {
	other := PublicKey(anchorKey('b'))
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, dir string, with *Against)
		want   string // "": sound
	}{
		{"nothing is wrong", func(*testing.T, string, *Against) {}, ""},
		{"the end is gone", func(t *testing.T, dir string, _ *Against) { removeSegments(t, dir, -1) }, "the end was removed"},
		{"the end is gone, and the anchors with it", func(t *testing.T, dir string, with *Against) {
			removeSegments(t, dir, -1)
			must(t, os.Remove(filepath.Join(dir, anchorsName)))
			with.Indexed = func(string) (uint64, error) { return 10, nil }
		}, "the index has records up to 10"},
		{"all is gone but what the index has", func(t *testing.T, dir string, with *Against) {
			removeSegments(t, dir, -1)
			must(t, os.Remove(filepath.Join(dir, anchorsName)))
		}, ""}, // nothing is left that could tell: why anchors are kept elsewhere
		{"the beginning is gone", func(t *testing.T, dir string, _ *Against) { removeSegments(t, dir, 1) }, "nothing that was signed says that they were retired"},
		{"an anchor by another key", func(_ *testing.T, _ string, with *Against) { with.PublicKeys = []string{other} }, "none of those given"},
		{"an anchor by the key that was given", func(_ *testing.T, _ string, with *Against) {
			with.PublicKeys = []string{other, PublicKey(anchorKey('a'))}
		}, ""},
		{"an anchor whose number was changed", func(t *testing.T, dir string, _ *Against) {
			name := filepath.Join(dir, anchorsName)
			text, err := os.ReadFile(name)
			must(t, err)
			must(t, os.WriteFile(name, []byte(strings.Replace(string(text), `"record":5`, `"record":4`, 1)), 0o600))
		}, "not the record that was anchored"},
		{"an anchor that was cut off by a crash", func(t *testing.T, dir string, _ *Against) {
			f, err := os.OpenFile(filepath.Join(dir, anchorsName), os.O_APPEND|os.O_WRONLY, 0)
			must(t, err)
			_, err = f.WriteString(`{"journal":"12`)
			must(t, err)
			must(t, f.Close())
		}, ""},
		{"only the last records are asked for", func(_ *testing.T, _ string, with *Against) { with.From = 8 }, ""},
		{"only the first records are asked for", func(_ *testing.T, _ string, with *Against) { with.To = 2 }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := anchored(t)
			var with Against
			tt.change(t, dir, &with)
			r, err := VerifyAgainst(dir, with)
			must(t, err)
			var told []string
			for _, f := range r.Faults {
				told = append(told, f.String())
			}
			all := strings.Join(told, "\n")
			if (tt.want == "") != (all == "") || !strings.Contains(all, tt.want) {
				t.Errorf("faults %q, want %q", all, tt.want)
			}
		})
	}
}

// removeSegments removes the last segment (-1), or so many of the first.
func removeSegments(t *testing.T, dir string, n int) {
	t.Helper()
	firsts, err := segments(dir)
	must(t, err)
	gone := firsts[len(firsts)-1:]
	if n > 0 {
		gone = firsts[:n]
	}
	for _, first := range gone {
		must(t, os.Remove(filepath.Join(dir, segmentName(first))))
	}
}

// An anchor behind one that a crash cut off is read.
func TestAnAnchorBehindATornOne(t *testing.T) {
	dir, _ := anchored(t)
	name := filepath.Join(dir, anchorsName)
	text, err := os.ReadFile(name)
	must(t, err)
	must(t, os.WriteFile(name, text[:len(text)-20], 0o600))
	j, _ := open(t, Options{Dir: dir})
	_, made, err := j.Anchor(anchorKey('a'))
	must(t, err)
	must(t, j.Close())
	anchors, err := Anchors(dir)
	must(t, err)
	if !made || len(anchors) != 2 || anchors[1].Record != 10 {
		t.Errorf("made %v, anchors %+v", made, anchors)
	}
	sound(t, dir)
}

func TestAnchorsAreReadFromWhatSinksKept(t *testing.T) {
	_, anchors := anchored(t)
	first, err := json.Marshal(anchors[0])
	must(t, err)
	second, err := json.Marshal(anchors[1])
	must(t, err)
	record := `{"journal":"a","record":3,"event":{"id":"e","detail":{"message":"` + strings.Repeat("x", 100_000) + `"}}}`
	for _, tt := range []struct {
		name, text string
		want       []Anchor
		fails      bool
	}{
		{"a file of anchors", string(first) + "\n" + string(second) + "\n", anchors, false},
		{"lines of syslog", "<110>1 2026-11-25T12:00:00Z host keystile 1 anchor - " + string(first) + "\n", anchors[:1], false},
		{"records among them", record + "\n" + string(first) + "\n", anchors[:1], false},
		{"calls of a webhook", `{"id":"x","type":"audit.anchors","data":{"anchors":[` + string(first) + "," + string(second) + "]}}\n" +
			`{"id":"y","type":"audit.records","data":{"records":[` + record + "]}}", anchors, false},
		{"a line that was cut off", string(first) + "\n" + string(second[:40]), anchors[:1], false},
		{"something else", "a note\n\n", nil, false},
		{"what is broken", `{"journal":}` + "\n", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "kept")
			must(t, os.WriteFile(name, []byte(tt.text), 0o600))
			got, err := ReadAnchors(name)
			if (err != nil) != tt.fails || !slices.Equal(got, tt.want) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// What others kept is read by whoever verifies: whatever a line holds, what comes of
// it is anchors or an error.
func FuzzAnchorsIn(f *testing.F) {
	for _, seed := range []string{
		`{"journal":"a","record":1,"hash":"b","time":"2026-11-25T12:00:00Z","public_key":"k","signature":"s"}`,
		`<110>1 - h keystile 1 anchor - {"journal":"a","record":1}`, `{"journal":"a","record":1,"event":{}}`,
		`{"type":"audit.anchors","data":{"anchors":[{"record":1},{}]}}`, `{"data":{"records":[1]}}`, "{", "}", "", `{"data":null}`, `x{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		anchors, err := anchorsIn(line)
		if err != nil && len(anchors) > 0 {
			t.Errorf("both %+v and %v", anchors, err)
		}
		for _, a := range anchors {
			_ = a.Check() // must not panic
		}
	})
}
