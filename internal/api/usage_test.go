package api

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func (s *site) meter(counts ...keystile.MeterCount) {
	s.t.Helper()
	must(s.t, s.store.Write(s.t.Context(), func(tx store.Tx) error { return tx.AddMeters(counts) }))
}

func (s *site) hold(counts ...keystile.StoredCount) {
	s.t.Helper()
	must(s.t, s.store.Write(s.t.Context(), func(tx store.Tx) error { return tx.SaveStored(counts) }))
}

func TestUsage(t *testing.T) {
	s := newSite(t)
	root, today := s.as("root"), keystile.DayOf(s.clock.now())
	uploads := keystile.Bucket{Backend: "main", Name: "uploads"}
	m := keystile.Meter{Reads: 1, Writes: 2, BytesIn: 10, BytesOut: 20}
	own, foreign := s.mint("uma").AccessKeyID, s.mint("").AccessKeyID
	s.meter(
		keystile.MeterCount{Day: today, Bucket: uploads, AccessKeyID: own, Meter: m},
		keystile.MeterCount{Day: today.AddDate(0, 0, -1), Bucket: uploads, AccessKeyID: foreign, Meter: m},
		keystile.MeterCount{Day: today.AddDate(0, 0, -40), Bucket: uploads, AccessKeyID: foreign, Meter: m},
	)
	s.hold(
		keystile.StoredCount{Day: today, Bucket: uploads, Amount: keystile.Amount{Bytes: 500, Objects: 5}},
		keystile.StoredCount{Day: today, Bucket: keystile.Bucket{Backend: "main", Name: "quiet"}, Amount: keystile.Amount{Bytes: 7, Objects: 1}},
	)
	all := into[Usage](root.do("GET", "/api/usage", nil).want(200))
	if len(all.Days) != 30 || all.To != today.Format(time.DateOnly) || len(all.Items) != 2 || all.Items[0].Bucket != "uploads" ||
		all.Items[0].BytesIn != 20 || *all.Items[0].StoredBytes != 500 || all.Items[1].Bucket != "quiet" || *all.Items[1].StoredObjects != 1 {
		t.Errorf("all %+v", all)
	}
	last := all.Days[29]
	if last.BytesOut != 20 || last.StoredBytes == nil || *last.StoredBytes != 507 || all.Days[28].StoredBytes != nil || all.Days[28].Writes != 2 {
		t.Errorf("days %+v", all.Days[28:])
	}
	mine := into[Usage](s.as("uma").do("GET", "/api/usage?by=credential", nil).want(200))
	if len(mine.Items) != 1 || mine.Items[0].AccessKeyID != own || mine.Items[0].StoredBytes != nil || mine.Days[28].Writes != 0 || mine.Days[29].StoredBytes != nil {
		t.Errorf("a user sees %+v", mine)
	}
	if others := into[Usage](s.as("uma").do("GET", "/api/usage?by=credential&access_key_id="+foreign, nil).want(200)); len(others.Items) != 0 {
		t.Errorf("a user sees another's %+v", others.Items)
	}
	if none := into[Usage](s.as("rory").do("GET", "/api/usage", nil).want(200)); len(none.Items) != 0 {
		t.Errorf("who owns nothing sees %+v", none.Items)
	}
	if old := into[Usage](root.do("GET", "/api/usage?by=credential&from="+today.AddDate(0, 0, -40).Format(time.DateOnly), nil).want(200)); len(old.Items) != 2 || old.Items[0].Reads+old.Items[1].Reads != 3 {
		t.Errorf("40 days %+v", old.Items)
	}
	for _, query := range []string{"by=weather", "from=yesterday", "from=2026-02-30", "from=2000-01-01", "from=2999-01-01", "until=2026-01-01"} {
		root.do("GET", "/api/usage?"+query, nil).want(422)
		root.do("GET", "/api/usage.csv?"+query, nil).want(422)
	}
}

func TestUsageAsCSV(t *testing.T) {
	s := newSite(t)
	today := keystile.DayOf(s.clock.now())
	for i := range 1100 { // more than a page
		s.meter(keystile.MeterCount{
			Day: today, Bucket: keystile.Bucket{Backend: "main", Name: "bucket-" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)}, Meter: keystile.Meter{Writes: 1},
		})
	}
	s.meter(keystile.MeterCount{Day: today.AddDate(0, 0, -1), Bucket: keystile.Bucket{Backend: "main", Name: "=cmd|' /C calc'!A0"}, Meter: keystile.Meter{Reads: 1}})
	s.hold(keystile.StoredCount{Day: today, Bucket: keystile.Bucket{Backend: "main", Name: "quiet"}, Amount: keystile.Amount{Bytes: 7, Objects: 1}})
	a := s.as("root").do("GET", "/api/usage.csv", nil).want(200)
	rows, err := csv.NewReader(strings.NewReader(string(a.body))).ReadAll()
	must(t, err)
	if len(rows) != 1+1+1100+1 || rows[0][0] != "day" || rows[1][2] != "'=cmd|' /C calc'!A0" || rows[1][6] != "" {
		t.Fatalf("%d rows, the first are %v", len(rows), rows[:2])
	}
	seen, quiet := map[string]bool{}, false
	for _, row := range rows[2:] {
		if seen[row[2]] || row[0] != today.Format(time.DateOnly) {
			t.Errorf("row %v", row)
		}
		seen[row[2]] = true
		quiet = quiet || row[2] == "quiet" && row[6] == "7" && row[7] == "1"
	}
	if !quiet {
		t.Error("a bucket that held something and did nothing is not there")
	}
	if mine := s.as("uma").do("GET", "/api/usage.csv", nil).want(200); strings.Count(string(mine.body), "\n") != 1 {
		t.Errorf("a user gets %s", mine.body)
	}
}

func TestQuotaAlerts(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	const quota = "/api/backends/main/buckets/uploads/quota"
	refused := func(id string) {
		t.Helper()
		must(t, s.store.Write(t.Context(), func(tx store.Tx) error {
			_, err := tx.AddNotice(keystile.Notice{ID: id, Kind: keystile.WebhookHardRefused, Bucket: keystile.Bucket{Backend: "main", Name: "uploads"}, At: s.clock.now(), Message: "full"})
			return err
		}))
	}
	alerts := func() QuotaAlerts { return into[QuotaAlerts](root.do("GET", "/api/quota-alerts", nil).want(200)) }
	root.do("PUT", quota, `{"soft_bytes":8,"hard_bytes":10}`).want(200)
	s.ledger.usage = keystile.Usage{Used: keystile.Amount{Bytes: 8}}
	if a := alerts(); len(a.Soft)+len(a.Refused) != 0 {
		t.Errorf("at the soft cap %+v", a)
	}
	s.ledger.usage = keystile.Usage{Used: keystile.Amount{Bytes: 9}}
	s.clock.pass(time.Minute)
	refused("1")
	if a := alerts(); len(a.Soft) != 1 || a.Soft[0].Bucket != "uploads" || len(a.Refused) != 1 || a.Refused[0].EventID != "1" || a.Refused[0].Message != "full" {
		t.Errorf("beyond %+v", a)
	}
	s.clock.pass(time.Minute)
	root.do("PUT", quota, `{"soft_bytes":80,"hard_bytes":100}`).want(200)
	if a := alerts(); len(a.Soft)+len(a.Refused) != 0 {
		t.Errorf("after the caps were raised %+v", a)
	}
	s.clock.pass(time.Hour)
	refused("2")
	s.clock.pass(25 * time.Hour)
	if a := alerts(); len(a.Refused) != 0 {
		t.Errorf("a day later %+v", a)
	}
}
