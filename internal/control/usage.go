package control

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Usage are the queries of meters. An admin sees all; others what the credentials
// did that they own, and what is of the projects that they are a member of.
type Usage struct{ *core }

// Now is the clock by which days begin.
func (u *Usage) Now() time.Time { return u.now() }

// MaxUsageRows bounds the rows of a report. An export has no bound.
const MaxUsageRows = 1000

// MaxUsageDays is the longest span: what is kept.
const MaxUsageDays = int(keystile.MetersKept / day)

// UsageQuery says what is asked for.
type UsageQuery struct {
	By          string // one of keystile.ByBucket and so on
	From, To    time.Time
	Bucket      keystile.Bucket // zero fields do not filter
	AccessKeyID string
	ProjectID   string
}

// UsageItem is a row of usage with what people call the thing.
type UsageItem struct {
	keystile.UsageRow
	Day  time.Time // of an export's row; else zero
	Name string    // the description of a credential, the name of an RGW user or project
}

// UsageReport is who used what, and when.
type UsageReport struct {
	Items []UsageItem // largest first, by bytes in, out and held
	More  bool        // there are more than MaxUsageRows
	Days  []keystile.UsageDay
}

func (q *UsageQuery) check() error {
	var faults keystile.Faults
	if q.By != keystile.ByBucket && q.By != keystile.ByCredential && q.By != keystile.ByProject {
		faults.Add("by", "must be bucket, credential or project")
	}
	switch days := int(q.To.Sub(q.From) / day); {
	case days < 1:
		faults.Add("from", "must not be after the last day")
	case days > MaxUsageDays:
		faults.Add("from", "must be at most %d days before the last", MaxUsageDays)
	}
	return faults.Err()
}

// of is the query as the actor may ask it.
func (q *UsageQuery) of(a Actor) keystile.UsageQuery {
	u := keystile.UsageQuery{From: q.From, To: q.To, Bucket: q.Bucket, AccessKeyID: q.AccessKeyID, ProjectID: q.ProjectID}
	if !admins(a.Account.Role) {
		u.Account = a.Account.ID
	}
	return u
}

// Report returns who used what in a span, and how much was used on each day of it.
func (u *Usage) Report(ctx context.Context, a Actor, q UsageQuery) (r UsageReport, err error) {
	if err := q.check(); err != nil {
		return r, err
	}
	u.catchUp(ctx)
	asked := q.of(a)
	err = u.read(ctx, a, "usage.show", "", anyone, func(tx store.Tx) error {
		limit := math.MaxInt32 // buckets and projects are few; what they hold is in their size
		if q.By == keystile.ByCredential {
			limit = MaxUsageRows + 1
		}
		rows, err := tx.LargestMeters(q.By, asked, limit)
		if err != nil {
			return err
		}
		held, err := tx.Stored(q.By, asked)
		if err != nil {
			return err
		}
		rows = join(rows, held)
		slices.SortStableFunc(rows, func(x, y keystile.UsageRow) int { return cmp.Compare(sizeOf(y), sizeOf(x)) })
		if r.More = len(rows) > MaxUsageRows; r.More {
			rows = rows[:MaxUsageRows]
		}
		if r.Items, err = named(tx, rows); err != nil {
			return err
		}
		r.Days, err = usageDays(tx, asked)
		return err
	})
	return r, err
}

func sizeOf(r keystile.UsageRow) int64 { return r.BytesIn + r.BytesOut + r.Stored.Bytes }

// join adds what is held to what was done.
func join(rows, held []keystile.UsageRow) []keystile.UsageRow {
	place := make(map[keystile.UsageKey]int, len(rows))
	for i, row := range rows {
		place[row.UsageKey] = i
	}
	for _, h := range held {
		i, ok := place[h.UsageKey]
		if !ok {
			rows = append(rows, h)
			continue
		}
		rows[i].Stored, rows[i].StoredByteDays, rows[i].StoredKnown = h.Stored, h.StoredByteDays, true
	}
	slices.SortFunc(rows, func(x, y keystile.UsageRow) int { return compareKeys(x.UsageKey, y.UsageKey) })
	return rows
}

func compareKeys(x, y keystile.UsageKey) int {
	return strings.Compare(
		strings.Join([]string{x.Bucket.Backend, x.Bucket.Name, x.AccessKeyID, x.ProjectID}, "\x00"),
		strings.Join([]string{y.Bucket.Backend, y.Bucket.Name, y.AccessKeyID, y.ProjectID}, "\x00"))
}

// named finds what things are called; what is gone has no name.
func named(tx store.Tx, rows []keystile.UsageRow) ([]UsageItem, error) {
	items := make([]UsageItem, len(rows))
	for i, row := range rows {
		items[i].UsageRow = row
		var err error
		switch {
		case row.AccessKeyID != "":
			items[i].Name, err = nameOfKey(tx, row.AccessKeyID)
		case row.ProjectID != "":
			var project keystile.Project
			project, err = tx.Project(row.ProjectID)
			items[i].Name = project.Name
		}
		if err != nil && !errors.Is(err, keystile.ErrNotFound) {
			return nil, err
		}
	}
	return items, nil
}

func nameOfKey(tx store.Tx, accessKeyID string) (string, error) {
	cred, err := tx.Credential(accessKeyID)
	if !errors.Is(err, keystile.ErrNotFound) {
		return cred.Description, err
	}
	users, err := tx.RGWUsers(store.RGWUserFilter{Text: accessKeyID, Limit: 10})
	for _, user := range users {
		if user.AccessKeyID == accessKeyID {
			return user.Name, err
		}
	}
	return "", err
}

// usageDays has every day of the span.
func usageDays(tx store.Tx, q keystile.UsageQuery) ([]keystile.UsageDay, error) {
	days := make([]keystile.UsageDay, int(q.To.Sub(q.From)/day))
	for i := range days {
		days[i].Day = q.From.Add(time.Duration(i) * day)
	}
	at := func(t time.Time) *keystile.UsageDay { return &days[int(t.Sub(q.From)/day)] }
	counted, err := tx.MeterDays(q)
	if err != nil {
		return nil, err
	}
	for _, d := range counted {
		at(d.Day).Meter = d.Meter
	}
	held, err := tx.StoredDays(q)
	for _, d := range held {
		at(d.Day).Stored, at(d.Day).StoredKnown = d.Stored, true
	}
	return days, err
}

// UsageExport is usage by day of any length, read page by page: each in a
// transaction of its own, with the actor's rights as they are by then.
type UsageExport struct {
	usage *Usage
	actor Actor
	query UsageQuery
	day   time.Time
	after *keystile.UsageKey
	held  map[keystile.UsageKey]keystile.UsageRow // of the day; nil: not read yet
}

// Export begins to read a span, oldest day first.
func (u *Usage) Export(ctx context.Context, a Actor, q UsageQuery) (*UsageExport, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	if err := a.allowed("usage.export", anyone, false); err != nil {
		return nil, u.refused(ctx, u.newEvent(a, "usage.export", ""), err)
	}
	u.catchUp(ctx)
	return &UsageExport{usage: u, actor: a, query: q, day: q.From}, nil
}

// Next returns some more rows; the export is over when it returns none and no
// error.
func (e *UsageExport) Next(ctx context.Context) (items []UsageItem, err error) {
	for len(items) == 0 && e.day.Before(e.query.To) {
		if items, err = e.page(ctx); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func (e *UsageExport) page(ctx context.Context) (items []UsageItem, err error) {
	at := e.day
	err = e.usage.read(ctx, e.actor, "usage.export", "", anyone, func(tx store.Tx) error {
		live := &change{Tx: tx}
		if err := live.admit(e.actor, anyone); err != nil {
			return err
		}
		q := e.query.of(live.actor)
		q.From, q.To = e.day, e.day.Add(day)
		rows, err := e.rows(tx, q)
		if err != nil {
			return err
		}
		items, err = named(tx, rows)
		return err
	})
	for i := range items {
		items[i].Day = at
	}
	return items, err
}

// rows are the next ones of the day; behind the last come the things that held
// something and did nothing.
func (e *UsageExport) rows(tx store.Tx, q keystile.UsageQuery) ([]keystile.UsageRow, error) {
	if e.held == nil {
		held, err := tx.Stored(e.query.By, q)
		if err != nil {
			return nil, err
		}
		e.held = map[keystile.UsageKey]keystile.UsageRow{}
		for _, h := range held {
			e.held[h.UsageKey] = h
		}
	}
	rows, err := tx.Meters(e.query.By, q, e.after, MaxUsageRows)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if h, ok := e.held[rows[i].UsageKey]; ok {
			rows[i].Stored, rows[i].StoredByteDays, rows[i].StoredKnown = h.Stored, h.StoredByteDays, true
			delete(e.held, rows[i].UsageKey)
		}
	}
	if len(rows) == MaxUsageRows {
		e.after = &rows[len(rows)-1].UsageKey
		return rows, nil
	}
	for _, h := range e.held {
		rows = append(rows, h)
	}
	slices.SortFunc(rows, func(x, y keystile.UsageRow) int { return compareKeys(x.UsageKey, y.UsageKey) })
	e.day, e.after, e.held = e.day.Add(day), nil, nil
	return rows, nil
}
