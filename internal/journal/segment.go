package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const suffix = ".journal"

// segmentName is the file of the segment that begins with the record first.
func segmentName(first uint64) string { return fmt.Sprintf("%020d%s", first, suffix) }

// segments lists the first records of all segments in dir, ascending.
func segments(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var firsts []uint64
	for _, e := range entries {
		digits, ok := strings.CutSuffix(strings.TrimSuffix(e.Name(), ".zst"), suffix)
		first, err := strconv.ParseUint(digits, 10, 64)
		if ok && err == nil && (segmentName(first) == e.Name() || compressedName(first) == e.Name()) {
			firsts = append(firsts, first)
		}
	}
	slices.Sort(firsts) // one that is being compressed has two files
	return slices.Compact(firsts), nil
}

// scan is what was found in a segment.
type scan struct {
	header header
	next   uint64 // seq after the last whole record
	chain  chain  // after it
	size   int64  // bytes up to its end
	// damaged: bytes behind that are no torn tail, as whole frames follow them.
	damaged bool
	// unsound: the compressed bytes are not what was written.
	unsound bool
}

// scanSegment reads a segment and checks every frame and the chain, up to but
// without the record until (0: to its end): what follows there was never
// acknowledged, and the next segment has another record of that number. What is
// behind the last whole frame is a torn tail, unless another one follows.
//
// Each whole record is shown to visit, if that is not nil.
func scanSegment(dir string, first, until uint64, visit func(seq uint64, after chain)) (scan, error) {
	data, err := readSegment(dir, first)
	unsound := errors.Is(err, ErrDamaged)
	if err != nil && !unsound {
		return scan{}, err
	}
	h, err := decodeHeader(data)
	if err != nil {
		return scan{}, err
	}
	if h.first != first {
		return scan{}, fmt.Errorf("%w: segment %d says it begins at %d", ErrDamaged, first, h.first)
	}
	s := scan{header: h, next: h.first, chain: h.before, size: headerBytes, unsound: unsound}
	for until == 0 || s.next < until {
		f, size, ok := decodeFrame(data[s.size:])
		if !ok || f.seq != s.next || f.chain != s.chain.next(f.seq, f.payload) {
			s.damaged = frameFollows(data[s.size:])
			return s, nil
		}
		s.next, s.chain, s.size = s.next+1, f.chain, s.size+int64(size)
		if visit != nil {
			visit(f.seq, f.chain)
		}
	}
	return s, nil
}

// frameFollows reports whether a whole frame stands anywhere in b. A write that
// was torn leaves none: its frames are written in order.
func frameFollows(b []byte) bool {
	for at := range b {
		if _, _, ok := decodeFrame(b[at:]); ok {
			return true
		}
	}
	return false
}

// torn reports a segment that holds nothing: its making was interrupted.
func torn(dir string, first uint64) (bool, error) {
	info, err := os.Stat(filepath.Join(dir, segmentName(first)))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // it is compressed
	}
	if err != nil {
		return false, err
	}
	return info.Size() < headerBytes, nil
}

// syncDir makes the names in dir durable.
func syncDir(dir string) (err error) {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Sync()
}
