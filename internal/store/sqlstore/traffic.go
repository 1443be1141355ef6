package sqlstore

import (
	"errors"
	"time"

	"keystile/internal/keystile"
)

const trafficColumns = `requests, reads, writes, errors, refusals, bytes_in, bytes_out`

const addHour = `INSERT INTO traffic_hours (hour, access_key_id, backend, ` + trafficColumns + `)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
	ON CONFLICT (hour, access_key_id, backend) DO UPDATE SET
		requests = traffic_hours.requests + excluded.requests, reads = traffic_hours.reads + excluded.reads,
		writes = traffic_hours.writes + excluded.writes, errors = traffic_hours.errors + excluded.errors,
		refusals = traffic_hours.refusals + excluded.refusals, bytes_in = traffic_hours.bytes_in + excluded.bytes_in,
		bytes_out = traffic_hours.bytes_out + excluded.bytes_out`

const addMinute = `INSERT INTO traffic_minutes (minute, access_key_id, ` + trafficColumns + `)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	ON CONFLICT (access_key_id, minute) DO UPDATE SET
		requests = traffic_minutes.requests + excluded.requests, reads = traffic_minutes.reads + excluded.reads,
		writes = traffic_minutes.writes + excluded.writes, errors = traffic_minutes.errors + excluded.errors,
		refusals = traffic_minutes.refusals + excluded.refusals, bytes_in = traffic_minutes.bytes_in + excluded.bytes_in,
		bytes_out = traffic_minutes.bytes_out + excluded.bytes_out`

func hourOf(t time.Time) int64   { return micros(t.UTC().Truncate(time.Hour)) }
func minuteOf(t time.Time) int64 { return micros(t.UTC().Truncate(time.Minute)) }

func counters(n keystile.Traffic) []any {
	return []any{n.Requests, n.Reads, n.Writes, n.Errors, n.Refusals, n.BytesIn, n.BytesOut}
}

func scanCounters(n *keystile.Traffic) []any {
	return []any{&n.Requests, &n.Reads, &n.Writes, &n.Errors, &n.Refusals, &n.BytesIn, &n.BytesOut}
}

// AddTraffic implements store.Traffic.
func (t *tx) AddTraffic(counts []keystile.TrafficCount) (err error) {
	if len(counts) == 0 {
		return nil
	}
	hours, err := t.prepare(addHour)
	if err != nil {
		return about(err, "traffic")
	}
	defer func() { err = errors.Join(err, hours.Close()) }()
	minutes, err := t.prepare(addMinute)
	if err != nil {
		return about(err, "traffic")
	}
	defer func() { err = errors.Join(err, minutes.Close()) }()
	for _, c := range counts {
		key := append([]any{hourOf(c.At), c.AccessKeyID, c.Backend}, counters(c.Traffic)...)
		if _, err := hours.ExecContext(t.ctx, key...); err != nil {
			return about(t.dialect.wrap(err), "traffic by hour")
		}
		if c.AccessKeyID == "" {
			continue // nobody asks for the last hour of everybody
		}
		key = append([]any{minuteOf(c.At), c.AccessKeyID}, counters(c.Traffic)...)
		if _, err := minutes.ExecContext(t.ctx, key...); err != nil {
			return about(t.dialect.wrap(err), "traffic by minute")
		}
	}
	return nil
}

const trafficSums = `sum(requests), sum(reads), sum(writes), sum(errors), sum(refusals), sum(bytes_in), sum(bytes_out)`

func scanHour(row scanner) (keystile.TrafficHour, error) {
	var h keystile.TrafficHour
	err := row.Scan(append([]any{instant{&h.Hour}}, scanCounters(&h.Traffic)...)...)
	return h, err
}

// TrafficByHour implements store.Traffic.
func (t *tx) TrafficByHour(since time.Time) ([]keystile.TrafficHour, error) {
	hours, err := list(t, scanHour, `SELECT hour, `+trafficSums+` FROM traffic_hours
		WHERE hour >= $1 GROUP BY hour ORDER BY hour`, hourOf(since))
	return hours, about(err, "traffic by hour")
}

// CredentialTrafficByHour implements store.Traffic.
func (t *tx) CredentialTrafficByHour(accessKeyID string, since time.Time) ([]keystile.TrafficHour, error) {
	hours, err := list(t, scanHour, `SELECT hour, `+trafficSums+` FROM traffic_hours
		WHERE access_key_id = $1 AND access_key_id <> '' AND hour >= $2 GROUP BY hour ORDER BY hour`,
		accessKeyID, hourOf(since))
	return hours, about(err, "traffic of credential %s", accessKeyID)
}

// CredentialTraffic implements store.Traffic.
func (t *tx) CredentialTraffic(accessKeyID string, since time.Time) (keystile.Traffic, error) {
	var all keystile.Traffic
	err := t.each(func(row scanner) error {
		var n keystile.Traffic
		if err := row.Scan(scanCounters(&n)...); err != nil {
			return t.dialect.wrap(err)
		}
		all.Add(n)
		return nil
	}, `SELECT `+trafficColumns+` FROM traffic_minutes WHERE access_key_id = $1 AND minute >= $2`,
		accessKeyID, minuteOf(since))
	return all, about(err, "traffic of credential %s", accessKeyID)
}

// BusiestCredentials implements store.Traffic.
func (t *tx) BusiestCredentials(since time.Time, limit int) ([]keystile.CredentialTraffic, error) {
	busiest, err := list(t, func(row scanner) (keystile.CredentialTraffic, error) {
		var c keystile.CredentialTraffic
		err := row.Scan(append([]any{&c.AccessKeyID}, scanCounters(&c.Traffic)...)...)
		return c, err
	}, `SELECT access_key_id, `+trafficSums+` FROM traffic_hours WHERE hour >= $1 AND access_key_id <> ''
		GROUP BY access_key_id ORDER BY sum(requests) DESC, access_key_id LIMIT $2`, hourOf(since), limit)
	return busiest, about(err, "busiest credentials")
}

// DeleteTraffic implements store.Traffic.
func (t *tx) DeleteTraffic(hours, minutes time.Time) error {
	if _, err := t.exec(`DELETE FROM traffic_hours WHERE hour < $1`, micros(hours)); err != nil {
		return about(err, "traffic by hour")
	}
	_, err := t.exec(`DELETE FROM traffic_minutes WHERE minute < $1`, micros(minutes))
	return about(err, "traffic by minute")
}
