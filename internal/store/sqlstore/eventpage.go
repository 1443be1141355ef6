package sqlstore

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"keystile/internal/keystile"
)

// spanRows is how many events share a row of event_spans. It is part of the
// schema: stored rows were counted by it.
const spanRows = 4096

const maxEventPage = 1000

// mergeActions is up to how many actions with one prefix are looked up one by
// one and merged. A prefix of more is so common that a page of it is found by
// walking the trail.
const mergeActions = 16

// Events implements store.Events.
func (t *tx) Events(p keystile.EventPage) ([]keystile.Event, string, error) {
	if p.Limit < 1 || p.Limit > maxEventPage {
		return nil, "", fmt.Errorf("a page has 1 to %d events, not %d: %w", maxEventPage, p.Limit, keystile.ErrInvalid)
	}
	before := int64(0) // the first page has no bound
	if p.Cursor != "" {
		var err error
		if before, err = decodeCursor(p.Cursor); err != nil {
			return nil, "", err
		}
	}
	found, err := t.findEvents(p.Filter, before, p.Limit+1) // one more tells whether there is a next page
	if err != nil {
		return nil, "", about(err, "events")
	}
	rows, next := found.rows, ""
	switch {
	case len(rows) > p.Limit:
		rows = rows[:p.Limit]
		next = encodeCursor(rows[p.Limit-1].seq)
	case found.floor > 0:
		next = encodeCursor(found.floor)
	}
	events := make([]keystile.Event, len(rows))
	for i := range rows {
		events[i] = rows[i].Event
	}
	return events, next, nil
}

// findEvents chooses the way to the rows: by the most selective filter that has
// an index, by several of them, by action, or along the trail.
func (t *tx) findEvents(f keystile.EventFilter, before int64, limit int) (stretch, error) {
	path := selectivePath(f)
	switch {
	case f.Text != "":
		return t.findByText(f, before, limit)
	case path != byRequest && path != byKey && indexedFilters(f) > 1:
		return t.findByFilters(f, before, limit)
	case path == alongTrail && f.ActionPrefix != "":
		return t.findByActions(f, before, limit)
	}
	floor, err := t.floorOf(f, path, "", before)
	if err != nil {
		return stretch{}, err
	}
	rows, err := t.selectEvents(f, path, "", before, floor, limit)
	return stretch{rows, floor}, err
}

func (t *tx) findByActions(f keystile.EventFilter, before int64, limit int) (stretch, error) {
	actions, err := t.actionsFrom(f.ActionPrefix, mergeActions+1)
	if err != nil || len(actions) == 0 {
		return stretch{}, err
	}
	path := byAction
	if len(actions) > mergeActions {
		path, actions = alongTrail, []string{""}
	}
	var all stretch
	for _, action := range actions {
		floor, err := t.floorOf(f, path, action, before)
		if err != nil {
			return stretch{}, err
		}
		all.floor = max(all.floor, floor)
	}
	for _, action := range actions {
		rows, err := t.selectEvents(f, path, action, before, all.floor, limit)
		if err != nil {
			return stretch{}, err
		}
		all.rows = append(all.rows, rows...)
	}
	all.newest(limit)
	return all, nil
}

// accessPath names the index that a search goes by.
type accessPath int

const (
	alongTrail accessPath = iota
	byRequest
	byKey
	byAccessKey
	byBucket
	byAccount
	byResult
	byAction
	byWords
	byOpen
)

func selectivePath(f keystile.EventFilter) accessPath {
	switch {
	case f.RequestID != "":
		return byRequest
	case f.Key != "":
		return byKey
	case f.AccessKeyID != "":
		return byAccessKey
	case f.Result != "" && f.Result != keystile.ResultOK:
		return byResult // most acts succeed
	case f.Backend != "" && f.Bucket != "":
		return byBucket
	case f.Account != "":
		return byAccount
	}
	return alongTrail
}

// selectEvents reads rows newest first along one path, down to a floor. The other
// conditions are kept from tempting the planner, see dialect.noIndex. By action,
// what is the action to look for, by words the expression.
func (t *tx) selectEvents(f keystile.EventFilter, path accessPath, what string, before, floor int64, limit int) ([]numbered, error) {
	var q query
	from, number := t.conditions(&q, f, path, what, before)
	if floor > 0 {
		q.and(number+" >= %s", floor)
	}
	return list(t, scanEvent, `SELECT `+eventFields+` FROM `+from+q.where()+` ORDER BY `+number+` DESC LIMIT `+q.arg(limit), q.args...)
}

// conditions are those of selectEvents; from is where they hold, number what rows
// are ordered by there.
func (t *tx) conditions(q *query, f keystile.EventFilter, path accessPath, what string, before int64) (from, number string) {
	from, number = t.along(q, f, path, what, before)
	t.checks(q, f, path)
	t.compareTimes(q, f)
	return from, number
}

// along are the conditions that a path's index knows. Each path repeats the
// condition of its partial index, by which the planner knows that it may use it.
func (t *tx) along(q *query, f keystile.EventFilter, path accessPath, what string, before int64) (from, number string) {
	from, number = "events", "seq"
	switch path {
	case byRequest:
		q.and("request_id = %s", clean(f.RequestID))
	case byKey:
		q.and("key_hash = %s", keyHash(clean(f.Key)))
	case byAccessKey:
		q.and("access_key_id = %s", clean(f.AccessKeyID))
	case byBucket:
		q.and("backend = %s AND bucket = %s", clean(f.Backend), clean(f.Bucket))
	case byAccount:
		q.and("account = %s", clean(f.Account))
	case byResult:
		q.and("result = %s", string(f.Result))
	case byAction:
		q.and("action = %s", what)
	case byWords:
		from, number = "event_words CROSS JOIN events ON events.seq = event_words.rowid", "event_words.rowid"
		q.and("event_words MATCH %s", what)
	}
	if partial := path.condition(); partial != "" {
		q.and(partial)
	}
	if before > 0 {
		q.and(number+" < %s", before)
	}
	t.boundTime(q, f, number)
	return from, number
}

// checks are the conditions that are left, on each row.
func (t *tx) checks(q *query, f keystile.EventFilter, path accessPath) {
	equal := func(by accessPath, column, value string) {
		if value != "" && by != path {
			q.and(t.dialect.noIndex+column+" = %s", clean(value))
		}
	}
	equal(byRequest, "request_id", f.RequestID)
	equal(byAccessKey, "access_key_id", f.AccessKeyID)
	equal(byBucket, "backend", f.Backend)
	equal(byBucket, "bucket", f.Bucket)
	equal(byAccount, "account", f.Account)
	equal(byResult, "result", string(f.Result))
	equal(alongTrail, "object_key", f.Key)
	if f.ActionPrefix != "" && path != byAction {
		low, high := prefixRange(f.ActionPrefix)
		q.and(t.dialect.noIndex+"action >= %s AND "+t.dialect.noIndex+"action < %s", low, high)
	}
}

func (p accessPath) condition() string {
	switch p {
	case byRequest:
		return "request_id <> ''"
	case byKey:
		return "object_key <> ''"
	case byAccessKey:
		return "access_key_id <> ''"
	case byBucket:
		return "bucket <> ''"
	case byAccount:
		return "account <> ''"
	case byResult:
		return "result <> 'ok'"
	case byOpen:
		return "is_open = 1"
	}
	return ""
}

// boundTime turns times into a range of seq that holds every event between them,
// however clocks were set.
func (t *tx) boundTime(q *query, f keystile.EventFilter, number string) {
	if !f.Since.IsZero() {
		q.and(fmt.Sprintf("%s >= %d * (SELECT min(span) FROM event_spans WHERE max_at >= %%s)", number, spanRows), micros(f.Since))
	}
	if !f.Until.IsZero() {
		q.and(fmt.Sprintf("%s < %d * (SELECT max(span) + 1 FROM event_spans WHERE min_at < %%s)", number, spanRows), micros(f.Until))
	}
}

func (t *tx) compareTimes(q *query, f keystile.EventFilter) {
	if !f.Since.IsZero() {
		q.and("at >= %s", micros(f.Since))
	}
	if !f.Until.IsZero() {
		q.and("at < %s", micros(f.Until))
	}
}

// actionsFrom lists up to limit of the actions that occur and have the prefix,
// each by one look into the index.
func (t *tx) actionsFrom(prefix string, limit int) ([]string, error) {
	low, high := prefixRange(prefix)
	var actions []string
	for len(actions) < limit {
		var next *string
		err := t.row([]any{&next}, `SELECT min(action) FROM events WHERE action >= $1 AND action < $2`, low, high)
		if err != nil || next == nil {
			return actions, err
		}
		actions = append(actions, *next)
		low = *next + "\x01" // the least text above it: actions hold no control characters
	}
	return actions, nil
}

// prefixRange is the range of texts that begin with prefix.
func prefixRange(prefix string) (low, high string) {
	prefix = clean(prefix)
	return prefix, prefix + "\U0010ffff"
}

// A cursor holds the seq of the last row of its page, and a few bytes of its
// hash, by which a mangled or made-up one is told.
const cursorSumBytes = 4

func cursorSum(seq []byte) []byte {
	sum := sha256.Sum256(append([]byte("keystile event cursor\x00"), seq...))
	return sum[:cursorSumBytes]
}

func encodeCursor(seq int64) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(seq))
	return base64.RawURLEncoding.EncodeToString(append(b, cursorSum(b)...))
}

func decodeCursor(cursor string) (int64, error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil && len(b) == 8+cursorSumBytes {
		seq := int64(binary.BigEndian.Uint64(b))
		if seq > 0 && encodeCursor(seq) == cursor { // each has one form only
			return seq, nil
		}
	}
	return 0, fmt.Errorf("the cursor was not given by a page of events: %w", keystile.ErrInvalid)
}
