package s3wire

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"math/bits"
	"strconv"
	"unicode/utf8"
)

// piece is one part of an XML document. Offsets are bytes of the document.
type piece struct {
	kind  pieceKind
	name  []byte // of an element, without its prefix
	text  []byte // of character data, unescaped
	begin int64
	end   int64
}

type pieceKind uint8

const (
	noPiece pieceKind = iota // a declaration, comment or the like
	startTag
	endTag // of an element that closes itself too: it has no length then
	characters
	doctype
)

// pieces yields a document piece by piece; io.EOF is its end. The slices of a
// piece are valid until the next one is asked for.
type pieces interface{ next(t *piece) error }

// anyXML takes every well-formed document.
type anyXML struct{ dec *xml.Decoder }

func (a anyXML) next(t *piece) error {
	*t = piece{begin: a.dec.InputOffset()}
	tok, err := a.dec.Token()
	if err != nil {
		return err
	}
	t.end = a.dec.InputOffset()
	switch tok := tok.(type) {
	case xml.StartElement:
		t.kind, t.name = startTag, []byte(tok.Name.Local)
	case xml.EndElement:
		t.kind, t.name = endTag, []byte(tok.Name.Local)
	case xml.CharData:
		t.kind, t.text = characters, tok
	case xml.Directive:
		t.kind = doctype
	}
	return nil
}

// errUnusual is a document that plainXML leaves to anyXML: it may be well-formed
// or not.
var errUnusual = errors.New("unusual XML")

// plainXML takes documents as S3 servers write them, many times faster than
// encoding/xml: elements, attributes and text, nothing else. Whatever it is not
// sure of is errUnusual.
type plainXML struct {
	doc    []byte
	at     int
	open   [maxXMLDepth + 1][]byte // names of the open elements
	depth  int
	closes bool // the last tag closes itself
	space  []byte
}

func (p *plainXML) next(t *piece) error {
	t.begin = int64(p.at)
	if p.closes {
		p.closes = false
		p.depth--
		t.kind, t.name, t.end = endTag, p.open[p.depth], t.begin
		return nil
	}
	rest := p.doc[p.at:]
	switch {
	case len(rest) == 0 && p.depth == 0:
		return io.EOF
	case len(rest) < 2:
		return p.characters(t)
	case rest[0] != '<':
		return p.characters(t)
	case rest[1] == '/':
		return p.endTag(t)
	case rest[1] == '?':
		return p.declaration(t)
	}
	return p.startTag(t)
}

// declarations are the ways in which S3 servers begin a document.
var declarations = []string{
	`<?xml version="1.0" encoding="UTF-8"?>`, `<?xml version="1.0" encoding="utf-8"?>`,
	`<?xml version='1.0' encoding='UTF-8'?>`, `<?xml version="1.0"?>`,
}

func (p *plainXML) declaration(t *piece) error {
	for _, d := range declarations {
		if p.at == 0 && bytes.HasPrefix(p.doc, []byte(d)) {
			p.at = len(d)
			t.kind, t.end = noPiece, int64(p.at)
			return nil
		}
	}
	return errUnusual
}

func (p *plainXML) startTag(t *piece) error {
	p.at++
	t.kind = startTag
	if t.name = p.name(); t.name == nil || p.depth > maxXMLDepth {
		return errUnusual
	}
	for p.at < len(p.doc) {
		switch p.doc[p.at] {
		case '>':
			p.at++
			p.opened(t)
			return nil
		case '/':
			if p.at+1 == len(p.doc) || p.doc[p.at+1] != '>' {
				return errUnusual
			}
			p.at += 2
			p.closes = true
			p.opened(t)
			return nil
		case ' ':
			p.at++
			if p.at < len(p.doc) && isNameByte[p.doc[p.at]] && !p.attribute() {
				return errUnusual
			}
		default:
			return errUnusual
		}
	}
	return errUnusual
}

func (p *plainXML) opened(t *piece) {
	p.open[p.depth] = t.name
	p.depth++
	t.end = int64(p.at)
}

// attribute passes over NAME="VALUE", such as a namespace.
func (p *plainXML) attribute() bool {
	if p.doc[p.at] < 'A' { // digits cannot begin a name
		return false
	}
	for p.at < len(p.doc) && (isNameByte[p.doc[p.at]] || p.doc[p.at] == ':') {
		p.at++
	}
	rest := p.doc[p.at:]
	if len(rest) < 2 || rest[0] != '=' || rest[1] != '"' {
		return false
	}
	value := rest[2:]
	end := bytes.IndexByte(value, '"')
	if end < 0 {
		return false
	}
	for _, c := range value[:end] {
		if c < ' ' || c > '~' || c == '<' || c == '&' {
			return false
		}
	}
	p.at += 2 + end + 1
	return true
}

func (p *plainXML) endTag(t *piece) error {
	if p.depth == 0 {
		return errUnusual
	}
	t.kind, t.name = endTag, p.open[p.depth-1]
	rest := p.doc[p.at+2:]
	if len(rest) <= len(t.name) || rest[len(t.name)] != '>' || string(rest[:len(t.name)]) != string(t.name) {
		return errUnusual
	}
	p.at += 2 + len(t.name) + 1
	p.depth--
	t.end = int64(p.at)
	return nil
}

// name reads an element's name of letters and digits without a prefix.
func (p *plainXML) name() []byte {
	from := p.at
	for p.at < len(p.doc) && isNameByte[p.doc[p.at]] {
		p.at++
	}
	if p.at == from || p.doc[from] < 'A' { // digits cannot begin a name
		return nil
	}
	return p.doc[from:p.at]
}

// isNameByte has the letters and digits of ASCII.
var isNameByte = func() (set [256]bool) {
	for c := range set {
		set[c] = '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
	}
	return set
}()

// What a byte of text asks for.
const (
	escape uint8 = 1 << iota
	bracket
	wide
	forbidden
)

var asks = func() (set [256]uint8) {
	for c := range set {
		switch {
		case c == '&':
			set[c] = escape
		case c == ']':
			set[c] = bracket
		case c >= utf8.RuneSelf:
			set[c] = wide
		case c < ' ' && c != '\n' && c != '\t', c == 0x7f:
			set[c] = forbidden
		}
	}
	return set
}()

// asking has the high bit set of each of eight bytes that may end a text or ask
// for something. Above such a byte it may be set too where nothing asks.
func asking(v uint64) uint64 {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	// What is no ASCII has it; 0x7f and one more; and what is below a space, or
	// equal to a mark, less what it has at least to be.
	return (v | (v + ones) | (v - ' '*ones) | ((v ^ '<'*ones) - ones) | ((v ^ '&'*ones) - ones) | ((v ^ ']'*ones) - ones)) & highs
}

// plainRun returns where the first byte from at on stands that may end a text or
// ask for something, len(doc) if none does.
func plainRun(doc []byte, at int) int {
	for len(doc)-at >= 8 {
		// A borrow or carry goes up only: the lowest bit tells true.
		if found := asking(binary.LittleEndian.Uint64(doc[at:])); found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
		at += 8
	}
	for at < len(doc) && doc[at] != '<' && doc[at] >= ' ' && asks[doc[at]] == 0 {
		at++
	}
	return at
}

// characters reads text up to the next tag. A document ends with a tag or with
// text outside its root.
func (p *plainXML) characters(t *piece) error {
	raw := p.doc[p.at:]
	end := bytes.IndexByte(raw, '<')
	if end == 0 || end < 0 && p.depth > 0 {
		return errUnusual
	}
	if end > 0 {
		raw = raw[:end]
	}
	p.at += len(raw)
	t.kind, t.text, t.end = characters, raw, int64(p.at)
	if plainRun(raw, 0) == len(raw) {
		return nil
	}
	var ok bool
	if t.text, ok = plainText(raw, &p.space); !ok {
		return errUnusual
	}
	return nil
}

// plainText unescapes text, into space where there is anything to unescape. It
// reports false for text that it is not sure of.
func plainText(raw []byte, space *[]byte) ([]byte, bool) {
	var found uint8
	for _, c := range raw {
		found |= asks[c]
	}
	switch {
	case found&forbidden != 0, found&wide != 0 && !isPlainText(raw), found&bracket != 0 && bytes.Contains(raw, []byte("]]>")):
		return nil, false
	case found&escape == 0:
		return raw, true
	}
	return unescape(raw, space)
}

// isPlainText reports whether text is UTF-8 without what XML forbids.
func isPlainText(text []byte) bool {
	return utf8.Valid(text) && !bytes.Contains(text, []byte("\ufffe")) && !bytes.Contains(text, []byte("\uffff"))
}

// maxEntity is how long an entity may be, in bytes, with its marks.
const maxEntity = 11

func unescape(raw []byte, space *[]byte) ([]byte, bool) {
	out := (*space)[:0]
	for {
		at := bytes.IndexByte(raw, '&')
		if at < 0 {
			*space = append(out, raw...)
			return *space, true
		}
		out = append(out, raw[:at]...)
		raw = raw[at+1:]
		end := bytes.IndexByte(raw[:min(len(raw), maxEntity-1)], ';')
		if end < 0 {
			return nil, false
		}
		r, ok := entity(string(raw[:end]))
		if !ok {
			return nil, false
		}
		out = utf8.AppendRune(out, r)
		raw = raw[end+1:]
	}
}

func entity(name string) (rune, bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	r := rune(n)
	plain := err == nil && n <= utf8.MaxRune && (r >= ' ' || r == '\t' || r == '\n' || r == '\r') &&
		(r < 0xd800 || r > 0xdfff) && r != 0xfffe && r != 0xffff
	return r, plain
}
