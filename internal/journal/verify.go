package journal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"time"
)

// Report is what Verify found.
type Report struct {
	Journal  string // its id, in hex; empty if no segment tells
	Segments int
	First    uint64 // of the records that are there; 0 if there is none
	Last     uint64
	Chain    string   // after the last record, in hex
	Anchored uint64   // the last record that an anchor agrees with; 0 if there is none
	Keys     []string // public keys of the anchors, in base64
	// Faults are the breaks of the chain, in order; none means that every record
	// is as it was written and none between First and Last is missing.
	Faults []Fault
}

// Fault is one break.
type Fault struct {
	Segment string // file name
	Seq     uint64 // the first record that is missing or not as written
	Reason  string
}

func (f Fault) String() string {
	return fmt.Sprintf("%s, record %d: %s", f.Segment, f.Seq, f.Reason)
}

// Against is what a journal is compared with beyond its own chain. Zero fields
// compare with nothing.
type Against struct {
	// From and To bound the records that are read, to whole segments; 0: to the
	// first and to the last.
	From, To uint64
	// Anchors are such as were kept elsewhere. The journal's own are looked at in
	// any case.
	Anchors []Anchor
	// PublicKeys are those that anchors may be signed with, in base64; none: any.
	PublicKeys []string
	// Indexed tells the last record that the index of a journal knows of; nil: there
	// is no index.
	Indexed func(journal string) (uint64, error)
}

// Verify reads every segment in dir, of a journal in use too, and checks each
// record's checksum, the chain from the first to the last, and the journal's
// anchors.
func Verify(dir string) (Report, error) { return VerifyAgainst(dir, Against{}) }

// VerifyAgainst is Verify with more to compare with.
func VerifyAgainst(dir string, with Against) (r Report, err error) {
	for range verifyAttempts {
		if r, err = verifyOnce(dir, with); !errors.Is(err, fs.ErrNotExist) {
			break // else a segment was retired meanwhile
		}
	}
	return r, err
}

const verifyAttempts = 5

func verifyOnce(dir string, with Against) (Report, error) {
	own, err := Anchors(dir)
	if err != nil {
		return Report{}, err
	}
	firsts, err := segments(dir)
	if err != nil {
		return Report{}, err
	}
	v := newVerification(dir, with, slices.Concat(own, with.Anchors))
	// Of a journal in use the index may not be asked later: it gets to know of
	// records that were made after their segment had been read.
	if err := v.askIndex(firsts); err != nil {
		return v.Report, err
	}
	for i, first := range firsts {
		var until uint64
		if i+1 < len(firsts) {
			until = firsts[i+1]
		}
		if until > 0 && until <= with.From || with.To > 0 && first > with.To {
			continue
		}
		if err := v.segment(first, until); err != nil {
			return v.Report, err
		}
	}
	v.end()
	return v.Report, nil
}

// verification is a Report in the making.
type verification struct {
	Report
	dir     string
	with    Against
	anchors map[uint64][]Anchor // by record
	reading uint64              // the first record of the segment that is read
	before  scan
	indexed uint64
}

func newVerification(dir string, with Against, anchors []Anchor) *verification {
	v := &verification{dir: dir, with: with, anchors: map[uint64][]Anchor{}}
	for _, a := range anchors {
		v.anchors[a.Record] = append(v.anchors[a.Record], a)
	}
	return v
}

func (v *verification) askIndex(firsts []uint64) error {
	if v.with.Indexed == nil || v.with.To > 0 || len(firsts) == 0 {
		return nil
	}
	h, err := headerOf(v.dir, firsts[0])
	if errors.Is(err, ErrDamaged) {
		return nil // it is told of when the segment is read
	}
	if err != nil {
		return err
	}
	v.indexed, err = v.with.Indexed(hex.EncodeToString(h.id[:]))
	return err
}

// headerOf reads a segment's header.
func headerOf(dir string, first uint64) (h header, err error) {
	f, err := openSegment(dir, first)
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head := make([]byte, headerBytes)
	if _, err := io.ReadFull(f, head); err != nil {
		return h, fmt.Errorf("%w: segment %d has no header", ErrDamaged, first)
	}
	return decodeHeader(head)
}

// segment checks one segment by itself, and that it goes on from the one before.
func (v *verification) segment(first, until uint64) error {
	v.Segments++
	v.reading = first
	begins := v.First == 0
	if begins {
		v.First = first
	}
	s, err := v.scan(first, until)
	if err != nil {
		return err
	}
	if begins && s.header.first != 0 {
		v.Journal = hex.EncodeToString(s.header.id[:])
		v.begin(s)
	} else if !begins {
		v.join(v.before, s, first)
	}
	v.before = s
	return nil
}

func (v *verification) scan(first, until uint64) (scan, error) {
	s, err := scanSegment(v.dir, first, until, v.compare)
	if errors.Is(err, ErrDamaged) {
		if empty, statErr := torn(v.dir, first); statErr == nil && empty && until == 0 {
			return scan{next: first}, nil // it is being made, or its making was cut off
		}
		v.fault(first, first, err.Error())
		return scan{next: first}, nil
	}
	if err != nil {
		return s, err
	}
	switch {
	case s.damaged, s.unsound && s.next < until:
		s.damaged = true
		v.fault(first, s.next, "its bytes are not what was written")
	case s.unsound:
		v.fault(first, first, "each record is as it was written, but not the compressed file")
	}
	return s, nil
}

// begin looks at what stands before the first record that is there: the journal's
// beginning, or what was signed when the records before it were retired.
func (v *verification) begin(s scan) {
	first := s.header.first
	v.compare(first-1, s.header.before)
	if first == 1 || v.with.From > 0 {
		return
	}
	for _, anchors := range v.anchors {
		for _, a := range anchors {
			// Each is checked at the end, whatever it is for.
			if a.Retired && a.Record >= first-1 && a.Check() == nil {
				return
			}
		}
	}
	v.fault(first, 1, fmt.Sprintf("records up to %d are missing, and nothing that was signed says that they were retired", first-1))
}

// compare holds the anchors of a record to it.
func (v *verification) compare(seq uint64, after chain) {
	for _, a := range v.anchors[seq] {
		if a.Hash != after.String() {
			v.fault(v.reading, seq, fmt.Sprintf("it is not the record that was anchored at %s", a.Time.Format(time.RFC3339)))
			continue
		}
		v.Anchored = max(v.Anchored, seq)
	}
}

// end compares the journal's end with what knows of a later one, and checks the
// anchors themselves.
func (v *verification) end() {
	if v.before.next > 0 {
		v.Last, v.Chain = v.before.next-1, v.before.chain.String()
	}
	for _, record := range slices.Sorted(maps.Keys(v.anchors)) {
		for _, a := range v.anchors[record] {
			v.anchor(a)
		}
	}
	if v.indexed > v.Last {
		v.fault(v.First, v.Last+1, fmt.Sprintf("the index has records up to %d: the end was removed", v.indexed))
	}
}

func (v *verification) anchor(a Anchor) {
	if err := a.Check(); err != nil {
		v.fault(v.First, a.Record, err.Error())
		return
	}
	if !slices.Contains(v.Keys, a.PublicKey) {
		v.Keys = append(v.Keys, a.PublicKey)
	}
	switch {
	case len(v.with.PublicKeys) > 0 && !slices.Contains(v.with.PublicKeys, a.PublicKey):
		v.fault(v.First, a.Record, fmt.Sprintf("its anchor is signed with the key %s, which is none of those given", a.PublicKey))
	case v.Journal != "" && a.Journal != v.Journal:
		v.fault(v.First, a.Record, fmt.Sprintf("its anchor is of another journal, %s", a.Journal))
	case v.with.To == 0 && a.Record > v.Last:
		v.fault(v.First, v.Last+1, fmt.Sprintf("records up to %d were anchored at %s: the end was removed", a.Record, a.Time.Format(time.RFC3339)))
	}
}

// join checks that a segment goes on where the one before ended.
func (v *verification) join(before, s scan, first uint64) {
	switch {
	case before.damaged || before.header.first == 0 || s.header.first == 0:
		// That one of them cannot be read was told already.
	case before.header.id != s.header.id:
		v.fault(first, first, "it belongs to another journal")
	case before.next < first:
		v.fault(before.header.first, before.next, fmt.Sprintf("records up to %d are missing", first-1))
	case before.chain != s.header.before:
		v.fault(first, first, "it does not go on from the record before")
	}
}

func (v *verification) fault(segment, seq uint64, reason string) {
	v.Faults = append(v.Faults, Fault{fileOf(v.dir, segment), seq, reason})
}
