package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// usage serves meters.
type usage struct{ usage *control.Usage }

func (h usage) mount(r *router) {
	const tag = "Usage"
	const who = "Admins see all; others what the credentials did that they own, and what is of their projects. "
	register(r, operation{method: http.MethodGet, path: "/api/usage", id: "getUsage", tag: tag,
		summary: "Show who used what, and how much on each day",
		description: who + "Writes, deletes and bytes in are exact against the audit trail; the others may lack what was counted in the last 5 seconds before a kill. " +
			"The largest 1000 items are returned; /api/usage.csv has all."}, h.report)
	register(r, operation{method: http.MethodGet, path: "/api/usage.csv", id: "exportUsage", tag: tag,
		summary: "Download usage by day as CSV, oldest day first",
		description: who + "One line for each day and thing, however many, with a line of names first. A cell that a spreadsheet would take for a formula " +
			"has an apostrophe before it. If the answer breaks off, the file is not whole.",
		media: "text/csv"}, h.export)
}

// UsageSelection is what is asked for.
type UsageSelection struct {
	From        string `query:"from" format:"date" doc:"first day (UTC); absent: 30 days up to the last"`
	To          string `query:"to" format:"date" doc:"last day (UTC); absent: today"`
	By          string `query:"by" enum:"bucket,credential,project" default:"bucket"`
	Backend     string `query:"backend"`
	Bucket      string `query:"bucket" doc:"its name at the backend"`
	AccessKeyID string `query:"access_key_id"`
	ProjectID   string `query:"project_id"`
}

const (
	dateForm    = time.DateOnly
	defaultDays = 30
)

func (s *UsageSelection) query(now time.Time) (control.UsageQuery, error) {
	q := control.UsageQuery{
		By: s.By, Bucket: keystile.Bucket{Backend: s.Backend, Name: s.Bucket}, AccessKeyID: s.AccessKeyID, ProjectID: s.ProjectID,
	}
	var faults keystile.Faults
	parse := func(name, text string, absent time.Time) time.Time {
		if text == "" {
			return absent
		}
		t, err := time.Parse(dateForm, text)
		if err != nil {
			faults.Add(name, "must be a day such as 2026-11-25")
		}
		return t
	}
	last := parse("to", s.To, keystile.DayOf(now))
	q.To = last.AddDate(0, 0, 1)
	q.From = parse("from", s.From, q.To.AddDate(0, 0, -defaultDays))
	return q, faults.Err()
}

// Usage is who used what in a span.
type Usage struct {
	From  string      `json:"from" format:"date"`
	To    string      `json:"to" format:"date"`
	By    string      `json:"by" enum:"bucket,credential,project"`
	Items []UsageItem `json:"items" doc:"largest first, by bytes in, out and stored"`
	More  bool        `json:"more" doc:"there are more items than are returned"`
	Days  []UsageDay  `json:"days" doc:"every day of the span, oldest first"`
}

// Metered is what was counted.
type Metered struct {
	BytesIn  int64 `json:"bytes_in" doc:"of objects and parts that were written"`
	BytesOut int64 `json:"bytes_out" doc:"of answers to reads"`
	Reads    int64 `json:"reads" doc:"requests"`
	Lists    int64 `json:"lists"`
	Writes   int64 `json:"writes"`
	Deletes  int64 `json:"deletes" doc:"requests, however many keys each names"`
	Refused  int64 `json:"refused" doc:"by the gateway"`
	Failed   int64 `json:"failed" doc:"mutations not carried out, reads that broke off or ended in 5xx"`
}

// UsageItem is what one thing used.
type UsageItem struct {
	Backend     string `json:"backend,omitempty" doc:"by bucket; absent with the bucket: requests that got to none"`
	Bucket      string `json:"bucket,omitempty" doc:"its name at the backend"`
	AccessKeyID string `json:"access_key_id,omitempty" doc:"by credential; absent: nobody was authenticated"`
	ProjectID   string `json:"project_id,omitempty" doc:"by project; absent: of no project"`
	Name        string `json:"name,omitempty" doc:"description of the credential, name of the RGW user or project"`
	Metered
	StoredBytes    *int64 `json:"stored_bytes,omitempty" doc:"held by counted buckets on the last day that is known; absent: none was counted"`
	StoredObjects  *int64 `json:"stored_objects,omitempty"`
	StoredByteDays *int64 `json:"stored_byte_days,omitempty" doc:"the sum of what was held on each day"`
}

// UsageDay is what was used on one day.
type UsageDay struct {
	Day string `json:"day" format:"date"`
	Metered
	StoredBytes   *int64 `json:"stored_bytes,omitempty" doc:"absent: no bucket was counted"`
	StoredObjects *int64 `json:"stored_objects,omitempty"`
}

func meteredView(m keystile.Meter) Metered {
	return Metered{
		BytesIn: m.BytesIn, BytesOut: m.BytesOut, Reads: m.Reads, Lists: m.Lists, Writes: m.Writes, Deletes: m.Deletes, Refused: m.Refused, Failed: m.Failed,
	}
}

func usageItemView(i control.UsageItem) UsageItem {
	view := UsageItem{
		Backend: i.Bucket.Backend, Bucket: i.Bucket.Name, AccessKeyID: i.AccessKeyID, ProjectID: i.ProjectID, Name: i.Name,
		Metered: meteredView(i.Meter),
	}
	if i.StoredKnown {
		view.StoredBytes, view.StoredObjects, view.StoredByteDays = &i.Stored.Bytes, &i.Stored.Objects, &i.StoredByteDays
	}
	return view
}

func usageDayView(d keystile.UsageDay) UsageDay {
	view := UsageDay{Day: d.Day.Format(dateForm), Metered: meteredView(d.Meter)}
	if d.StoredKnown {
		view.StoredBytes, view.StoredObjects = &d.Stored.Bytes, &d.Stored.Objects
	}
	return view
}

func (h usage) report(ctx context.Context, in *UsageSelection) (*JSON[Usage], error) {
	q, err := in.query(h.usage.Now())
	if err != nil {
		return nil, err
	}
	found, err := h.usage.Report(ctx, actorOf(ctx), q)
	if err != nil {
		return nil, err
	}
	return reply(Usage{
		From: q.From.Format(dateForm), To: q.To.AddDate(0, 0, -1).Format(dateForm), By: q.By,
		Items: listOf(found.Items, usageItemView).Items, More: found.More, Days: listOf(found.Days, usageDayView).Items,
	}), nil
}

var usageColumns = []string{
	"day", "backend", "bucket", "access_key_id", "project_id", "name", "stored_bytes", "stored_objects", "bytes_in", "bytes_out",
	"reads", "lists", "writes", "deletes", "refused", "failed",
}

func usageRow(i control.UsageItem) ([]string, error) {
	row := []string{i.Day.Format(dateForm)}
	for _, text := range []string{i.Bucket.Backend, i.Bucket.Name, i.AccessKeyID, i.ProjectID, i.Name} {
		row = append(row, harmless(text))
	}
	if i.StoredKnown {
		row = append(row, strconv.FormatInt(i.Stored.Bytes, 10), strconv.FormatInt(i.Stored.Objects, 10))
	} else {
		row = append(row, "", "")
	}
	for _, n := range []int64{i.BytesIn, i.BytesOut, i.Reads, i.Lists, i.Writes, i.Deletes, i.Refused, i.Failed} {
		row = append(row, strconv.FormatInt(n, 10))
	}
	return row, nil
}

func (h usage) export(ctx context.Context, in *UsageSelection) (*huma.StreamResponse, error) {
	q, err := in.query(h.usage.Now())
	if err != nil {
		return nil, err
	}
	found, err := h.usage.Export(ctx, actorOf(ctx), q)
	if err != nil {
		return nil, err
	}
	return streamCSV(ctx, "usage.csv", usageColumns, found.Next, usageRow), nil
}
