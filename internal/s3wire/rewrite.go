package s3wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// Rewrite puts a client's names into an answer and leaves every other byte of
// the document as it is. What is not well-formed XML, or has a key that does not
// begin as all keys of the client do, is an error.
func Rewrite(doc []byte, names *Names) (rewritten []byte, root string, err error) {
	rewritten, root, err = rewrite(doc, names, &plainXML{doc: doc})
	if errors.Is(err, errUnusual) {
		return rewrite(doc, names, anyXML{xml.NewDecoder(bytes.NewReader(doc))})
	}
	return rewritten, root, err
}

func rewrite(doc []byte, names *Names, in pieces) (rewritten []byte, root string, err error) {
	rw := rewriters.Get().(*rewriter)
	defer rw.letGo()
	rw.doc, rw.names = doc, names
	plain, _ := in.(*plainXML)
	var t piece
	for {
		if plain != nil && len(rw.open) == 1 {
			plain.passOver(&rw.like)
		}
		err := in.next(&t)
		if err == io.EOF { //nolint:errorlint // the end is bare
			break
		}
		if err != nil {
			return nil, "", fmt.Errorf("%w: %w", errXML, err)
		}
		if err := rw.take(&t); err != nil {
			return nil, "", err
		}
	}
	if rw.root == "" {
		return nil, "", fmt.Errorf("%w: no root element", errXML)
	}
	if rw.copied == 0 {
		return doc, rw.root, nil // nothing is another one for this client
	}
	rw.out.Write(doc[rw.copied:])
	return rw.recount(), rw.root, nil
}

type rewriter struct {
	doc    []byte
	names  *Names
	out    bytes.Buffer
	copied int64 // of doc, in bytes
	root   string
	open   []openElement
	text   []byte // of the innermost element, where its role needs it

	dropped int // entries that are left out
	count   span

	like    pattern // of the last entry with elements in which nothing matters
	matters bool    // something in the current entry does
}

// rewriters keeps the room that a rewriter needs beside its output.
var rewriters = sync.Pool{New: func() any { return &rewriter{open: make([]openElement, 0, maxXMLDepth)} }}

// letGo keeps nothing of the document.
func (rw *rewriter) letGo() {
	clear(rw.open[:cap(rw.open)])
	rw.like.forget()
	*rw = rewriter{open: rw.open[:0], like: rw.like, text: rw.text[:0]}
	if cap(rw.text)+cap(rw.like.texts) > maxKept {
		rw.text, rw.like.texts = nil, nil
	}
	rewriters.Put(rw)
}

// maxKept bounds what a rewriter in the pool keeps of room for texts, in bytes.
const maxKept = 4 << 10

// span is where KeyCount's text stands in the output.
type span struct{ from, to int }

// openElement is one that has not ended yet. Offsets are bytes of the document.
type openElement struct {
	tag      int64 // where its start tag begins
	content  int64 // and ends
	place    *place
	role     role
	elements bool // there are elements in it
	gone     bool // it is an entry that is left out
	// out and copied are the rewriter's when the element began.
	out    int
	copied int64
}

func (rw *rewriter) take(t *piece) error {
	switch t.kind {
	case startTag:
		return rw.start(t)
	case endTag:
		return rw.end(t)
	case characters:
		switch depth := len(rw.open); {
		case depth == 0 && len(bytes.TrimSpace(t.text)) > 0:
			return fmt.Errorf("%w: text outside the root element", errXML)
		case depth > 0 && rw.open[depth-1].role.needsText():
			rw.text = append(rw.text, t.text...)
		}
	case doctype:
		return fmt.Errorf("%w: a document type is not allowed", errXML)
	case noPiece:
	}
	return nil
}

func (rw *rewriter) start(t *piece) error {
	e := openElement{tag: t.begin, content: t.end, out: rw.out.Len(), copied: rw.copied}
	switch depth := len(rw.open); {
	case depth >= maxXMLDepth:
		return fmt.Errorf("%w: too deep", errXML)
	case depth > 0:
		rw.open[depth-1].elements = true
		e.place = rw.open[depth-1].place.child(t.name)
	case rw.root != "":
		return fmt.Errorf("%w: more than one root element", errXML)
	default:
		rw.root = string(t.name)
		e.place = places.child(t.name)
	}
	if e.place != nil {
		e.role = e.place.role
	}
	if rw.names.Hidden == "" && e.role.needsText() {
		e.role = other
	}
	rw.matters = e.role != other || rw.matters && len(rw.open) > 1
	rw.text = rw.text[:0]
	rw.open = append(rw.open, e)
	return nil
}

func (rw *rewriter) end(t *piece) error {
	depth := len(rw.open) - 1
	top := &rw.open[depth]
	switch top.role {
	case other:
	case keyCount:
		if top.elements {
			break
		}
		from := rw.out.Len() + int(top.content-rw.copied)
		rw.count = span{from, from + int(t.begin-top.content)}
	default:
		if err := rw.apply(top, t); err != nil {
			return err
		}
	}
	if top.gone {
		rw.drop(*top, t.end)
		rw.dropped++
	}
	if depth == 1 && top.elements && !rw.matters {
		rw.like.learn(rw.doc[top.tag:t.end])
	}
	rw.open = rw.open[:depth]
	return nil
}

// apply gives an element that has just ended the text that the client is shown.
func (rw *rewriter) apply(e *openElement, t *piece) error {
	if e.elements {
		return fmt.Errorf("%w: <%s> has elements where a text is expected", errXML, t.name)
	}
	done, text, err := rw.names.judge(e.role, string(rw.text))
	switch {
	case err != nil:
		return err
	case done == replace && string(rw.doc[e.content:t.begin]) != text:
		rw.replace(*e, t.begin, text)
	case done == drop:
		rw.drop(*e, t.end)
	case done == dropItem && len(rw.open) > 1:
		rw.open[len(rw.open)-2].gone = true
	}
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

// drop leaves the element out that has just ended, at end.
func (rw *rewriter) drop(e openElement, end int64) {
	rw.out.Truncate(e.out)
	rw.out.Write(rw.doc[e.copied:e.tag])
	rw.copied = end
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
