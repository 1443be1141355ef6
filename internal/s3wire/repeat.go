package s3wire

import "bytes"

// pattern is the tags of an entry of a list, in runs without text between them,
// where nothing in the entry is another one for the client. An entry that has the
// same tags is as well-formed, whatever plain texts stand between them: it is
// passed over at a fraction of the cost.
type pattern [][]byte

// learn makes the pattern of an element that [plainXML] has found good. Of one
// with attributes it makes none: their values may have a ">" in them.
func (p pattern) learn(entry []byte) pattern {
	p = p[:0]
	if bytes.IndexByte(entry, '"') >= 0 {
		return p
	}
	for len(entry) > 0 {
		end := 0
		for end < len(entry) && entry[end] == '<' {
			end += bytes.IndexByte(entry[end:], '>') + 1
		}
		p = append(p, entry[:end])
		entry = entry[end:]
		if len(entry) > 0 {
			entry = entry[bytes.IndexByte(entry, '<'):]
		}
	}
	return p
}

// match returns how long the entry is that doc begins with, 0 if it does not
// follow the pattern.
func (p pattern) match(doc []byte, space *[]byte) int {
	at := 0
	for i, tags := range p {
		if !bytes.HasPrefix(doc[at:], tags) {
			return 0
		}
		at += len(tags)
		if i == len(p)-1 {
			break
		}
		end := bytes.IndexByte(doc[at:], '<')
		if end < 0 {
			return 0
		}
		if text := doc[at : at+end]; !isQuotedPlain(text) {
			if _, ok := plainText(text, space); !ok {
				return 0
			}
		}
		at += end
	}
	return at
}

// quotes are how S3 servers begin and end an entity tag.
var quotes = [...][]byte{[]byte("&quot;"), []byte("&#34;")}

func isQuotedPlain(text []byte) bool {
	if len(text) == 0 || text[0] != '&' {
		return isPlain(text)
	}
	for _, quote := range quotes {
		if inner, ok := bytes.CutPrefix(text, quote); ok {
			return isPlain(bytes.TrimSuffix(inner, quote))
		}
	}
	return false
}

// passOver passes over the entries that follow the pattern.
func (p *plainXML) passOver(like pattern) {
	if len(like) == 0 || p.closes {
		return
	}
	for {
		n := like.match(p.doc[p.at:], &p.space)
		if n == 0 {
			return
		}
		p.at += n
	}
}
