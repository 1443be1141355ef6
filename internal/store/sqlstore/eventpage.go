package sqlstore

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"

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
	rows, err := t.findEvents(p.Filter, before, p.Limit+1) // one more tells whether there is a next page
	if err != nil {
		return nil, "", about(err, "events")
	}
	next := ""
	if len(rows) > p.Limit {
		rows = rows[:p.Limit]
		next = encodeCursor(rows[p.Limit-1].seq)
	}
	events := make([]keystile.Event, len(rows))
	for i := range rows {
		events[i] = rows[i].Event
	}
	return events, next, nil
}

// findEvents chooses the way to the rows: by the most selective filter that has
// an index, by action, or along the trail.
func (t *tx) findEvents(f keystile.EventFilter, before int64, limit int) ([]numbered, error) {
	if f.Text != "" {
		return t.findByText(f, before, limit)
	}
	path := selectivePath(f)
	if path != alongTrail || f.ActionPrefix == "" {
		return t.selectEvents(f, path, "", before, limit)
	}
	actions, err := t.actionsFrom(f.ActionPrefix, mergeActions+1)
	if err != nil || len(actions) == 0 {
		return nil, err
	}
	if len(actions) > mergeActions {
		return t.selectEvents(f, alongTrail, "", before, limit)
	}
	var all []numbered
	for _, action := range actions {
		rows, err := t.selectEvents(f, byAction, action, before, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	slices.SortFunc(all, func(a, b numbered) int { return int(b.seq - a.seq) })
	return all[:min(limit, len(all))], nil
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
	byText
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

// selectEvents reads rows newest first along one path. The other conditions are
// kept from tempting the planner, see dialect.noIndex. Each path repeats the
// condition of its partial index, by which the planner knows that it may use it.
// By action, what is the action to look for, by text the expression.
func (t *tx) selectEvents(f keystile.EventFilter, path accessPath, what string, before int64, limit int) ([]numbered, error) {
	var q query
	from, number := t.conditions(&q, f, path, what, before)
	return list(t, scanEvent, `SELECT `+eventFields+` FROM `+from+q.where()+` ORDER BY `+number+` DESC LIMIT `+q.arg(limit), q.args...)
}

// conditions are those of selectEvents; from is where they hold, number what rows
// are ordered by there.
func (t *tx) conditions(q *query, f keystile.EventFilter, path accessPath, what string, before int64) (from, number string) {
	equal := func(by accessPath, column, value string) {
		switch {
		case value == "":
		case by == path:
			q.and(column+" = %s", clean(value))
		default:
			q.and(t.dialect.noIndex+column+" = %s", clean(value))
		}
	}
	equal(byRequest, "request_id", f.RequestID)
	equal(byAccessKey, "access_key_id", f.AccessKeyID)
	equal(byBucket, "backend", f.Backend)
	equal(byBucket, "bucket", f.Bucket)
	equal(byAccount, "account", f.Account)
	equal(byResult, "result", string(f.Result))
	if path == byAction {
		equal(byAction, "action", what)
	}
	if path == byKey {
		q.and("key_hash = %s", keyHash(clean(f.Key)))
	}
	equal(alongTrail, "object_key", f.Key)
	if partial := path.condition(); partial != "" {
		q.and(partial)
	}
	if f.ActionPrefix != "" && path != byAction {
		low, high := prefixRange(f.ActionPrefix)
		q.and(t.dialect.noIndex+"action >= %s AND "+t.dialect.noIndex+"action < %s", low, high)
	}
	from, number = "events", "seq"
	if path == byText {
		from, number = "event_words CROSS JOIN events ON events.seq = event_words.rowid", "event_words.rowid"
		q.and("event_words MATCH %s", what)
	}
	if before > 0 {
		q.and(number+" < %s", before)
	}
	t.boundTime(q, f, number)
	return from, number
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
	}
	return ""
}

// boundTime turns times into a range of seq that holds every event between them,
// however clocks were set, and then compares each.
func (t *tx) boundTime(q *query, f keystile.EventFilter, number string) {
	if !f.Since.IsZero() {
		since := micros(f.Since)
		q.and(fmt.Sprintf("%s >= %d * (SELECT min(span) FROM event_spans WHERE max_at >= %%s)", number, spanRows), since)
		q.and("at >= %s", since)
	}
	if !f.Until.IsZero() {
		until := micros(f.Until)
		q.and(fmt.Sprintf("%s < %d * (SELECT max(span) + 1 FROM event_spans WHERE min_at < %%s)", number, spanRows), until)
		q.and("at < %s", until)
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
