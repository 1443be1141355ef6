package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// A compressed segment is that of its bytes by Zstandard (RFC 8878), which any
// decoder reads, and behind it a skippable frame with a checksum of all before:
// not every byte of a Zstandard frame is under a checksum of its own.
const (
	sealMagic = 0x184D2A50 // of a skippable frame, little-endian as is its length
	sealBytes = 12         // magic 4, length 4, CRC-32C 4 (big-endian)
)

func compressedName(first uint64) string { return segmentName(first) + ".zst" }

// Compress compresses the oldest segment that is not yet, and to which nothing is
// written any more. It reports false if there is none. The segment is removed once
// what was read back from the disk is the same. It may run beside Append and
// readers, and is for one caller at a time.
func (j *Journal) Compress() (bool, error) {
	firsts, err := segments(j.opts.Dir)
	if err != nil || len(firsts) < 2 {
		return false, err
	}
	for _, first := range firsts[:len(firsts)-1] {
		plain := filepath.Join(j.opts.Dir, segmentName(first))
		info, err := os.Stat(plain)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() > maxSegment {
			continue
		}
		if err != nil {
			return false, err
		}
		data, err := os.ReadFile(plain)
		if err != nil {
			return false, err
		}
		if err := j.writeCompressed(first, data); err != nil {
			return false, fmt.Errorf("compress segment %d: %w", first, err)
		}
		return true, errors.Join(os.Remove(plain), syncDir(j.opts.Dir))
	}
	return false, nil
}

func (j *Journal) writeCompressed(first uint64, data []byte) error {
	packed, err := pack(data)
	if err != nil {
		return err
	}
	name := filepath.Join(j.opts.Dir, compressedName(first))
	making := name + ".tmp"
	if err := writeSynced(making, packed); err != nil {
		return errors.Join(err, removeIfThere(making))
	}
	written, err := os.ReadFile(making)
	if err == nil {
		var same []byte
		if same, err = unpack(written); err == nil && !bytes.Equal(same, data) {
			err = errors.New("what was written is not what was read back")
		}
	}
	if err != nil {
		return errors.Join(err, removeIfThere(making))
	}
	return errors.Join(os.Rename(making, name), syncDir(j.opts.Dir))
}

func writeSynced(name string, data []byte) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

func removeIfThere(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func pack(data []byte) ([]byte, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, err
	}
	packed := w.EncodeAll(data, nil)
	if err := w.Close(); err != nil {
		return nil, err
	}
	sum := crc32.Checksum(packed, castagnoli)
	packed = binary.LittleEndian.AppendUint32(packed, sealMagic)
	packed = binary.LittleEndian.AppendUint32(packed, 4)
	return binary.BigEndian.AppendUint32(packed, sum), nil
}

// unpack returns what can be read, with ErrDamaged if that may not be all, or not
// what was written.
func unpack(packed []byte) (data []byte, err error) {
	sealed := len(packed) >= sealBytes
	if sealed {
		seal := packed[len(packed)-sealBytes:]
		packed = packed[:len(packed)-sealBytes]
		sealed = binary.LittleEndian.Uint32(seal) == sealMagic && binary.LittleEndian.Uint32(seal[4:]) == 4 &&
			binary.BigEndian.Uint32(seal[8:]) == crc32.Checksum(packed, castagnoli)
	}
	r, err := decoder(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var all bytes.Buffer
	_, err = io.Copy(&all, io.LimitReader(onlyReader{r}, maxSegment))
	if err != nil || !sealed {
		return all.Bytes(), fmt.Errorf("%w: its compressed bytes are not what was written", ErrDamaged)
	}
	return all.Bytes(), nil
}

// maxSegment bounds the memory for a compressed segment. A segment ends with the
// Append that makes it larger than SegmentBytes; one that is larger than this is
// left as it is.
const maxSegment = 1 << 30

// onlyReader hides that a decoder can write itself, which reads on behind what
// is asked for.
type onlyReader struct{ io.Reader }

func decoder(in io.Reader) (*zstd.Decoder, error) {
	return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderLowmem(true))
}

// openSegment opens a segment to be read from its beginning, compressed or not.
func openSegment(dir string, first uint64) (io.ReadCloser, error) {
	f, err := os.Open(filepath.Join(dir, segmentName(first)))
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if f, err = os.Open(filepath.Join(dir, compressedName(first))); err != nil {
		return nil, err
	}
	r, err := decoder(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &unpacking{r, f}, nil
}

// unpacking reads a compressed file.
type unpacking struct {
	*zstd.Decoder
	file *os.File
}

func (u *unpacking) Close() error {
	u.Decoder.Close()
	return u.file.Close()
}

// readSegment reads a whole segment, compressed or not. What could be read comes
// with ErrDamaged too.
func readSegment(dir string, first uint64) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(dir, segmentName(first)))
	if !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	if data, err = os.ReadFile(filepath.Join(dir, compressedName(first))); err != nil {
		return nil, err
	}
	return unpack(data)
}

// removeSegment removes all that there is of a segment.
func removeSegment(dir string, first uint64) error {
	return errors.Join(removeIfThere(filepath.Join(dir, segmentName(first))), removeIfThere(filepath.Join(dir, compressedName(first))))
}

// fileOf is the name of the file that a segment stands in.
func fileOf(dir string, first uint64) string {
	if _, err := os.Stat(filepath.Join(dir, segmentName(first))); err != nil {
		if _, err := os.Stat(filepath.Join(dir, compressedName(first))); err == nil {
			return compressedName(first)
		}
	}
	return segmentName(first)
}

// sizes are what the files of segments take, in bytes.
func sizes(dir string, firsts []uint64) ([]int64, error) {
	all := make([]int64, len(firsts))
	for i, first := range firsts {
		for _, name := range []string{segmentName(first), compressedName(first)} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err == nil {
				all[i] += info.Size()
			} else if !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	}
	return all, nil
}
