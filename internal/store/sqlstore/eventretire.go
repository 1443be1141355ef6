package sqlstore

import (
	"errors"
	"fmt"
	"time"
)

// RetireEvents implements store.Events.
func (t *tx) RetireEvents(before time.Time, limit int) (n int, err error) {
	seqs, err := list(t, func(row scanner) (seq int64, err error) { return seq, row.Scan(&seq) },
		fmt.Sprintf(`SELECT seq FROM events WHERE at < $1 AND is_open = 0
			AND seq < %d * (SELECT max(span) + 1 FROM event_spans WHERE min_at < $1) ORDER BY seq LIMIT $2`, spanRows), micros(before), limit)
	if err != nil || len(seqs) == 0 {
		return 0, about(err, "old events")
	}
	for _, query := range []string{`DELETE FROM events WHERE seq = $1`, `DELETE FROM event_words WHERE rowid = $1`} {
		if err := t.deleteEach(query, seqs); err != nil {
			return 0, about(err, "old events")
		}
	}
	_, err = t.exec(fmt.Sprintf(`DELETE FROM event_spans WHERE span < (SELECT min(seq) FROM events) / %d`, spanRows))
	return len(seqs), about(err, "old events")
}

func (t *tx) deleteEach(query string, seqs []int64) (err error) {
	stmt, err := t.prepare(query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	for _, seq := range seqs {
		if _, err := stmt.ExecContext(t.ctx, seq); err != nil {
			return t.dialect.wrap(err)
		}
	}
	return nil
}
