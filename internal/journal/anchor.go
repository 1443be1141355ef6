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
	b := append([]byte("keystile audit anchor\x00"), id...)
	b = binary.BigEndian.AppendUint64(b, a.Record)
	b = append(b, hash...)
	return binary.BigEndian.AppendUint64(b, uint64(a.Time.UnixMicro())), nil
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
// is for one caller at a time, beside the one of Append.
func (j *Journal) Anchor(key ed25519.PrivateKey) (Anchor, bool, error) {
	j.mu.Lock()
	record, hash := j.head, j.durable
	j.mu.Unlock()
	last, err := lastAnchor(j.opts.Dir)
	if err != nil || record == 0 || last.Record == record && last.Hash == hash.String() {
		return last, false, err
	}
	return j.sign(key, record, hash)
}

func (j *Journal) sign(key ed25519.PrivateKey, record uint64, hash chain) (Anchor, bool, error) {
	public, _ := key.Public().(ed25519.PublicKey)
	a := Anchor{
		Journal: j.ID(), Record: record, Hash: hash.String(), Time: j.opts.Now().UTC().Truncate(time.Microsecond),
		PublicKey: base64.StdEncoding.EncodeToString(public),
	}
	text, err := a.signed()
	if err != nil {
		return Anchor{}, false, err
	}
	a.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
	return a, true, appendAnchor(j.opts.Dir, a)
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
	// A line that a crash cut off must not spoil the next one.
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		end := make([]byte, 1)
		if _, err := f.ReadAt(end, info.Size()-1); err == nil && end[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return err
	}
	return errors.Join(f.Sync(), syncDir(dir))
}

// ReadAnchors reads a file of anchors, one JSON object a line. What is no anchor
// is passed over if it may be a line that was cut off: one without an end.
func ReadAnchors(name string) (anchors []Anchor, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var a Anchor
		if err := json.Unmarshal(line, &a); err != nil {
			if line[len(line)-1] != '}' {
				continue
			}
			return nil, fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		anchors = append(anchors, a)
	}
	return anchors, lines.Err()
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

func lastAnchor(dir string) (Anchor, error) {
	anchors, err := Anchors(dir)
	if err != nil || len(anchors) == 0 {
		return Anchor{}, err
	}
	return anchors[len(anchors)-1], nil
}
