package http1

// chunkScan walks chunked framing, RFC 9112 section 7.1, without extensions:
// nothing the gateway talks to sends them, and parsers disagree about them.
type chunkScan struct {
	state  chunkState
	digits int   // of the size line
	left   int64 // of the chunk's data
}

type chunkState uint8

const (
	chunkSize   chunkState = iota // in the hex digits
	chunkSizeLF                   // after the CR of the size line
	chunkData                     // left bytes of data follow
	chunkDataCR                   // the CRLF after the data
	chunkDataLF
	chunkLast // after the size line of the last chunk: a trailer or the end
	chunkLastLF
	chunkDone
)

// maxSizeDigits bounds a size line. Sixteen hold every int64 and the leading
// zeros that some senders write.
const maxSizeDigits = 16

// control takes one byte of framing, in any state but chunkData and chunkDone.
// It reports whether the byte may stand there.
func (s *chunkScan) control(b byte) bool {
	switch s.state {
	case chunkSize:
		return s.sizeByte(b)
	case chunkSizeLF:
		if s.left > 0 {
			return s.expect(b, '\n', chunkData)
		}
		return s.expect(b, '\n', chunkLast)
	case chunkDataCR:
		return s.expect(b, '\r', chunkDataLF)
	case chunkDataLF:
		s.digits, s.left = 0, 0
		return s.expect(b, '\n', chunkSize)
	case chunkLast:
		return s.expect(b, '\r', chunkLastLF)
	case chunkLastLF:
		return s.expect(b, '\n', chunkDone)
	}
	return false
}

func (s *chunkScan) expect(b, want byte, next chunkState) bool {
	s.state = next
	return b == want
}

func (s *chunkScan) sizeByte(b byte) bool {
	if b == '\r' {
		return s.digits > 0 && s.expect(b, '\r', chunkSizeLF)
	}
	d, ok := unhex(b)
	if !ok || s.digits == maxSizeDigits || s.left > (1<<63-1)>>4 {
		return false
	}
	s.digits++
	s.left = s.left<<4 | int64(d)
	return true
}

// data counts n bytes of chunk data, at most left.
func (s *chunkScan) data(n int64) {
	s.left -= n
	if s.left == 0 {
		s.state = chunkDataCR
	}
}

// scan walks p and returns how many of its bytes belong to the body: all, or up
// to its end (then state is chunkDone), or up to the first fault.
func (s *chunkScan) scan(p []byte) (n int, ok bool) {
	for n < len(p) && s.state != chunkDone {
		if s.state == chunkData {
			skip := min(s.left, int64(len(p)-n))
			s.data(skip)
			n += int(skip)
			continue
		}
		if !s.control(p[n]) {
			return n, false
		}
		n++
	}
	return n, true
}

func unhex(b byte) (byte, bool) {
	switch {
	case '0' <= b && b <= '9':
		return b - '0', true
	case 'a' <= b && b <= 'f':
		return b - 'a' + 10, true
	case 'A' <= b && b <= 'F':
		return b - 'A' + 10, true
	}
	return 0, false
}
