package keystile

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

const (
	// MaxTextBytes bounds the text of a search in the trail.
	MaxTextBytes = 256
	// maxWord is up to how many characters of a word count.
	maxWord = 64
)

// Words are the words of a text, each once and in lower case: letters, digits and
// their marks, up to whatever is none of these. Of a longer word the first 64
// characters count.
func Words(texts ...string) []string {
	var words []string
	seen := map[string]bool{}
	for _, text := range texts {
		for _, word := range strings.FieldsFunc(strings.ToLower(text), between) {
			word = firstRunes(word, maxWord)
			if !seen[word] {
				seen[word] = true
				words = append(words, word)
			}
		}
	}
	return words
}

func between(r rune) bool {
	return r == unicode.ReplacementChar || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
}

func firstRunes(s string, n int) string {
	for at := range s {
		if n == 0 {
			return s[:at]
		}
		n--
	}
	return s
}

// SearchWords are the words of EventFilter.Text; ErrInvalid if it has none, or is
// too long.
func (f EventFilter) SearchWords() ([]string, error) {
	if len(f.Text) > MaxTextBytes {
		return nil, fmt.Errorf("the text to look for has %d bytes, at most %d: %w", len(f.Text), MaxTextBytes, ErrInvalid)
	}
	words := Words(f.Text)
	if len(words) == 0 {
		return nil, fmt.Errorf("the text to look for has no letter or digit: %w", ErrInvalid)
	}
	return words, nil
}

// Words are those of the event's key and detail, by which it is found. The names
// of the detail's fields are none of them.
func (e *Event) Words() []string {
	d := &e.Detail
	texts := []string{
		e.Key, d.AccessKeyID, d.ClientBucket, d.ClientKey, d.Code, d.Message, d.ETag, d.VersionID, d.UploadID,
		d.CopySource, d.CopySourceVersionID, d.Target, d.TokenID,
	}
	for _, more := range [][]string{d.Keys, d.KeyVersionIDs, d.DeniedKeys, d.FailedKeys} {
		texts = append(texts, more...)
	}
	for name, value := range d.Changes {
		texts = append(texts, name, value)
	}
	return Words(texts...)
}

// HasWords reports whether each of the words begins one of the event's.
func (e *Event) HasWords(words []string) bool {
	own := e.Words()
	for _, word := range words {
		if !slices.ContainsFunc(own, func(w string) bool { return strings.HasPrefix(w, word) }) {
			return false
		}
	}
	return true
}
