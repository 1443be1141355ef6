package sqlstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"
	"unicode/utf8"

	"keystile/internal/keystile"
)

const eventColumns = `seq, id, at, action, result, status, account, access_key_id, backend, bucket, object_key,
	key_hash, source_ip, user_agent, request_id, is_open, tally, tally_last, detail`

// IndexEvents numbers the events from the counter that this transaction then
// holds until it commits: their order is that of the commits.
func (t *tx) IndexEvents(events []keystile.Event) error {
	if len(events) == 0 {
		return nil
	}
	last, err := t.advance("event_seq", len(events))
	if err != nil {
		return about(err, "events")
	}
	first := last - int64(len(events)) + 1
	if err := t.insertEvents(first, events); err != nil {
		return about(err, "append events")
	}
	return about(t.widenSpans(first, events), "append events")
}

// insertEvents runs one prepared statement per event: several rows in one
// statement were measured to be no faster.
func (t *tx) insertEvents(seq int64, events []keystile.Event) (err error) {
	stmt, err := t.prepare(`INSERT INTO events (` + eventColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	words, err := t.prepare(insertWords)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, words.Close()) }()
	for i := range events {
		e := &events[i]
		detail, err := encodeDetail(e.Detail)
		if err != nil {
			return about(err, "event %s", e.ID)
		}
		key := clean(e.Key)
		_, err = stmt.ExecContext(t.ctx, seq+int64(i), e.ID, micros(e.Time), clean(e.Action), string(e.Result), e.Status,
			clean(e.Account), clean(e.Detail.AccessKeyID), clean(e.Backend), clean(e.Bucket), key, keyHash(key),
			clean(e.SourceIP), clean(e.UserAgent), clean(e.RequestID), e.Open, e.Detail.Count, tallyLast(e.Detail), detail)
		if err == nil && !e.Open {
			_, err = words.ExecContext(t.ctx, seq+int64(i), wordsOf(seq+int64(i), e))
		}
		if err != nil {
			return about(t.dialect.wrap(err), "event %s", e.ID)
		}
	}
	return nil
}

// clean replaces what not every engine stores as text. Much in an event is as a
// client claimed it, and one hostile request must not spoil the batch of others.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// keyHash spreads keys over the index by key. Rows it finds are compared with
// the key itself.
func keyHash(key string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // never fails
	return int64(h.Sum64())
}

// encodeDetail leaves out the tally, which has columns of its own.
func encodeDetail(d keystile.EventDetail) (string, error) {
	d.Count, d.LastTime = 0, nil
	b, err := json.Marshal(d)
	return string(b), err
}

func tallyLast(d keystile.EventDetail) int64 {
	if d.LastTime == nil {
		return 0
	}
	return micros(*d.LastTime)
}

// widenSpans notes the times of the appended events, see event_spans.
func (t *tx) widenSpans(seq int64, events []keystile.Event) error {
	for len(events) > 0 {
		span := seq / spanRows
		n := min(len(events), int((span+1)*spanRows-seq))
		low, high := micros(events[0].Time), micros(events[0].Time)
		for _, e := range events[1:n] {
			low, high = min(low, micros(e.Time)), max(high, micros(e.Time))
		}
		_, err := t.exec(`INSERT INTO event_spans (span, min_at, max_at) VALUES ($1, $2, $3)
			ON CONFLICT (span) DO UPDATE SET
				min_at = CASE WHEN excluded.min_at < event_spans.min_at THEN excluded.min_at ELSE event_spans.min_at END,
				max_at = CASE WHEN excluded.max_at > event_spans.max_at THEN excluded.max_at ELSE event_spans.max_at END`,
			span, low, high)
		if err != nil {
			return err
		}
		seq, events = seq+int64(n), events[n:]
	}
	return nil
}

// IndexOutcomes leaves alone what is closed already. An absent event is
// ErrNotFound: its record would be lost in silence.
func (t *tx) IndexOutcomes(outcomes []keystile.Outcome) (err error) {
	if len(outcomes) == 0 {
		return nil
	}
	update, err := t.prepare(`UPDATE events SET is_open = 0, result = $1, status = $2, access_key_id = $3,
		tally = $4, tally_last = $5, detail = $6 WHERE id = $7 AND is_open = 1
		RETURNING seq, action, account, backend, bucket, object_key`)
	if err != nil {
		return about(err, "events")
	}
	defer func() { err = errors.Join(err, update.Close()) }()
	words, err := t.prepare(insertWords)
	if err != nil {
		return about(err, "events")
	}
	defer func() { err = errors.Join(err, words.Close()) }()
	for i := range outcomes {
		o := &outcomes[i]
		ended, err := t.closed(update, words, o)
		if err == nil && !ended {
			err = t.eventExists(o.EventID)
		}
		if err != nil {
			return about(err, "event %s", o.EventID)
		}
	}
	return nil
}

// AddTallies adds to the counts of collapsed events; an absent one is ErrNotFound.
func (t *tx) AddTallies(tallies []keystile.Tally) (err error) {
	if len(tallies) == 0 {
		return nil
	}
	stmt, err := t.prepare(`UPDATE events SET tally = tally + $1,
		tally_last = CASE WHEN tally_last < $2 THEN $2 ELSE tally_last END WHERE id = $3`)
	if err != nil {
		return about(err, "events")
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	for _, x := range tallies {
		res, err := stmt.ExecContext(t.ctx, x.Add, micros(x.Last), x.EventID)
		if err != nil {
			return about(t.dialect.wrap(err), "event %s", x.EventID)
		}
		touched, err := res.RowsAffected()
		if err == nil && touched == 0 {
			err = t.eventExists(x.EventID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) eventExists(id string) error {
	var seq int64
	return about(t.row([]any{&seq}, `SELECT seq FROM events WHERE id = $1`, id), "event %s", id)
}

// OpenEvents implements store.Events.
func (t *tx) OpenEvents() ([]keystile.Event, error) {
	rows, err := list(t, scanEvent, `SELECT `+eventFields+` FROM events WHERE is_open = 1 ORDER BY seq`)
	events := make([]keystile.Event, len(rows))
	for i := range rows {
		events[i] = rows[i].Event
	}
	return events, about(err, "open events")
}

// Event implements store.Events.
func (t *tx) Event(id string) (keystile.Event, error) {
	e, err := get(t, scanEvent, `SELECT `+eventFields+` FROM events WHERE id = $1`, id)
	return e.Event, about(err, "event %s", id)
}

const eventFields = `seq, id, at, action, result, status, account, backend, bucket, object_key, source_ip, user_agent,
	request_id, is_open, tally, tally_last, detail`

// numbered is an event with its place in the trail.
type numbered struct {
	keystile.Event
	seq int64
}

func scanEvent(row scanner) (numbered, error) {
	var e numbered
	var last time.Time
	var count int64
	var detail string
	err := row.Scan(&e.seq, &e.ID, instant{&e.Time}, &e.Action, &e.Result, &e.Status, &e.Account, &e.Backend,
		&e.Bucket, &e.Key, &e.SourceIP, &e.UserAgent, &e.RequestID, &e.Open, &count, instant{&last}, &detail)
	if err != nil {
		return numbered{}, err
	}
	if err := json.Unmarshal([]byte(detail), &e.Detail); err != nil {
		return numbered{}, fmt.Errorf("detail of event %s: %w", e.ID, err)
	}
	e.Detail.Count = count
	if !last.IsZero() {
		e.Detail.LastTime = &last
	}
	return e, nil
}
