package sqlstore

import (
	"database/sql"
	"encoding/hex"
	"errors"
	"strings"
	"unicode/utf8"

	"keystile/internal/keystile"
)

// wordPrefixes are the lengths, in characters, of the prefixes that event_words
// has beside whole words. They are part of the schema. A prefix of another length
// would be gathered from all words that have it before the first row is found.
var wordPrefixes = []int{16, 9, 5, 3, 2, 1}

// textStretch is how many rows are looked at at once where those found by their
// prefixes do not all have the words.
const textStretch = 500

// insertWords makes an event that has ended found by its words.
const insertWords = `INSERT INTO event_words (rowid, words) VALUES ($1, $2)`

// wordsOf is what an event is found by.
func wordsOf(e *keystile.Event) string {
	words := append(e.Words(), filterWord('o', e.Action), filterWord('r', string(e.Result)))
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

// findByText walks the events that have the words, newest first. The index knows
// prefixes of some lengths only: what it finds is compared with the words.
func (t *tx) findByText(f keystile.EventFilter, before int64, limit int) ([]numbered, error) {
	words, err := f.SearchWords()
	if err != nil {
		return nil, err
	}
	path := selectivePath(f)
	if path != byRequest && path != byKey {
		path = byText
	}
	match, err := t.matchOf(f, words)
	if err != nil {
		return nil, err
	}
	var found []numbered
	for stretch := limit; ; stretch = textStretch {
		rows, err := t.selectEvents(f, path, match, before, stretch)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			if e := &rows[i]; !e.Open && e.HasWords(words) {
				found = append(found, *e)
			}
		}
		if len(found) >= limit {
			return found[:limit], nil
		}
		if len(rows) < stretch {
			return found, nil
		}
		before = rows[len(rows)-1].seq
	}
}

// matchOf is the expression of event_words for what may have the words and pass
// the filter.
func (t *tx) matchOf(f keystile.EventFilter, words []string) (string, error) {
	var all []string
	for _, word := range words {
		all = append(all, quoted(indexed(word))+"*")
	}
	if f.AccessKeyID != "" {
		all = append(all, quoted(filterWord('k', f.AccessKeyID)))
	}
	if f.Account != "" {
		all = append(all, quoted(filterWord('a', f.Account)))
	}
	if f.Backend != "" && f.Bucket != "" {
		all = append(all, quoted(filterWord('b', f.Backend+"/"+f.Bucket)))
	}
	if f.Result != "" {
		all = append(all, quoted(filterWord('r', string(f.Result))))
	}
	if f.ActionPrefix != "" {
		actions, err := t.actionsFrom(f.ActionPrefix, mergeActions+1)
		if err != nil {
			return "", err
		}
		if n := len(actions); n > 0 && n <= mergeActions {
			for i, action := range actions {
				actions[i] = quoted(filterWord('o', action))
			}
			all = append(all, "("+strings.Join(actions, " OR ")+")")
		}
	}
	return strings.Join(all, " AND "), nil
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
	_, err = words.ExecContext(t.ctx, seq, wordsOf(&e))
	return true, t.dialect.wrap(err)
}
