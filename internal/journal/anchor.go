package journal

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// anchorsName is the file of anchors in a journal's directory.
const anchorsName = "anchors.jsonl"

// Anchor says, under a signature, how a journal stood: whoever keeps one elsewhere
// can tell later whether the records up to it are still those that were written,
// and that none of them is gone.
type Anchor struct {
	Journal string    `json:"journal"` // its id, in hex
	Record  uint64    `json:"record"`  // number of the last durable one
	Hash    string    `json:"hash"`    // of that record, in hex
	Time    time.Time `json:"time"`    // when it was signed, in microseconds
	// PublicKey is that of Signature, both Ed25519 (RFC 8032) in base64.
	PublicKey string `json:"public_key"`
	Signature string `json:"signature"`
	// Retired says also that the records up to this one were, or were about to be,
	// removed by retention.
	Retired bool `json:"retired,omitempty"`
}

// PublicKey is the key that an anchor names, of the one that signs it.
func PublicKey(key ed25519.PrivateKey) string {
	public, _ := key.Public().(ed25519.PublicKey)
	return base64.StdEncoding.EncodeToString(public)
}

// ErrAnchor is an anchor that its signature does not belong to.
var ErrAnchor = errors.New("the anchor's signature does not match")

// signed are the bytes under an anchor's signature.
func (a *Anchor) signed() ([]byte, error) {
	id, err := hex.DecodeString(a.Journal)
	if err != nil || len(id) != idBytes {
		return nil, fmt.Errorf("%w: %q names no journal", ErrAnchor, a.Journal)
	}
	hash, err := hex.DecodeString(a.Hash)
	if err != nil || len(hash) != len(chain{}) {
		return nil, fmt.Errorf("%w: %q is no hash", ErrAnchor, a.Hash)
	}
	b := append([]byte(a.text()), id...)
	b = binary.BigEndian.AppendUint64(b, a.Record)
	b = append(b, hash...)
	return binary.BigEndian.AppendUint64(b, uint64(a.Time.UnixMicro())), nil
}

// text begins what is signed: neither kind of statement passes for the other.
func (a *Anchor) text() string {
	if a.Retired {
		return "keystile audit retirement\x00"
	}
	return "keystile audit anchor\x00"
}

// Check reports, as ErrAnchor, a signature that is not by PublicKey.
func (a *Anchor) Check() error {
	text, err := a.signed()
	if err != nil {
		return err
	}
	key, err := base64.StdEncoding.DecodeString(a.PublicKey)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: it has no public key", ErrAnchor)
	}
	signature, err := base64.StdEncoding.DecodeString(a.Signature)
	if err != nil || !ed25519.Verify(key, text, signature) {
		return ErrAnchor
	}
	return nil
}

// Anchor signs how the journal stands and appends that to its anchors. It returns
// false if the last anchor there says as much already, or there is no record. It
// may run beside Append and Retire.
func (j *Journal) Anchor(key ed25519.PrivateKey) (Anchor, bool, error) {
	j.signing.Lock()
	defer j.signing.Unlock()
	j.mu.Lock()
	record, hash := j.head, j.durable
	j.mu.Unlock()
	last, err := j.lastAnchor()
	if err != nil || record == 0 || last.Record == record && last.Hash == hash.String() {
		return last, false, err
	}
	made, err := j.sign(key, Anchor{Record: record, Hash: hash.String()})
	if err != nil {
		return Anchor{}, false, err
	}
	j.anchored = &made
	return made, true, nil
}

// lastAnchor is read from the file once.
func (j *Journal) lastAnchor() (Anchor, error) {
	if j.anchored == nil {
		all, err := j.Anchors()
		if err != nil {
			return Anchor{}, err
		}
		j.anchored = new(Anchor)
		for _, a := range all {
			if !a.Retired {
				*j.anchored = a
			}
		}
	}
	return *j.anchored, nil
}

// sign signs a statement and appends it to those that were made. j.signing is held.
func (j *Journal) sign(key ed25519.PrivateKey, a Anchor) (Anchor, error) {
	a.Journal, a.Time, a.PublicKey = j.ID(), j.opts.Now().UTC().Truncate(time.Microsecond), PublicKey(key)
	text, err := a.signed()
	if err != nil {
		return Anchor{}, err
	}
	a.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
	return a, appendAnchor(j.opts.Dir, a)
}

func appendAnchor(dir string, a Anchor) (err error) {
	line, err := json.Marshal(a)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, anchorsName), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	cut, err := endsAmidLine(f)
	if err != nil {
		return err
	}
	if cut { // by a crash: it must not spoil this one
		line = append([]byte{'\n'}, line...)
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return err
	}
	return errors.Join(f.Sync(), syncDir(dir))
}

func endsAmidLine(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	end := make([]byte, 1)
	_, err = f.ReadAt(end, info.Size()-1)
	return end[0] != '\n', err
}

// ReadAnchors reads a file of anchors, one JSON object a line, or what a sink has
// kept of those it was sent: what stands before the first brace of a line is passed
// over, as the head of a message of syslog is, and so are records of the journal
// and lines without an end.
func ReadAnchors(name string) (anchors []Anchor, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		found, bad := anchorsIn(bytes.TrimSpace(line))
		if bad != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, n, bad)
		}
		anchors = append(anchors, found...)
		if err != nil {
			return anchors, nil
		}
	}
}

// kept is a line that anchors may be in.
type kept struct {
	Anchor
	// Event, Outcome and Tally tell that it is a record of the journal.
	Event, Outcome, Tally json.RawMessage
	// Data is what a webhook is told.
	Data struct {
		Anchors []Anchor `json:"anchors"`
		Records json.RawMessage
	} `json:"data"`
}

func anchorsIn(line []byte) ([]Anchor, error) {
	begin := bytes.IndexByte(line, '{')
	if begin < 0 || line[len(line)-1] != '}' {
		return nil, nil // it was cut off, or is something else
	}
	var k kept
	if err := json.Unmarshal(line[begin:], &k); err != nil {
		return nil, err
	}
	switch {
	case len(k.Data.Anchors) > 0:
		return k.Data.Anchors, nil
	case k.Event != nil, k.Outcome != nil, k.Tally != nil, k.Data.Records != nil:
		return nil, nil
	}
	return []Anchor{k.Anchor}, nil
}

// Anchors are all that the journal has, oldest first.
func (j *Journal) Anchors() ([]Anchor, error) { return Anchors(j.opts.Dir) }

// Anchors are those that the journal in dir has made.
func Anchors(dir string) ([]Anchor, error) {
	anchors, err := ReadAnchors(filepath.Join(dir, anchorsName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return anchors, err
}
