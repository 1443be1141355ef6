package s3wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
)

// node is an XML element whose content is either text or elements.
type node struct {
	name     string
	space    string
	xsiType  string // of a Grantee: what it is
	text     string
	children []*node
	raw      []byte // what text is made of at the end: it may come in many pieces
}

// Bounds of any XML that is parsed into nodes. The 10,000 parts of an upload
// with two checksums each, and the 1000 keys of a multi-delete, stay below them.
const (
	maxXMLDepth    = 8
	maxXMLElements = 60_000
)

// strictness says how much of XML is accepted.
type strictness bool

const (
	strict  strictness = true  // from clients: no comments, no attributes but xmlns
	lenient strictness = false // from backends
)

var errXML = errors.New("malformed XML")

// parseXML reads one document. Neither form ever accepts a DTD.
func parseXML(doc []byte, s strictness) (*node, error) {
	p := &xmlParser{dec: xml.NewDecoder(bytes.NewReader(doc)), strict: s}
	for {
		tok, err := p.dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errXML, err)
		}
		if err := p.take(tok); err != nil {
			return nil, err
		}
	}
	if p.root == nil {
		return nil, fmt.Errorf("%w: no root element", errXML)
	}
	return p.root, nil
}

type xmlParser struct {
	dec      *xml.Decoder
	strict   strictness
	started  bool // something stands before
	root     *node
	stack    []*node
	elements int
}

func (p *xmlParser) take(tok xml.Token) error {
	defer func() { p.started = true }()
	switch t := tok.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		return p.end()
	case xml.CharData:
		return p.chars(t)
	case xml.Directive:
		return fmt.Errorf("%w: a document type is not allowed", errXML)
	case xml.Comment:
		if p.strict {
			return fmt.Errorf("%w: a comment is not allowed", errXML)
		}
	case xml.ProcInst:
		if t.Target != "xml" || p.started {
			return fmt.Errorf("%w: a processing instruction is not allowed", errXML)
		}
	}
	return nil
}

func (p *xmlParser) start(t xml.StartElement) error {
	p.elements++
	if p.elements > maxXMLElements || len(p.stack) >= maxXMLDepth {
		return fmt.Errorf("%w: too many or too deep elements", errXML)
	}
	n := &node{name: t.Name.Local, space: t.Name.Space}
	for _, a := range t.Attr {
		switch {
		case isXSIType(a) && n.name == "Grantee":
			n.xsiType = a.Value
		case bool(p.strict) && !isNamespace(a):
			return fmt.Errorf("%w: attribute %q is not allowed", errXML, a.Name.Local)
		}
	}
	switch {
	case len(p.stack) > 0:
		top := p.stack[len(p.stack)-1]
		top.children = append(top.children, n)
	case p.root == nil:
		p.root = n
	default:
		return fmt.Errorf("%w: more than one root element", errXML)
	}
	if bool(p.strict) && !p.plain(t) {
		return fmt.Errorf("%w: <%s> is in a namespace of its own", errXML, n.name)
	}
	p.stack = append(p.stack, n)
	return nil
}

// plain reports whether an element is in no namespace, or in the one that the
// root declares for the whole document. A prefix is never plain.
func (p *xmlParser) plain(t xml.StartElement) bool {
	if t.Name.Space == "" {
		return true
	}
	if len(p.stack) > 0 {
		return t.Name.Space == p.root.space
	}
	return slices.ContainsFunc(t.Attr, func(a xml.Attr) bool { return a.Name.Local == "xmlns" && a.Value == t.Name.Space })
}

// isNamespace reports whether the attribute declares the document's namespace,
// or that of xsi:type.
func isNamespace(a xml.Attr) bool {
	return a.Name.Local == "xmlns" && a.Name.Space == "" || a.Name.Space == "xmlns" && a.Value == xsiNamespace
}

func isXSIType(a xml.Attr) bool { return a.Name.Local == "type" && a.Name.Space == xsiNamespace }

func (p *xmlParser) end() error {
	top := p.stack[len(p.stack)-1]
	p.stack = p.stack[:len(p.stack)-1]
	raw := top.raw
	top.raw = nil
	if len(top.children) == 0 {
		top.text = string(raw)
		return nil
	}
	if p.strict && len(bytes.TrimSpace(raw)) > 0 {
		return fmt.Errorf("%w: <%s> has text between elements", errXML, top.name)
	}
	return nil
}

func (p *xmlParser) chars(t xml.CharData) error {
	if len(p.stack) == 0 {
		if len(bytes.TrimSpace(t)) > 0 {
			return fmt.Errorf("%w: text outside the root element", errXML)
		}
		return nil
	}
	top := p.stack[len(p.stack)-1]
	top.raw = append(top.raw, t...)
	return nil
}

// fields checks that every child is one of the named scalars and none stands
// twice, and returns them by name.
func (n *node) fields(names ...string) (map[string]string, error) {
	values := make(map[string]string, len(n.children))
	for _, c := range n.children {
		if _, twice := values[c.name]; twice {
			return nil, fmt.Errorf("%w: <%s> stands twice in <%s>", errXML, c.name, n.name)
		}
		if !slices.Contains(names, c.name) || len(c.children) > 0 {
			return nil, fmt.Errorf("%w: <%s> is not expected in <%s>", errXML, c.name, n.name)
		}
		values[c.name] = c.text
	}
	return values, nil
}

// child returns the text of the first child of that name.
func (n *node) child(name string) string {
	for _, c := range n.children {
		if c.name == name {
			return c.text
		}
	}
	return ""
}

// document writes XML.
type document struct{ buf bytes.Buffer }

func (d *document) open(name, namespace string) {
	if d.buf.Len() == 0 {
		d.buf.WriteString(xml.Header)
	}
	d.buf.WriteString("<" + name)
	if namespace != "" {
		d.buf.WriteString(` xmlns="` + namespace + `"`)
	}
	d.buf.WriteString(">")
}

func (d *document) close(name string) { d.buf.WriteString("</" + name + ">") }

func (d *document) text(name, value string) {
	d.buf.WriteString("<" + name + ">")
	escapeXML(&d.buf, value)
	d.buf.WriteString("</" + name + ">")
}

func (d *document) optional(name, value string) {
	if value != "" {
		d.text(name, value)
	}
}

func (d *document) bytes() []byte { return d.buf.Bytes() }

// escapeXML escapes text so that it reads back the same, carriage returns
// included. A bytes.Buffer never fails to write.
func escapeXML(buf *bytes.Buffer, s string) { _ = xml.EscapeText(buf, []byte(s)) }
