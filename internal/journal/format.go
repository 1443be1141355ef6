package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// A segment is a header followed by frames. Numbers are big-endian.
//
//	header: magic 8, journal id 16, first seq 8, created at 8 (microseconds
//	        since 1970), chain before the first frame 32, CRC-32C of all before 4
//	frame:  payload length 4, CRC-32C of all that follows 4, seq 8, chain 32,
//	        payload
//
// The chain of a frame is the SHA-256 of the chain before it, its seq and its
// payload.
const (
	headerBytes = 76
	frameBytes  = 48 // without its payload
	idBytes     = 16

	// MaxRecord bounds one record, in bytes: a DeleteObjects names 1000 keys of
	// 1024 bytes, each of which may be written as six.
	MaxRecord = 16 << 20
)

var magic = [8]byte{'K', 'S', 'J', 'R', 'N', 'L', 0, 1}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type chain [sha256.Size]byte

// genesis is the chain before a journal's first record.
func genesis(id [idBytes]byte) chain {
	return sha256.Sum256(append([]byte("keystile audit journal\x00"), id[:]...))
}

// next is the chain after a record.
func (c chain) next(seq uint64, payload []byte) chain {
	h := sha256.New()
	h.Write(c[:])
	h.Write(binary.BigEndian.AppendUint64(nil, seq))
	h.Write(payload)
	return chain(h.Sum(nil))
}

func (c chain) String() string { return hex.EncodeToString(c[:]) }

// header is what a segment begins with.
type header struct {
	id      [idBytes]byte
	first   uint64
	created time.Time
	before  chain
}

func (h header) encode() []byte {
	b := append(make([]byte, 0, headerBytes), magic[:]...)
	b = append(b, h.id[:]...)
	b = binary.BigEndian.AppendUint64(b, h.first)
	b = binary.BigEndian.AppendUint64(b, uint64(h.created.UnixMicro()))
	b = append(b, h.before[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// ErrDamaged is a segment whose bytes are not what was written.
var ErrDamaged = errors.New("the journal is damaged")

func decodeHeader(b []byte) (header, error) {
	var h header
	if len(b) < headerBytes || !bytes.Equal(b[:len(magic)], magic[:]) {
		return h, fmt.Errorf("%w: no header of a journal of version %d", ErrDamaged, magic[7])
	}
	const end = headerBytes - 4
	if crc32.Checksum(b[:end], castagnoli) != binary.BigEndian.Uint32(b[end:]) {
		return h, fmt.Errorf("%w: the checksum of a header does not match", ErrDamaged)
	}
	copy(h.id[:], b[8:24])
	h.first = binary.BigEndian.Uint64(b[24:32])
	h.created = time.UnixMicro(int64(binary.BigEndian.Uint64(b[32:40]))).UTC()
	copy(h.before[:], b[40:72])
	return h, nil
}

// appendFrame writes a record's frame behind dst and returns the chain after it.
func appendFrame(dst []byte, seq uint64, before chain, payload []byte) ([]byte, chain) {
	after := before.next(seq, payload)
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = binary.BigEndian.AppendUint64(dst, seq)
	dst = append(dst, after[:]...)
	dst = append(dst, payload...)
	binary.BigEndian.PutUint32(dst[start+4:], crc32.Checksum(dst[start+8:], castagnoli))
	return dst, after
}

// frame is one record as it lies in a segment.
type frame struct {
	seq     uint64
	chain   chain
	payload []byte
}

// decodeFrame reads the frame at the beginning of b, whose payload it aliases.
// It reports false for anything that is not a whole frame with its checksum.
func decodeFrame(b []byte) (f frame, size int, ok bool) {
	if len(b) < frameBytes {
		return f, 0, false
	}
	length := binary.BigEndian.Uint32(b)
	if length > MaxRecord || len(b) < frameBytes+int(length) {
		return f, 0, false
	}
	size = frameBytes + int(length)
	if crc32.Checksum(b[8:size], castagnoli) != binary.BigEndian.Uint32(b[4:]) {
		return f, 0, false
	}
	f.seq = binary.BigEndian.Uint64(b[8:])
	copy(f.chain[:], b[16:])
	f.payload = b[frameBytes:size]
	return f, size, true
}
