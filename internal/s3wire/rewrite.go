package s3wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Rewrite puts a client's names into an answer and leaves every other byte of
// the document as it is. What is not well-formed XML, or has a key that does not
// begin as all keys of the client do, is an error.
func Rewrite(doc []byte, names *Names) (rewritten []byte, root string, err error) {
	rw := rewriter{doc: doc, dec: xml.NewDecoder(bytes.NewReader(doc)), names: names}
	for {
		before := rw.dec.InputOffset()
		tok, err := rw.dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", fmt.Errorf("%w: %w", errXML, err)
		}
		if err := rw.take(tok, before); err != nil {
			return nil, "", err
		}
	}
	if rw.root == "" {
		return nil, "", fmt.Errorf("%w: no root element", errXML)
	}
	rw.out.Write(doc[rw.copied:])
	return rw.recount(), rw.root, nil
}

type rewriter struct {
	doc    []byte
	dec    *xml.Decoder
	names  *Names
	out    bytes.Buffer
	copied int64 // of doc, in bytes
	root   string
	path   []byte
	open   []openElement
	text   []byte // of the innermost element, where its role needs it

	dropped int // entries that are left out
	count   span
}

// span is where KeyCount's text stands in the output.
type span struct{ from, to int }

// openElement is one that has not ended yet. Offsets are bytes of the document.
type openElement struct {
	path     int   // length of the path before it
	tag      int64 // where its start tag begins
	content  int64 // and ends
	role     role
	elements bool // there are elements in it
	gone     bool // it is an entry that is left out
	// out and copied are the rewriter's when the element began.
	out    int
	copied int64
}

func (rw *rewriter) take(tok xml.Token, before int64) error {
	switch t := tok.(type) {
	case xml.StartElement:
		return rw.start(t, before)
	case xml.EndElement:
		return rw.end(before)
	case xml.CharData:
		switch depth := len(rw.open); {
		case depth == 0 && len(bytes.TrimSpace(t)) > 0:
			return fmt.Errorf("%w: text outside the root element", errXML)
		case depth > 0 && rw.open[depth-1].role.needsText():
			rw.text = append(rw.text, t...)
		}
	case xml.Directive:
		return fmt.Errorf("%w: a document type is not allowed", errXML)
	}
	return nil
}

func (rw *rewriter) start(t xml.StartElement, before int64) error {
	switch depth := len(rw.open); {
	case depth >= maxXMLDepth:
		return fmt.Errorf("%w: too deep", errXML)
	case depth > 0:
		rw.open[depth-1].elements = true
	case rw.root != "":
		return fmt.Errorf("%w: more than one root element", errXML)
	default:
		rw.root = t.Name.Local
	}
	e := openElement{path: len(rw.path), tag: before, content: rw.dec.InputOffset(), out: rw.out.Len(), copied: rw.copied}
	if len(rw.path) > 0 {
		rw.path = append(rw.path, '/')
	}
	rw.path = append(rw.path, t.Name.Local...)
	e.role = roles[string(rw.path)]
	if rw.names.Hidden == "" && e.role.needsText() {
		e.role = other
	}
	rw.text = rw.text[:0]
	rw.open = append(rw.open, e)
	return nil
}

func (rw *rewriter) end(before int64) error {
	depth := len(rw.open) - 1
	top := rw.open[depth]
	if top.role != other {
		if top.elements {
			return fmt.Errorf("%w: <%s> has elements where a text is expected", errXML, rw.path[top.path:])
		}
		done, text, err := rw.names.judge(top.role, string(rw.text))
		switch {
		case err != nil:
			return err
		case done == replace:
			rw.replace(top, before, text)
		case done == drop:
			rw.drop(top)
		case done == dropItem && depth > 0:
			rw.open[depth-1].gone = true
		}
	}
	if top.gone {
		rw.drop(top)
		rw.dropped++
	}
	if string(rw.path) == "ListBucketResult/KeyCount" && !top.elements {
		from := rw.out.Len() + int(top.content-rw.copied)
		rw.count = span{from, from + int(before-top.content)}
	}
	rw.path = rw.path[:top.path]
	rw.open = rw.open[:depth]
	return nil
}

// replace puts text in the place of the element's content, which ends at end.
// An element that closes itself has no such place and is opened for it.
func (rw *rewriter) replace(e openElement, end int64, text string) {
	tag := rw.doc[e.tag:e.content]
	if bytes.HasSuffix(tag, []byte("/>")) {
		rw.out.Write(rw.doc[rw.copied : e.content-2])
		rw.out.WriteByte('>')
		escapeXML(&rw.out, text)
		rw.out.WriteString("</" + tagName(tag) + ">")
	} else {
		rw.out.Write(rw.doc[rw.copied:e.content])
		escapeXML(&rw.out, text)
	}
	rw.copied = end
}

// drop leaves the element out that has just ended.
func (rw *rewriter) drop(e openElement) {
	rw.out.Truncate(e.out)
	rw.out.Write(rw.doc[e.copied:e.tag])
	rw.copied = rw.dec.InputOffset()
}

// recount corrects KeyCount by the entries that were left out.
func (rw *rewriter) recount() []byte {
	out := rw.out.Bytes()
	if rw.dropped == 0 || rw.count.to == 0 {
		return out
	}
	n, err := strconv.Atoi(string(out[rw.count.from:rw.count.to]))
	if err != nil {
		return out
	}
	fixed := append([]byte(nil), out[:rw.count.from]...)
	fixed = strconv.AppendInt(fixed, int64(max(n-rw.dropped, 0)), 10)
	return append(fixed, out[rw.count.to:]...)
}

// tagName is the name in a start tag, with its prefix.
func tagName(tag []byte) string {
	name := tag[1:]
	if end := bytes.IndexAny(name, " \t\r\n/>"); end >= 0 {
		name = name[:end]
	}
	return string(name)
}
