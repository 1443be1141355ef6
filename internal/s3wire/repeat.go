package s3wire

import (
	"bytes"
	"encoding/binary"
)

// pattern is what an entry of a list looks like in which nothing is another one
// for the client. An entry that looks the same is as well-formed, whatever plain
// texts stand in it: it is passed over at a fraction of the cost.
type pattern struct {
	tags  [][]byte // in runs without text between them
	last  []byte   // the entry that followed the pattern last
	texts []byte   // 0xff for each byte of last that is plain text, else 0
}

// learn makes the pattern of an element that [plainXML] has found good. Of one
// with attributes it makes none: their values may have a ">" in them.
func (p *pattern) learn(entry []byte) {
	p.tags, p.last = p.tags[:0], nil
	if bytes.IndexByte(entry, '"') >= 0 {
		return
	}
	for len(entry) > 0 {
		end := 0
		for end < len(entry) && entry[end] == '<' {
			end += bytes.IndexByte(entry[end:], '>') + 1
		}
		p.tags = append(p.tags, entry[:end])
		entry = entry[end:]
		if len(entry) > 0 {
			entry = entry[bytes.IndexByte(entry, '<'):]
		}
	}
}

// forget keeps nothing but room.
func (p *pattern) forget() {
	clear(p.tags[:cap(p.tags)])
	p.tags, p.last = p.tags[:0], nil
}

// match returns how long the entry is that begins at doc[from], 0 if it does not
// follow the pattern.
func (p *pattern) match(doc []byte, from int, space *[]byte) int {
	if n := len(p.last); n > 0 && p.alike(doc[from:]) {
		p.last = doc[from : from+n]
		return n
	}
	at := from
	p.last, p.texts = nil, p.texts[:0]
	for i, tags := range p.tags {
		if len(doc)-at < len(tags) || string(doc[at:at+len(tags)]) != string(tags) {
			return 0
		}
		p.mark(len(tags), false)
		if at += len(tags); i == len(p.tags)-1 {
			break
		}
		if at = p.text(doc, at, space); at < 0 {
			return 0
		}
	}
	p.last = doc[from:at]
	return at - from
}

// alike reports whether doc begins with the last entry once more, but for plain
// texts of the same lengths. It looks at 32 bytes at a time, most of which are tags
// that are the same.
func (p *pattern) alike(doc []byte) bool {
	n := len(p.last)
	if n < 32 || len(doc) < n {
		return false
	}
	last := p.last
	for at := 0; at < n; at += 32 {
		at := min(at, n-32) // the last ones may have been looked at before
		now, was := (*[32]byte)(doc[at:]), (*[32]byte)(last[at:])
		a := binary.LittleEndian.Uint64(now[0:8]) ^ binary.LittleEndian.Uint64(was[0:8])
		b := binary.LittleEndian.Uint64(now[8:16]) ^ binary.LittleEndian.Uint64(was[8:16])
		c := binary.LittleEndian.Uint64(now[16:24]) ^ binary.LittleEndian.Uint64(was[16:24])
		d := binary.LittleEndian.Uint64(now[24:32]) ^ binary.LittleEndian.Uint64(was[24:32])
		if a|b|c|d == 0 {
			continue
		}
		texts := (*[32]byte)(p.texts[at:])
		if !inTexts(now[0:8], a, texts[0:8]) || !inTexts(now[8:16], b, texts[8:16]) || !inTexts(now[16:24], c, texts[16:24]) || !inTexts(now[24:32], d, texts[24:32]) {
			return false
		}
	}
	return true
}

// inTexts reports whether eight bytes differ from those before in plain texts only,
// and ask for nothing there.
func inTexts(now []byte, differs uint64, texts []byte) bool {
	mask := binary.LittleEndian.Uint64(texts)
	return differs&^mask == 0 && asking(binary.LittleEndian.Uint64(now))&mask == 0
}

// mark notes of what the next n bytes of the entry are a part.
func (p *pattern) mark(n int, text bool) {
	at := len(p.texts)
	p.texts = append(p.texts, make([]byte, n)...)
	if text {
		for i := range p.texts[at:] {
			p.texts[at+i] = 0xff
		}
	}
}

// text returns where the text ends that begins at doc[from], -1 if it is not
// known to be well-formed.
func (p *pattern) text(doc []byte, from int, space *[]byte) int {
	at := p.run(doc, from)
	for at < len(doc) && doc[at] == '&' {
		n := entityLen(doc[at:])
		if n == 0 {
			return -1
		}
		p.mark(n, false)
		at = p.run(doc, at+n)
	}
	if at < len(doc) && doc[at] == '<' {
		return at
	}
	n := bytes.IndexByte(doc[at:], '<')
	if n < 0 {
		return -1
	}
	if _, ok := plainText(doc[from:at+n], space); !ok {
		return -1
	}
	p.mark(n, false)
	return at + n
}

func (p *pattern) run(doc []byte, from int) int {
	at := plainRun(doc, from)
	p.mark(at-from, true)
	return at
}

// frequentEntities are those that S3 servers write around each entity tag.
var frequentEntities = [...]string{"&quot;", "&#34;"}

// entityLen returns how long the entity is that text begins with, 0 if it is not
// a known one.
func entityLen(text []byte) int {
	for _, known := range frequentEntities {
		if len(text) >= len(known) && string(text[:len(known)]) == known {
			return len(known)
		}
	}
	end := bytes.IndexByte(text[:min(len(text), maxEntity)], ';')
	if end < 0 {
		return 0
	}
	if _, ok := entity(string(text[1:end])); !ok {
		return 0
	}
	return end + 1
}

// passOver passes over the entries that follow the pattern.
func (p *plainXML) passOver(like *pattern) {
	if len(like.tags) == 0 || p.closes {
		return
	}
	for {
		n := like.match(p.doc, p.at, &p.space)
		if n == 0 {
			return
		}
		p.at += n
	}
}
