package sqlstore

import (
	"errors"
	"strings"
	"time"

	"keystile/internal/keystile"
)

const meterColumns = `reads, lists, writes, deletes, refused, failed, bytes_in, bytes_out`

// addMeter finds the project by the key: a user keeps both for life, and one that
// was deleted counts where no other has its key.
const addMeter = `INSERT INTO meter_days (day, backend, bucket, access_key_id, project_id, ` + meterColumns + `)
	VALUES ($1, $2, $3, $4, coalesce(
		(SELECT project_id FROM rgw_users WHERE access_key_id = $4 AND deleted_at = 0 AND $4 <> ''),
		(SELECT project_id FROM rgw_users WHERE access_key_id = $4 AND $4 <> '' ORDER BY deleted_at DESC LIMIT 1), ''),
		$5, $6, $7, $8, $9, $10, $11, $12)
	ON CONFLICT (day, backend, bucket, access_key_id, project_id) DO UPDATE SET
		reads = meter_days.reads + excluded.reads, lists = meter_days.lists + excluded.lists,
		writes = meter_days.writes + excluded.writes, deletes = meter_days.deletes + excluded.deletes,
		refused = meter_days.refused + excluded.refused, failed = meter_days.failed + excluded.failed,
		bytes_in = meter_days.bytes_in + excluded.bytes_in, bytes_out = meter_days.bytes_out + excluded.bytes_out`

// AddMeters implements store.Meters.
func (t *tx) AddMeters(counts []keystile.MeterCount) (err error) {
	if len(counts) == 0 {
		return nil
	}
	stmt, err := t.prepare(addMeter)
	if err != nil {
		return about(err, "meters")
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	for _, c := range counts {
		m := c.Meter
		_, err := stmt.ExecContext(t.ctx, micros(keystile.DayOf(c.Day)), clean(c.Bucket.Backend), clean(c.Bucket.Name), clean(c.AccessKeyID),
			m.Reads, m.Lists, m.Writes, m.Deletes, m.Refused, m.Failed, m.BytesIn, m.BytesOut)
		if err != nil {
			return about(t.dialect.wrap(err), "meters")
		}
	}
	return nil
}

// SaveStored implements store.Meters.
func (t *tx) SaveStored(counts []keystile.StoredCount) error {
	for _, c := range counts {
		_, err := t.exec(`INSERT INTO stored_days (day, backend, bucket, project_id, bytes, objects)
			VALUES ($1, $2, $3, coalesce((SELECT u.project_id FROM rgw_buckets b JOIN rgw_users u ON u.id = b.user_id
				WHERE b.backend = $2 AND b.name = $3), ''), $4, $5)
			ON CONFLICT (day, backend, bucket) DO UPDATE SET project_id = excluded.project_id, bytes = excluded.bytes, objects = excluded.objects`,
			micros(keystile.DayOf(c.Day)), c.Bucket.Backend, c.Bucket.Name, c.Bytes, c.Objects)
		if err != nil {
			return about(err, "what bucket %q holds", c.Bucket)
		}
	}
	return nil
}

// DeleteMeters implements store.Meters.
func (t *tx) DeleteMeters(before time.Time) error {
	if _, err := t.exec(`DELETE FROM meter_days WHERE day < $1`, micros(before)); err != nil {
		return about(err, "old meters")
	}
	_, err := t.exec(`DELETE FROM stored_days WHERE day < $1`, micros(before))
	return about(err, "old meters")
}

const myProjects = `project_id IN (SELECT project_id FROM project_members WHERE account_id = %s)`

// ofDays are the conditions that meters and what is stored have in common.
func ofDays(u keystile.UsageQuery) *query {
	q := &query{}
	q.and("day >= %s", micros(u.From))
	q.and("day < %s", micros(u.To))
	if u.Bucket.Backend != "" {
		q.and("backend = %s", u.Bucket.Backend)
	}
	if u.Bucket.Name != "" {
		q.and("bucket = %s", u.Bucket.Name)
	}
	if u.ProjectID != "" {
		q.and("project_id = %s", u.ProjectID)
	}
	return q
}

func ofMeters(u keystile.UsageQuery) *query {
	q := ofDays(u)
	if u.AccessKeyID != "" {
		q.and("access_key_id = %s", u.AccessKeyID)
	}
	if u.Account != "" {
		q.and(`(`+myProjects+` OR access_key_id <> '' AND EXISTS (SELECT 1 FROM credentials c
			WHERE c.access_key_id = meter_days.access_key_id AND c.owner = %s))`, u.Account, u.Account)
	}
	return q
}

// ofStored finds nothing where a credential is asked for: buckets hold what they
// hold, whoever put it there.
func ofStored(u keystile.UsageQuery) *query {
	q := ofDays(u)
	if u.AccessKeyID != "" {
		q.and("1 = %s", 0)
	}
	if u.Account != "" {
		q.and(myProjects, u.Account)
	}
	return q
}

const meterSums = `sum(reads), sum(lists), sum(writes), sum(deletes), sum(refused), sum(failed), sum(bytes_in), sum(bytes_out)`

func scanMeter(m *keystile.Meter) []any {
	return []any{&m.Reads, &m.Lists, &m.Writes, &m.Deletes, &m.Refused, &m.Failed, &m.BytesIn, &m.BytesOut}
}

// keyColumns are what usage can be told by.
var keyColumns = map[string][]string{
	keystile.ByBucket: {"backend", "bucket"}, keystile.ByCredential: {"access_key_id"}, keystile.ByProject: {"project_id"},
}

func keyFields(by string, k *keystile.UsageKey) []any {
	switch by {
	case keystile.ByCredential:
		return []any{&k.AccessKeyID}
	case keystile.ByProject:
		return []any{&k.ProjectID}
	}
	return []any{&k.Bucket.Backend, &k.Bucket.Name}
}

// Meters implements store.Meters.
func (t *tx) Meters(by string, u keystile.UsageQuery, after *keystile.UsageKey, limit int) ([]keystile.UsageRow, error) {
	q := ofMeters(u)
	columns := strings.Join(keyColumns[by], ", ")
	if after != nil {
		var marks []string
		for _, field := range keyFields(by, after) {
			marks = append(marks, q.arg(*field.(*string)))
		}
		q.and("(" + columns + ") > (" + strings.Join(marks, ", ") + ")")
	}
	return t.meters(by, q, columns, limit)
}

// LargestMeters implements store.Meters.
func (t *tx) LargestMeters(by string, u keystile.UsageQuery, limit int) ([]keystile.UsageRow, error) {
	return t.meters(by, ofMeters(u), `sum(bytes_in) + sum(bytes_out) DESC, `+strings.Join(keyColumns[by], ", "), limit)
}

func (t *tx) meters(by string, q *query, order string, limit int) ([]keystile.UsageRow, error) {
	columns := strings.Join(keyColumns[by], ", ")
	rows, err := list(t, func(row scanner) (keystile.UsageRow, error) {
		var r keystile.UsageRow
		return r, row.Scan(append(keyFields(by, &r.UsageKey), scanMeter(&r.Meter)...)...)
	}, `SELECT `+columns+`, `+meterSums+` FROM meter_days`+q.where()+` GROUP BY `+columns+` ORDER BY `+order+` LIMIT `+q.arg(limit), q.args...)
	return rows, about(err, "meters")
}

// MeterDays implements store.Meters.
func (t *tx) MeterDays(u keystile.UsageQuery) ([]keystile.UsageDay, error) {
	q := ofMeters(u)
	days, err := list(t, func(row scanner) (keystile.UsageDay, error) {
		var d keystile.UsageDay
		return d, row.Scan(append([]any{instant{&d.Day}}, scanMeter(&d.Meter)...)...)
	}, `SELECT day, `+meterSums+` FROM meter_days`+q.where()+` GROUP BY day ORDER BY day`, q.args...)
	return days, about(err, "meters by day")
}

// Stored implements store.Meters.
func (t *tx) Stored(by string, u keystile.UsageQuery) ([]keystile.UsageRow, error) {
	if by == keystile.ByCredential {
		return nil, nil
	}
	q := ofStored(u)
	columns := strings.Join(keyColumns[by], ", ")
	rows, err := list(t, func(row scanner) (keystile.UsageRow, error) {
		r := keystile.UsageRow{StoredKnown: true}
		return r, row.Scan(append(keyFields(by, &r.UsageKey), &r.StoredByteDays, &r.Stored.Bytes, &r.Stored.Objects)...)
	}, `SELECT `+columns+`, sum(bytes), sum(CASE WHEN newest THEN bytes ELSE 0 END), sum(CASE WHEN newest THEN objects ELSE 0 END)
		FROM (SELECT backend, bucket, project_id, bytes, objects, day = max(day) OVER (PARTITION BY backend, bucket) AS newest
			FROM stored_days`+q.where()+`) AS held
		GROUP BY `+columns+` ORDER BY `+columns, q.args...)
	return rows, about(err, "what is stored")
}

// StoredDays implements store.Meters.
func (t *tx) StoredDays(u keystile.UsageQuery) ([]keystile.UsageDay, error) {
	q := ofStored(u)
	days, err := list(t, func(row scanner) (keystile.UsageDay, error) {
		d := keystile.UsageDay{StoredKnown: true}
		return d, row.Scan(instant{&d.Day}, &d.Stored.Bytes, &d.Stored.Objects)
	}, `SELECT day, sum(bytes), sum(objects) FROM stored_days`+q.where()+` GROUP BY day ORDER BY day`, q.args...)
	return days, about(err, "what is stored by day")
}
