package sqlstore

import (
	"database/sql"
	"errors"
	"slices"

	"keystile/internal/keystile"
)

// looks is what a page may look at without finding anything, so that it takes no
// longer than another on any trail: it then ends early, and its cursor goes on from
// there.
type looks struct {
	// checked is of rows that an index finds and other conditions may refuse.
	checked int64
	// sought is of entries of one list of the index of words that are sought in
	// others, and of what is in all of them and checked: each costs as much as some
	// of those that are checked along an index.
	sought int64
	// read is of events that the index of words finds, and that are read to compare
	// their words.
	read int
	// merged is of the trail's events where lists of the index of words are gone
	// through side by side; or, where that is more, sought entries of the shortest
	// of them.
	merged int64
}

var usualLooks = looks{checked: 5000, sought: 1500, read: 2000, merged: 1 << 15}

// A list is rare whose entries are fewer than one in 64 events, and common if they
// are more than one in 4. These are the events among which such a one has as many
// entries as are sought.
func (l looks) rareWidth() int64   { return 64 * l.sought }
func (l looks) commonWidth() int64 { return 4 * l.sought }

// maxReaches is how many reaches a search is held to at most. What has fewer
// entries than are sought in as many has few in all.
const maxReaches = 128

// stretch is what a search found down to a floor. Below it it has not looked; 0:
// it has looked at all there is.
type stretch struct {
	rows  []numbered
	floor int64
}

// newest sorts rows and keeps the newest.
func (s *stretch) newest(limit int) {
	slices.SortFunc(s.rows, func(a, b numbered) int { return int(b.seq - a.seq) })
	s.rows = s.rows[:min(limit, len(s.rows))]
}

// floorOf is how far a path may be gone along for one page, 0: to its end.
func (t *tx) floorOf(f keystile.EventFilter, path accessPath, what string, before int64) (int64, error) {
	var rest query
	if t.checks(&rest, f, path); len(rest.terms) == 0 {
		return 0, nil // each row is found
	}
	if path == alongTrail {
		return t.floorAlong(f, before, t.looks.checked)
	}
	return t.entry(f, path, what, before, 0, t.looks.checked)
}

// entry is the number of the nth row along a path, 0 if it has fewer down to a
// floor.
func (t *tx) entry(f keystile.EventFilter, path accessPath, what string, before, floor, n int64) (seq int64, err error) {
	var q query
	from, number := t.along(&q, f, path, what, before)
	if floor > 0 {
		q.and(number+" >= %s", floor)
	}
	if path == byWords {
		from = "event_words"
	}
	err = t.row([]any{&seq}, `SELECT `+number+` FROM `+from+q.where()+` ORDER BY `+number+` DESC LIMIT 1 OFFSET `+q.arg(n), q.args...)
	return seq, unlessNone(err)
}

// floorAlong counts numbers instead of rows, few of which are missing.
func (t *tx) floorAlong(f keystile.EventFilter, before int64, n int64) (int64, error) {
	var q query
	from, number := t.along(&q, f, alongTrail, "", before)
	var top, bottom int64
	err := t.row([]any{&top}, `SELECT seq FROM `+from+q.where()+` ORDER BY `+number+` DESC LIMIT 1`, q.args...)
	if err == nil {
		err = t.row([]any{&bottom}, `SELECT seq FROM events ORDER BY seq LIMIT 1`)
	}
	if err != nil || top-n < bottom {
		return 0, unlessNone(err)
	}
	return top - n, nil
}

// floorOfWords is how far lists of the index of words are gone through together,
// and what they find is checked.
func (t *tx) floorOfWords(f keystile.EventFilter, l *lists, before int64) (floor int64, err error) {
	if len(l.each) > 1 {
		floor, err = t.floorAlong(f, before, t.looks.merged)
	}
	if err == nil && floor > 0 {
		top := floor + t.looks.merged
		if floor, err = t.floorOfShortest(f, l, before, floor); err == nil {
			err = t.holdTo(l, floor, top)
		}
	}
	if err != nil || !l.checked {
		return floor, err
	}
	checked, err := t.entry(f, byWords, l.match(), before, floor, t.looks.sought)
	return max(floor, checked), err
}

// holdTo has several lists gone through from top to floor only: FTS5 compares a
// number with the floor when it has found one in all lists, and of lists that never
// meet it would look at all.
func (t *tx) holdTo(l *lists, floor, top int64) error {
	first, last := floor/spanRows, top/spanRows
	if len(l.each) < 2 || floor == 0 || last-first >= maxReaches {
		return nil
	}
	var since int64
	if err := t.row([]any{&since}, `SELECT since FROM event_reaches`); err != nil || floor < since {
		return err
	}
	var words []string
	for span := last; span >= first; span-- {
		words = append(words, reachWord(span*spanRows))
	}
	l.each = append(l.each, anyOf(words))
	return nil
}

// floorOfShortest is the lower one of a floor and of what the list that reaches
// farthest has above the last entry that is sought. Lists that have a good part of all events
// are left out beside one that has few: what is sought in them costs more than to
// check the event.
func (t *tx) floorOfShortest(f keystile.EventFilter, l *lists, before, floor int64) (int64, error) {
	top := floor + t.looks.merged
	widths := make([]int64, len(l.each)) // of the trail that has as many entries as are sought
	for i, one := range l.each {
		seq, err := t.entry(f, byWords, one, before, 0, t.looks.sought)
		if err != nil {
			return 0, err
		}
		floor, widths[i] = min(floor, seq), top-seq
	}
	if slices.Max(widths) < t.looks.rareWidth() {
		return floor, nil
	}
	var kept []string
	for i, one := range l.each {
		if widths[i] > t.looks.commonWidth() {
			kept = append(kept, one)
		}
	}
	l.checked = l.checked || len(kept) < len(l.each)
	l.each = kept
	return floor, nil
}

// unlessNone takes the absence of a row for none.
func unlessNone(err error) error {
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, keystile.ErrNotFound) {
		return nil
	}
	return err
}
