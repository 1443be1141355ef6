package journal

import (
	"errors"
	"fmt"
)

// Report is what Verify found.
type Report struct {
	Segments int
	First    uint64 // of the records that are there; 0 if there is none
	Last     uint64
	Chain    string // after the last record, in hex
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

// Verify reads every segment in dir, of a journal in use too, and checks each
// record's checksum and the chain from the first to the last.
func Verify(dir string) (Report, error) {
	firsts, err := segments(dir)
	if err != nil {
		return Report{}, err
	}
	var r Report
	var before scan
	for i, first := range firsts {
		var until uint64
		if i+1 < len(firsts) {
			until = firsts[i+1]
		}
		s, err := r.segment(dir, first, until)
		if err != nil {
			return r, err
		}
		if i > 0 {
			r.join(before, s, first)
		}
		before = s
	}
	if before.next > 0 {
		r.Last, r.Chain = before.next-1, before.chain.String()
	}
	return r, nil
}

// segment checks one segment by itself.
func (r *Report) segment(dir string, first, until uint64) (scan, error) {
	r.Segments++
	if r.First == 0 {
		r.First = first
	}
	s, err := scanSegment(dir, first, until)
	if errors.Is(err, ErrDamaged) {
		if empty, statErr := torn(dir, first); statErr == nil && empty && until == 0 {
			return scan{next: first}, nil // it is being made, or its making was cut off
		}
		r.fault(first, first, err.Error())
		return scan{next: first}, nil
	}
	if err != nil {
		return s, err
	}
	if s.damaged {
		r.fault(first, s.next, "its bytes are not what was written")
	}
	return s, nil
}

// join checks that a segment goes on where the one before ended.
func (r *Report) join(before, s scan, first uint64) {
	switch {
	case before.damaged || before.header.first == 0 || s.header.first == 0:
		// That one of them cannot be read was told already.
	case before.header.id != s.header.id:
		r.fault(first, first, "it belongs to another journal")
	case before.next < first:
		r.fault(before.header.first, before.next, fmt.Sprintf("records up to %d are missing", first-1))
	case before.chain != s.header.before:
		r.fault(first, first, "it does not go on from the record before")
	}
}

func (r *Report) fault(segment, seq uint64, reason string) {
	r.Faults = append(r.Faults, Fault{segmentName(segment), seq, reason})
}
