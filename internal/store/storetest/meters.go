package storetest

import (
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

var today = keystile.DayOf(noon)

func meterOf(days int, bucket, key string, m keystile.Meter) keystile.MeterCount {
	return keystile.MeterCount{Day: today.AddDate(0, 0, days), Bucket: keystile.Bucket{Backend: "main", Name: bucket}, AccessKeyID: key, Meter: m}
}

func addMeters(t *testing.T, s store.Store, counts ...keystile.MeterCount) {
	t.Helper()
	write(t, s, func(tx store.Tx) error { return tx.AddMeters(counts) })
}

func week() keystile.UsageQuery {
	return keystile.UsageQuery{From: today.AddDate(0, 0, -6), To: today.AddDate(0, 0, 1)}
}

func usageBy(by string, q keystile.UsageQuery) func(store.Tx) ([]keystile.UsageRow, error) {
	return func(tx store.Tx) ([]keystile.UsageRow, error) { return tx.Meters(by, q, nil, 100) }
}

func storedBy(by string, q keystile.UsageQuery) func(store.Tx) ([]keystile.UsageRow, error) {
	return func(tx store.Tx) ([]keystile.UsageRow, error) { return tx.Stored(by, q) }
}

func rowOf(bucket, key, project string, m keystile.Meter) keystile.UsageRow {
	r := keystile.UsageRow{UsageKey: keystile.UsageKey{AccessKeyID: key, ProjectID: project}, Meter: m}
	if bucket != "" {
		r.Bucket = keystile.Bucket{Backend: "main", Name: bucket}
	}
	return r
}

func testMeters(t *testing.T, open Open) {
	every := keystile.Meter{Reads: 1, Lists: 2, Writes: 3, Deletes: 4, Refused: 5, Failed: 6, BytesIn: 7, BytesOut: 8}
	twice := every.Plus(every)
	proveAll(t, open, []promise{
		{"counts add up, by bucket and by credential", func(t *testing.T, a, b store.Store) {
			addMeters(t, a, meterOf(0, "one", "AK1", every), meterOf(-1, "one", "AK2", every), meterOf(0, "two", "AK1", every))
			addMeters(t, b, meterOf(0, "two", "AK1", every), meterOf(-7, "one", "AK1", every), meterOf(1, "one", "AK1", every))
			wantEqual(t, got(t, a, usageBy(keystile.ByBucket, week())), []keystile.UsageRow{rowOf("one", "", "", twice), rowOf("two", "", "", twice)})
			wantEqual(t, got(t, a, usageBy(keystile.ByCredential, week())), []keystile.UsageRow{rowOf("", "AK1", "", twice.Plus(every)), rowOf("", "AK2", "", every)})
			days := got(t, b, func(tx store.Tx) ([]keystile.UsageDay, error) { return tx.MeterDays(week()) })
			wantEqual(t, days, []keystile.UsageDay{{Day: today.AddDate(0, 0, -1), Meter: every}, {Day: today, Meter: twice.Plus(every)}})
		}},
		{"filters hold, and pages follow one another", func(t *testing.T, a, b store.Store) {
			addMeters(t, a, meterOf(0, "one", "AK1", every), meterOf(0, "one", "AK2", every), meterOf(0, "two", "AK1", every))
			q := week()
			q.Bucket, q.AccessKeyID = keystile.Bucket{Backend: "main", Name: "one"}, "AK1"
			wantEqual(t, got(t, b, usageBy(keystile.ByBucket, q)), []keystile.UsageRow{rowOf("one", "", "", every)})
			next := got(t, b, func(tx store.Tx) ([]keystile.UsageRow, error) {
				return tx.Meters(keystile.ByBucket, week(), &keystile.UsageKey{Bucket: keystile.Bucket{Backend: "main", Name: "one"}}, 1)
			})
			wantEqual(t, next, []keystile.UsageRow{rowOf("two", "", "", every)})
		}},
		{"the largest come first", func(t *testing.T, a, b store.Store) {
			moved := func(in, out int64) keystile.Meter { return keystile.Meter{Writes: 1, BytesIn: in, BytesOut: out} }
			addMeters(t, a, meterOf(0, "a", "AK1", moved(1, 1)), meterOf(0, "b", "AK1", moved(0, 9)), meterOf(0, "c", "AK1", moved(4, 0)), meterOf(-1, "c", "AK2", moved(4, 0)), meterOf(0, "d", "AK1", moved(2, 0)))
			largest := got(t, b, func(tx store.Tx) ([]keystile.UsageRow, error) { return tx.LargestMeters(keystile.ByBucket, week(), 3) })
			wantEqual(t, largest, []keystile.UsageRow{rowOf("b", "", "", moved(0, 9)), rowOf("c", "", "", moved(4, 0).Plus(moved(4, 0))), rowOf("a", "", "", moved(1, 1))})
		}},
		{"an RGW user's requests are its project's, also when it is gone", func(t *testing.T, a, b store.Store) {
			user := rgwUser("u1")
			createRGWUser(t, a, user)
			addMeters(t, a, meterOf(0, "one", user.AccessKeyID, every), meterOf(0, "one", "AK1", every))
			wantEqual(t, got(t, b, usageBy(keystile.ByProject, week())), []keystile.UsageRow{rowOf("", "", "", every), rowOf("", "", user.ProjectID, every)})
			user.DeletedAt = noon
			write(t, a, func(tx store.Tx) error { return tx.UpdateRGWUser(user) })
			addMeters(t, a, meterOf(0, "one", user.AccessKeyID, every))
			wantEqual(t, got(t, b, usageBy(keystile.ByProject, week())), []keystile.UsageRow{rowOf("", "", "", every), rowOf("", "", user.ProjectID, twice)})
		}},
		{"an account sees its own credentials and its projects, and nobody's else", func(t *testing.T, a, b store.Store) {
			createAccounts(t, a, "uma", "otto")
			own, foreign := credential("AKIAOWN"), credential("AKIAFOREIGN")
			own.Owner, foreign.Owner = "id-uma", "id-otto"
			createCredentials(t, a, own, foreign)
			addMeters(t, a, meterOf(0, "one", "AKIAOWN", every), meterOf(0, "one", "AKIAFOREIGN", every), meterOf(0, "two", "", every))
			q := week()
			q.Account = own.Owner
			wantEqual(t, got(t, b, usageBy(keystile.ByBucket, q)), []keystile.UsageRow{rowOf("one", "", "", every)})
			wantEqual(t, got(t, b, usageBy(keystile.ByCredential, q)), []keystile.UsageRow{rowOf("", "AKIAOWN", "", every)})
			write(t, a, func(tx store.Tx) error {
				return tx.SaveStored([]keystile.StoredCount{{Day: today, Bucket: keystile.Bucket{Backend: "main", Name: "one"}, Amount: keystile.Amount{Bytes: 9}}})
			})
			wantEqual(t, len(got(t, b, storedBy(keystile.ByBucket, q))), 0)
		}},
		{"the last of a day stands for what a bucket held, the last day for a span", func(t *testing.T, a, b store.Store) {
			one := keystile.Bucket{Backend: "main", Name: "one"}
			for _, c := range []keystile.StoredCount{
				{Day: today.AddDate(0, 0, -1), Bucket: one, Amount: keystile.Amount{Bytes: 10, Objects: 1}},
				{Day: after(time.Hour), Bucket: one, Amount: keystile.Amount{Bytes: 99, Objects: 9}},
				{Day: noon, Bucket: one, Amount: keystile.Amount{Bytes: 30, Objects: 3}},
				{Day: today.AddDate(0, 0, -8), Bucket: one, Amount: keystile.Amount{Bytes: 1000, Objects: 100}},
			} {
				write(t, a, func(tx store.Tx) error { return tx.SaveStored([]keystile.StoredCount{c}) })
			}
			want := rowOf("one", "", "", keystile.Meter{})
			want.Stored, want.StoredByteDays, want.StoredKnown = keystile.Amount{Bytes: 30, Objects: 3}, 40, true
			wantEqual(t, got(t, b, storedBy(keystile.ByBucket, week())), []keystile.UsageRow{want})
			days := got(t, b, func(tx store.Tx) ([]keystile.UsageDay, error) { return tx.StoredDays(week()) })
			wantEqual(t, days[1], keystile.UsageDay{Day: today, Stored: keystile.Amount{Bytes: 30, Objects: 3}, StoredKnown: true})
			wantEqual(t, len(days), 2)
			write(t, a, func(tx store.Tx) error { return tx.DeleteMeters(today) })
			wantEqual(t, len(got(t, b, func(tx store.Tx) ([]keystile.UsageDay, error) { return tx.StoredDays(week()) })), 1)
		}},
	})
}
