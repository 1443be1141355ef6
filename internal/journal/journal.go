package journal

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// defaultSegment is how large a segment grows, in bytes.
const defaultSegment = 64 << 20

// defaultAge is how old a segment grows while it is written to.
const defaultAge = 24 * time.Hour

// Options say where a journal is.
type Options struct {
	Dir string // made if absent, mode 0700
	// SegmentBytes is the size at which a new segment begins; 0: 64 MiB.
	SegmentBytes int64
	// SegmentAge is the age at which a new segment begins; 0: a day. Retention
	// removes whole segments.
	SegmentAge time.Duration
	Now        func() time.Time
	// create opens a new segment's file; tests put faults there.
	create func(name string) (file, error)
}

// file is a segment that is written to.
type file interface {
	io.Writer
	io.Closer
	Truncate(size int64) error
	// datasync makes what was written durable, its length with it.
	datasync() error
}

// Journal is an open journal. Append is for one caller at a time; everything
// else may be called from anywhere.
type Journal struct {
	opts   Options
	unlock func() error
	id     [idBytes]byte

	out   file      // nil before the first record, and after trouble with the last file
	size  int64     // of out
	began time.Time // out
	chain chain
	buf   []byte

	signing  sync.Mutex // guards anchored, and the file of anchors
	anchored *Anchor    // the last one; nil before it was read

	mu      sync.Mutex
	head    uint64 // seq of the last durable record
	durable chain  // after it
}

// Found is what Open found.
type Found struct {
	// Torn is how many bytes of a write that was never acknowledged were removed.
	Torn int64
	// Damaged names a segment that has foreign bytes before its last record. The
	// journal goes on in a new one; Verify tells more.
	Damaged string
}

// Open locks the journal, removes a torn tail and goes on where it ended. A
// second process gets ErrLocked.
func Open(o Options) (*Journal, Found, error) {
	if o.SegmentBytes == 0 {
		o.SegmentBytes = defaultSegment
	}
	if o.SegmentAge == 0 {
		o.SegmentAge = defaultAge
	}
	if o.create == nil {
		o.create = createFile
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, Found{}, err
	}
	unlock, err := lock(filepath.Join(o.Dir, "lock"))
	if err != nil {
		return nil, Found{}, err
	}
	j := &Journal{opts: o, unlock: unlock}
	found, err := j.recover()
	if err != nil {
		return nil, found, errors.Join(err, unlock())
	}
	return j, found, nil
}

// recover finds the end of the last segment. One whose making was interrupted
// is removed.
func (j *Journal) recover() (Found, error) {
	firsts, err := segments(j.opts.Dir)
	if err != nil {
		return Found{}, err
	}
	for len(firsts) > 0 {
		last := firsts[len(firsts)-1]
		empty, err := torn(j.opts.Dir, last)
		if err != nil {
			return Found{}, err
		}
		if !empty {
			return j.resume(last)
		}
		if err := os.Remove(filepath.Join(j.opts.Dir, segmentName(last))); err != nil {
			return Found{}, err
		}
		firsts = firsts[:len(firsts)-1]
	}
	if _, err := rand.Read(j.id[:]); err != nil {
		return Found{}, err
	}
	j.chain = genesis(j.id)
	return Found{}, nil
}

// resume goes on behind the last whole record of a segment.
func (j *Journal) resume(first uint64) (Found, error) {
	name := filepath.Join(j.opts.Dir, segmentName(first))
	s, err := scanSegment(j.opts.Dir, first, 0, nil)
	if err != nil {
		return Found{}, fmt.Errorf("%s: %w", name, err)
	}
	j.id, j.chain, j.head, j.durable = s.header.id, s.chain, s.next-1, s.chain
	if s.damaged || s.unsound {
		last, err := lastFrame(j.opts.Dir, first)
		if err != nil {
			return Found{}, err
		}
		if last.seq > j.head {
			j.chain, j.head, j.durable = last.chain, last.seq, last.chain
		}
		return Found{Damaged: name}, nil
	}
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return Found{}, nil // it is compressed: what stood behind it is gone
	}
	if err != nil {
		return Found{}, err
	}
	info, err := out.Stat()
	if err != nil {
		return Found{}, errors.Join(err, out.Close())
	}
	found := Found{Torn: info.Size() - s.size}
	if found.Torn > 0 {
		if err := errors.Join(out.Truncate(s.size), out.Sync()); err != nil {
			return Found{}, errors.Join(err, out.Close())
		}
	}
	j.out, j.size, j.began = diskFile{out}, s.size, s.header.created
	return found, nil
}

// lastFrame finds the last whole frame of a damaged segment.
func lastFrame(dir string, first uint64) (last frame, err error) {
	data, err := readSegment(dir, first)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return last, err
	}
	for at := headerBytes; at < len(data); {
		f, size, ok := decodeFrame(data[at:])
		if !ok {
			at++
			continue
		}
		last, at = f, at+size
	}
	return last, nil
}

// ID names the journal, for as long as its directory lives.
func (j *Journal) ID() string { return hex.EncodeToString(j.id[:]) }

// Head is the number of the last durable record; 0 before the first.
func (j *Journal) Head() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.head
}

// Stands returns the number of the last durable record, 0 before the first, and
// its hash in hex.
func (j *Journal) Stands() (record uint64, hash string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.head == 0 {
		return 0, ""
	}
	return j.head, j.durable.String()
}

// Append writes the records, in order, and makes them durable. On an error none
// of them is part of the journal, and the next Append begins where this one did.
// A record larger than MaxRecord is an error.
func (j *Journal) Append(records [][]byte) error {
	for _, r := range records {
		if len(r) > MaxRecord {
			return fmt.Errorf("a record of %d bytes is larger than %d", len(r), MaxRecord)
		}
	}
	if err := j.makeRoom(); err != nil {
		return err
	}
	seq, after := j.Head(), j.chain
	j.buf = j.buf[:0]
	for _, r := range records {
		seq++
		j.buf, after = appendFrame(j.buf, seq, after, r)
	}
	if err := j.write(j.buf); err != nil {
		return err
	}
	j.chain = after
	j.size += int64(len(j.buf))
	if cap(j.buf) > keptBuffer {
		j.buf = nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.head, j.durable = seq, after
	return nil
}

// keptBuffer bounds the memory that is kept from one Append to the next.
const keptBuffer = 1 << 20

// write appends data durably, or takes it back.
func (j *Journal) write(data []byte) error {
	if _, err := j.out.Write(data); err != nil {
		if undo := j.out.Truncate(j.size); undo != nil {
			return errors.Join(err, undo, j.abandon())
		}
		return err
	}
	if err := j.out.datasync(); err != nil {
		// Of a file that could not be synced nobody knows what it holds: its
		// pages may have been dropped. The journal goes on in another one.
		return errors.Join(err, j.out.Truncate(j.size), j.abandon())
	}
	return nil
}

// abandon leaves the file as it is; what lies behind its last durable record
// does not count.
func (j *Journal) abandon() error {
	err := j.out.Close()
	j.out = nil
	return err
}

// makeRoom begins a new segment when there is none, or it is full or old.
func (j *Journal) makeRoom() error {
	if j.out != nil && j.size < j.opts.SegmentBytes && j.opts.Now().Sub(j.began) < j.opts.SegmentAge {
		return nil
	}
	if j.out != nil {
		if err := j.abandon(); err != nil {
			return err
		}
	}
	return j.begin(j.Head() + 1)
}

func (j *Journal) begin(first uint64) error {
	name := filepath.Join(j.opts.Dir, segmentName(first))
	out, err := j.opts.create(name)
	if err != nil {
		return err
	}
	now := j.opts.Now()
	head := header{id: j.id, first: first, created: now, before: j.chain}.encode()
	if _, err := out.Write(head); err != nil {
		return errors.Join(err, out.Close(), os.Remove(name))
	}
	if err := errors.Join(out.datasync(), syncDir(j.opts.Dir)); err != nil {
		return errors.Join(err, out.Close(), os.Remove(name))
	}
	j.out, j.size, j.began = out, headerBytes, now
	return nil
}

// SkipTo makes the next record's number at least seq: numbers that others have
// seen are never given twice, even if the end of the journal was lost. The gap
// is found by Verify.
func (j *Journal) SkipTo(seq uint64) error {
	if seq <= j.Head()+1 {
		return nil
	}
	if j.out != nil {
		if err := j.abandon(); err != nil {
			return err
		}
	}
	j.mu.Lock()
	j.head = seq - 1
	j.mu.Unlock()
	return j.begin(seq)
}

// Close ends the journal and lets go of its lock.
func (j *Journal) Close() error {
	var err error
	if j.out != nil {
		err = j.abandon()
	}
	return errors.Join(err, j.unlock())
}

type diskFile struct{ *os.File }

func createFile(name string) (file, error) {
	// A file of that name holds only what was never acknowledged.
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}
