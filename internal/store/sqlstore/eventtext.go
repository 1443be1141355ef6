package sqlstore

import (
	"database/sql"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"keystile/internal/keystile"
)

// wordPrefixes are the lengths, in characters, of the prefixes that event_words
// has beside whole words. They are part of the schema. A prefix of another length
// would be gathered from all words that have it before the first row is found.
var wordPrefixes = []int{16, 9, 5, 3, 2, 1}

// mergeTerms is up to how many words with one prefix are looked up one by one.
const mergeTerms = 16

// textStretch is how many rows are looked at at once where those found by their
// prefixes do not all have the words.
const textStretch = 500

// insertWords makes an event that has ended found by its words.
const insertWords = `INSERT INTO event_words (rowid, words) VALUES ($1, $2)`

// wordsOf is what the event of a number is found by.
func wordsOf(seq int64, e *keystile.Event) string {
	words := append(e.Words(), filterWord('o', e.Action), filterWord('r', string(e.Result)), reachWord(seq))
	if e.Detail.AccessKeyID != "" {
		words = append(words, filterWord('k', e.Detail.AccessKeyID))
	}
	if e.Account != "" {
		words = append(words, filterWord('a', e.Account))
	}
	if e.Bucket != "" {
		words = append(words, filterWord('b', e.Backend+"/"+e.Bucket))
	}
	return strings.Join(words, " ")
}

// filterWord stands for the value of a field among the words.
func filterWord(field byte, value string) string {
	return "_" + string(field) + hex.EncodeToString([]byte(clean(value)))
}

// reachWord is what all events have that share a row of event_spans: beside it,
// lists are gone through no farther than these events reach.
func reachWord(seq int64) string { return "_s" + strconv.FormatInt(seq/spanRows, 10) }

// findByText walks the events that have the words, newest first. The index knows
// prefixes of some lengths only: what it finds is compared with the words.
func (t *tx) findByText(f keystile.EventFilter, before int64, limit int) (stretch, error) {
	words, err := f.SearchWords()
	if err != nil {
		return stretch{}, err
	}
	lists, err := t.listsOf(f, words)
	if err != nil || lists.each == nil {
		return stretch{}, err
	}
	path := selectivePath(f)
	var found stretch
	if path == byRequest || path == byKey {
		found.floor, err = t.floorOf(f, path, "", before)
	} else {
		path = byWords
		found.floor, err = t.floorOfWords(f, &lists, before)
	}
	if err != nil {
		return stretch{}, err
	}
	match, read := lists.match(), 0
	for many := limit; ; many = textStretch {
		rows, err := t.selectEvents(f, path, match, before, found.floor, many)
		if err != nil {
			return stretch{}, err
		}
		for i := range rows {
			if e := &rows[i]; !e.Open && e.HasWords(words) {
				found.rows = append(found.rows, *e)
			}
		}
		read += len(rows)
		switch {
		case len(found.rows) >= limit:
			found.rows = found.rows[:limit]
			return found, nil
		case len(rows) < many:
			return found, nil
		}
		before = rows[len(rows)-1].seq
		if read >= t.looks.read+limit {
			found.floor = before
			return found, nil
		}
	}
}

// findByFilters goes by all filters that the index of words has, and adds the
// events that are open, which it does not have.
func (t *tx) findByFilters(f keystile.EventFilter, before int64, limit int) (stretch, error) {
	lists, err := t.listsOf(f, nil)
	if err != nil || lists.each == nil {
		return stretch{}, err
	}
	var found stretch
	if found.floor, err = t.floorOfWords(f, &lists, before); err != nil {
		return stretch{}, err
	}
	if found.rows, err = t.selectEvents(f, byWords, lists.match(), before, found.floor, limit); err != nil {
		return stretch{}, err
	}
	open, err := t.selectEvents(f, byOpen, "", before, found.floor, limit)
	if err != nil {
		return stretch{}, err
	}
	found.rows = append(found.rows, open...)
	found.newest(limit)
	return found, nil
}

// indexedFilters is how many of the filters the index of words has.
func indexedFilters(f keystile.EventFilter) (n int) {
	for _, there := range []bool{f.AccessKeyID != "", f.Account != "", f.Backend != "" && f.Bucket != "", f.Result != "", f.ActionPrefix != ""} {
		if there {
			n++
		}
	}
	return n
}

// lists are the expressions of event_words that an event must match each to have
// the words and pass the filters. None: no event does.
type lists struct {
	each    []string
	checked bool // there are filters that the index of words does not have
}

func (l lists) match() string { return strings.Join(l.each, " AND ") }

func (t *tx) listsOf(f keystile.EventFilter, words []string) (lists, error) {
	l := lists{checked: (f.Backend == "") != (f.Bucket == "")}
	for _, word := range words {
		list, err := t.listOf(word)
		if err != nil || list == "" {
			return lists{}, err
		}
		l.each = append(l.each, list)
	}
	add := func(there bool, field byte, value string) {
		if there {
			l.each = append(l.each, quoted(filterWord(field, value)))
		}
	}
	add(f.AccessKeyID != "", 'k', f.AccessKeyID)
	add(f.Account != "", 'a', f.Account)
	add(f.Backend != "" && f.Bucket != "", 'b', f.Backend+"/"+f.Bucket)
	add(f.Result != "", 'r', string(f.Result))
	if f.ActionPrefix == "" {
		return l, nil
	}
	actions, err := t.actionsFrom(f.ActionPrefix, mergeActions+1)
	switch {
	case err != nil || len(actions) == 0:
		return lists{}, err
	case len(actions) > mergeActions:
		l.checked = true
		return l, nil
	}
	for i, action := range actions {
		actions[i] = filterWord('o', action)
	}
	l.each = append(l.each, anyOf(actions))
	return l, nil
}

// listOf is the expression of what may have a word that begins with word; empty
// if nothing has. A few whole words are looked up as such, many by a prefix that
// is indexed.
func (t *tx) listOf(word string) (string, error) {
	if prefix := indexed(word); prefix == word {
		return quoted(prefix) + "*", nil
	}
	terms, err := t.termsFrom(word, mergeTerms+1)
	switch {
	case err != nil || len(terms) == 0:
		return "", err
	case len(terms) > mergeTerms:
		return quoted(indexed(word)) + "*", nil
	}
	return anyOf(terms), nil
}

// termsFrom lists up to limit of the words of the index that begin with prefix,
// each by one look into it.
func (t *tx) termsFrom(prefix string, limit int) (terms []string, err error) {
	low, high := prefix, prefix+"\U0010ffff"
	for len(terms) < limit {
		var next string
		err := t.row([]any{&next}, `SELECT term FROM event_terms WHERE term >= $1 AND term < $2 LIMIT 1`, low, high)
		if err != nil {
			return terms, unlessNone(err)
		}
		terms = append(terms, next)
		low = next + "\x01" // the least word above it: words hold no control characters
	}
	return terms, nil
}

// anyOf is the expression of what has one of the words.
func anyOf(words []string) string {
	for i, word := range words {
		words[i] = quoted(word)
	}
	return "(" + strings.Join(words, " OR ") + ")"
}

// indexed is as much of a word as is looked up as a prefix.
func indexed(word string) string {
	length := utf8.RuneCountInString(word)
	for _, n := range wordPrefixes {
		if length >= n {
			return string([]rune(word)[:n])
		}
	}
	return word
}

// quoted is a string of the query language of FTS5; no word holds a quote.
func quoted(word string) string { return `"` + word + `"` }

// closed reads the one row of an UPDATE that closes an event, and adds its words.
// It reports false if there was none to close.
func (t *tx) closed(update, words *sql.Stmt, o *keystile.Outcome) (bool, error) {
	detail, err := encodeDetail(o.Detail)
	if err != nil {
		return false, err
	}
	e := keystile.Event{Result: o.Result, Detail: o.Detail}
	var seq int64
	err = update.QueryRowContext(t.ctx, string(o.Result), o.Status, clean(o.Detail.AccessKeyID), o.Detail.Count, tallyLast(o.Detail), detail, o.EventID).
		Scan(&seq, &e.Action, &e.Account, &e.Backend, &e.Bucket, &e.Key)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, t.dialect.wrap(err)
	}
	_, err = words.ExecContext(t.ctx, seq, wordsOf(seq, &e))
	return true, t.dialect.wrap(err)
}
