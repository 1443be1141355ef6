package sqlstore

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"keystile/internal/keystile"
)

// maxSpans bounds the spans of one count.
const maxSpans = 1000

// CountEvents implements store.Events.
func (t *tx) CountEvents(f keystile.EventFilter, step time.Duration, limit int) (keystile.EventCounts, error) {
	c := keystile.EventCounts{From: f.Since, Step: step, Complete: true}
	if f.Since.IsZero() || !f.Since.Before(f.Until) || step < time.Second || f.Until.Sub(f.Since) > maxSpans*step || limit < 1 {
		return c, fmt.Errorf("a count has a beginning, an end, and at most %d spans of a second or more: %w", maxSpans, keystile.ErrInvalid)
	}
	var err error
	if f.Text != "" {
		err = t.countByText(&c, f, limit)
	} else {
		err = t.countEvents(&c, f, limit)
	}
	slices.SortFunc(c.Counts, func(a, b keystile.EventCount) int { return cmp.Or(a.Span-b.Span, cmp.Compare(a.Result, b.Result)) })
	return c, about(err, "count events")
}

func (t *tx) countEvents(c *keystile.EventCounts, f keystile.EventFilter, limit int) error {
	var q query
	path := selectivePath(f)
	from, number := t.conditions(&q, f, path, "", 0)
	floor, err := t.floorForCount(c, f, path, limit)
	if err != nil {
		return err
	}
	if floor > 0 {
		q.and(number+" >= %s", floor)
	}
	newest := `SELECT at, result FROM ` + from + q.where() + ` ORDER BY ` + number + ` DESC LIMIT ` + q.arg(limit)
	span := fmt.Sprintf("(at - %s) / %s", q.arg(micros(f.Since)), q.arg(c.Step.Microseconds()))
	total := int64(0)
	oldest := int64(0)
	rows, err := list(t, func(row scanner) (keystile.EventCount, error) {
		var one keystile.EventCount
		var least int64
		err := row.Scan(&one.Span, &one.Result, &one.Events, &least)
		total += one.Events
		if oldest == 0 || least < oldest {
			oldest = least
		}
		return one, err
	}, `SELECT `+span+` AS span, result, count(*), min(at) FROM (`+newest+`) AS newest GROUP BY 1, 2`, q.args...)
	c.Counts = rows
	if total >= int64(limit) {
		c.Complete, c.Since = false, time.UnixMicro(oldest).UTC()
	}
	return err
}

// floorForCount bounds the rows that other conditions may refuse as those that are
// counted are.
func (t *tx) floorForCount(c *keystile.EventCounts, f keystile.EventFilter, path accessPath, limit int) (floor int64, err error) {
	var rest query
	if t.checks(&rest, f, path); len(rest.terms) == 0 {
		return 0, nil
	}
	if path == alongTrail {
		floor, err = t.floorAlong(f, 0, int64(limit))
	} else {
		floor, err = t.entry(f, path, "", 0, 0, int64(limit))
	}
	if err == nil && floor > 0 {
		c.Complete = false
		err = t.row([]any{instant{&c.Since}}, `SELECT at FROM events WHERE seq >= $1 ORDER BY seq LIMIT 1`, floor)
	}
	return floor, err
}

// countByText reads the events: what the index of words finds is looked at before
// it counts.
func (t *tx) countByText(c *keystile.EventCounts, f keystile.EventFilter, limit int) error {
	type place struct {
		span   int
		result keystile.Result
	}
	counts := map[place]int64{}
	for read, before := 0, int64(0); ; {
		found, err := t.findEvents(f, before, maxEventPage)
		if err != nil {
			return err
		}
		rows := found.rows
		for i := range rows {
			counts[place{int(rows[i].Time.Sub(f.Since) / c.Step), rows[i].Result}]++
		}
		read += len(rows)
		if before = found.floor; len(rows) == maxEventPage {
			before = rows[len(rows)-1].seq
		}
		if before == 0 {
			break
		}
		if len(rows) > 0 && read >= limit {
			c.Complete, c.Since = false, rows[len(rows)-1].Time
			break
		}
	}
	for at, n := range counts {
		c.Counts = append(c.Counts, keystile.EventCount{Span: at.span, Result: at.result, Events: n})
	}
	return nil
}
