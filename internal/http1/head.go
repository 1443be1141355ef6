package http1

import "bytes"

// token marks the characters of a token, RFC 9110 section 5.6.2.
var token = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()

func isToken[T string | []byte](s T) bool {
	for i := range len(s) {
		if !token[s[i]] {
			return false
		}
	}
	return len(s) > 0
}

// isText reports whether s may stand in a field value: RFC 9110 section 5.5,
// visible characters, space, tab and obs-text. CR, LF and NUL are not in it.
func isText[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// foldEqual compares ASCII without case; lower must be in lower case. Unlike
// bytes.EqualFold it knows no Unicode folding (the Kelvin sign is no k).
func foldEqual[T string | []byte](s T, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func trimOWS[T string | []byte](s T) T {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// parseLength reads a Content-Length, RFC 9110 section 8.6: digits only, below
// 2^63.
func parseLength[T string | []byte](s T) (int64, bool) {
	if len(s) == 0 || len(s) > 19 {
		return 0, false
	}
	var n uint64 // 19 digits cannot overflow it
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return int64(n), n <= 1<<63-1
}

// headScan finds the end of a head in bytes that arrive piecemeal, and sees
// each byte once.
type headScan struct {
	pos  int // bytes looked at
	line int // where the current line began
}

// find looks for the empty line in buf, whose first pos bytes it already
// knows. It returns the head's length, 0 while its end is missing. A line feed
// without a carriage return makes it fail at once: waiting for the end that the
// sender believes to have written would hang.
func (s *headScan) find(buf []byte) (end int, ok bool) {
	for {
		i := bytes.IndexByte(buf[s.pos:], '\n')
		if i < 0 {
			s.pos = len(buf)
			return 0, true
		}
		lf := s.pos + i
		if lf == s.line || buf[lf-1] != '\r' {
			return 0, false
		}
		start := s.line
		s.pos, s.line = lf+1, lf+1
		if lf-1 == start {
			return lf + 1, true
		}
	}
}

// cutLine takes the first line off a head whose lines all end in CRLF.
func cutLine[T string | []byte](head T) (line, rest T) {
	for i := 1; i < len(head); i++ {
		if head[i] == '\n' {
			return head[:i-1], head[i+1:]
		}
	}
	return line, rest
}

// cutField splits a field line, RFC 9112 section 5. It returns a reason when
// the line is none: no whitespace stands before the colon, no line continues
// the one before (obs-fold), and no control character hides in the value.
func cutField[T string | []byte](line T) (name, value T, fault string) {
	end := 0
	for end < len(line) && token[line[end]] {
		end++
	}
	switch {
	case end == len(line):
		return name, value, "header line without a colon"
	case end == 0 && (line[0] == ' ' || line[0] == '\t'):
		return name, value, "folded header line"
	case end == 0 || line[end] != ':':
		return name, value, "invalid header name"
	case !isText(line[end+1:]):
		return name, value, "control character in a header value"
	}
	return line[:end], trimOWS(line[end+1:]), ""
}

// closeOption reads a Connection field's value: only close and keep-alive are
// options this package knows.
func closeOption[T string | []byte](value T) (closes, known bool) {
	for {
		end := 0
		for end < len(value) && value[end] != ',' {
			end++
		}
		switch option := trimOWS(value[:end]); {
		case foldEqual(option, "close"):
			closes = true
		case !foldEqual(option, "keep-alive"):
			return closes, false
		}
		if end == len(value) {
			return closes, true
		}
		value = value[end+1:]
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
