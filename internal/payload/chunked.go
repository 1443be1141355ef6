package payload

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"

	"keystile/internal/sigv4"
)

const (
	bufferSize   = 4 << 10
	maxLine      = 256 // of a chunk header or trailer, in bytes with its end
	maxSizeLen   = 16  // hex digits
	signatureLen = 2 * sha256.Size

	chunkSignature   = ";chunk-signature="
	trailerSignature = "x-amz-trailer-signature"
)

// decoder is the source of an aws-chunked body.
type decoder struct {
	body    *steady
	in      *bufio.Reader // of body
	d       Declared
	left    int64 // of the payload
	chunk   int64 // left of the chunk
	inChunk bool  // a chunk has begun and its end has not been verified
	// Digest and declared signature of the chunk, in signed framings.
	hash      hash.Hash
	signature [signatureLen]byte
}

func newDecoder(body *steady, d Declared) *decoder {
	dec := &decoder{body: body, in: bufio.NewReaderSize(body, bufferSize), d: d, left: d.Length}
	if d.Framing.Signed() {
		dec.hash = sha256.New()
	}
	return dec
}

// Read fills p from as many chunks as have arrived, so that a client's tiny
// chunks do not become tiny writes to the backend; it waits for the first byte
// only. Bytes of large chunks go straight into p.
func (c *decoder) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && (n == 0 || c.in.Buffered() > 0) {
		if c.chunk == 0 {
			if err := c.nextChunk(); err != nil {
				return 0, err
			}
		}
		m, err := c.in.Read(p[n:min(int64(len(p)), int64(n)+c.chunk)])
		if m == 0 && err != nil {
			return 0, readError(err)
		}
		if c.hash != nil {
			c.hash.Write(p[n : n+m])
		}
		n += m
		c.chunk -= int64(m)
		c.left -= int64(m)
	}
	return n, nil
}

func (c *decoder) copyTo(w io.ReaderFrom, n int64) (int64, error) {
	if c.hash != nil || c.chunk == 0 || c.in.Buffered() > 0 {
		return 0, nil
	}
	m, err := c.body.copyTo(w, min(n, c.chunk))
	c.chunk -= m
	c.left -= m
	return m, err
}

// nextChunk ends the chunk before and begins one that holds data.
func (c *decoder) nextChunk() error {
	if err := c.endChunk(); err != nil {
		return err
	}
	size, err := c.readHeader()
	switch {
	case err != nil:
		return err
	case size == 0:
		return fmt.Errorf("%w: last chunk with %d bytes missing", ErrIncomplete, c.left)
	case size > c.left:
		return fmt.Errorf("%w: chunk of %d bytes where %d are left", ErrTooLong, size, c.left)
	}
	c.chunk, c.inChunk = size, true
	return nil
}

// endChunk verifies the end and the signature of the chunk that was read.
func (c *decoder) endChunk() error {
	if !c.inChunk {
		return nil
	}
	c.inChunk = false
	line, err := c.readLine()
	if err != nil {
		return err
	}
	if string(line) != "\r\n" {
		return fmt.Errorf("%w: no line end behind the data", ErrFraming)
	}
	return c.verifyChunk()
}

func (c *decoder) verifyChunk() error {
	if c.hash == nil {
		return nil
	}
	var sum [sha256.Size]byte
	c.hash.Sum(sum[:0])
	c.hash.Reset()
	return signatureError(c.d.Chunks.Chunk(sum, c.signature[:]))
}

func signatureError(err error) error {
	if errors.Is(err, sigv4.ErrMismatch) {
		return fmt.Errorf("%w: %w", ErrChunkSignature, err)
	}
	return err
}

// readHeader reads SIZE[;chunk-signature=SIGNATURE].
func (c *decoder) readHeader() (int64, error) {
	line, err := c.readLine()
	if err != nil {
		return 0, err
	}
	line, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok {
		return 0, fmt.Errorf("%w: chunk header does not end in CR LF", ErrFraming)
	}
	digits, extension := line, []byte(nil)
	if i := bytes.IndexByte(line, ';'); i >= 0 {
		digits, extension = line[:i], line[i:]
	}
	if c.hash == nil && extension != nil {
		return 0, fmt.Errorf("%w: extension in an unsigned chunk header", ErrFraming)
	}
	if c.hash != nil {
		signature, ok := bytes.CutPrefix(extension, []byte(chunkSignature))
		if !ok || len(signature) != signatureLen {
			return 0, fmt.Errorf("%w: chunk without a signature", ErrChunkSignature)
		}
		copy(c.signature[:], signature)
	}
	return parseSize(digits)
}

// parseSize reads a chunk size in hex.
func parseSize(digits []byte) (int64, error) {
	if len(digits) == 0 || len(digits) > maxSizeLen {
		return 0, fmt.Errorf("%w: chunk size of %d digits", ErrFraming, len(digits))
	}
	var size uint64
	for _, c := range digits {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, fmt.Errorf("%w: chunk size is not a hex number", ErrFraming)
		}
		size = size<<4 | uint64(c)
	}
	if size > math.MaxInt64 {
		return 0, fmt.Errorf("%w: chunk size out of range", ErrFraming)
	}
	return int64(size), nil
}

// readLine returns the next line with its end, valid until the next read. It
// looks at no more than the buffer holds, however long the line is.
func (c *decoder) readLine() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	if len(line) > maxLine || errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("%w: line of more than %d bytes", ErrFraming, maxLine)
	}
	if err != nil {
		return nil, readError(err)
	}
	return line, nil
}

// finish reads the last chunk, the trailers and the end of the body.
func (c *decoder) finish() ([]Checksum, error) {
	if err := c.endChunk(); err != nil {
		return nil, err
	}
	size, err := c.readHeader()
	if err != nil {
		return nil, err
	}
	if size != 0 {
		return nil, fmt.Errorf("%w: chunk of %d bytes behind the declared length", ErrTooLong, size)
	}
	if err := c.verifyChunk(); err != nil {
		return nil, err
	}
	trailers := trailerParser{dec: c}
	if err := trailers.parse(); err != nil {
		return nil, err
	}
	return trailers.values, expectEnd(c.in)
}
