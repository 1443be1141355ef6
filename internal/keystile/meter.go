package keystile

import "time"

// Meter counts what S3 requests did, as a provider bills it.
//
// Writes, deletes and BytesIn come from the audit trail: they are those of the
// mutations that the backend carried out. The others are counted in memory and
// written every few seconds.
type Meter struct {
	Reads    int64 // answered, with whatever status a backend gave
	Lists    int64 // likewise
	Writes   int64
	Deletes  int64 // requests, however many keys each names
	Refused  int64 // by the gateway, whatever was asked
	Failed   int64 // mutations that a backend did not carry out, reads that broke off or ended in 5xx
	BytesIn  int64 // of the objects and parts that were written
	BytesOut int64 // of the answers' bodies
}

// Plus adds.
func (m Meter) Plus(o Meter) Meter {
	return Meter{
		m.Reads + o.Reads, m.Lists + o.Lists, m.Writes + o.Writes, m.Deletes + o.Deletes,
		m.Refused + o.Refused, m.Failed + o.Failed, m.BytesIn + o.BytesIn, m.BytesOut + o.BytesOut,
	}
}

// MeterCount is what was counted on one day (UTC) for a bucket and access key.
type MeterCount struct {
	Day         time.Time // its beginning
	Bucket      Bucket    // zero where the request did not get to one
	AccessKeyID string    // empty: nobody was authenticated
	Meter
}

// StoredCount is what a bucket held on a day.
type StoredCount struct {
	Day    time.Time // its beginning
	Bucket Bucket
	Amount
}

// DayOf is the beginning of the UTC day.
func DayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// MetersKept is how long meters are kept.
const MetersKept = 400 * 24 * time.Hour

// What usage can be told by.
const (
	ByBucket     = "bucket"
	ByCredential = "credential"
	ByProject    = "project"
)

// UsageQuery selects meters.
type UsageQuery struct {
	From, To    time.Time // days: From inclusive, To exclusive
	Bucket      Bucket    // zero fields do not filter
	AccessKeyID string
	ProjectID   string
	// Account limits what is found to the credentials that it owns and the projects
	// it is a member of; empty: no limit.
	Account string
}

// UsageKey is what a row of usage is about; fields that are not asked for are
// empty.
type UsageKey struct {
	Bucket      Bucket
	AccessKeyID string
	ProjectID   string
}

// UsageRow is what was counted for something over some days.
type UsageRow struct {
	UsageKey
	Meter
	// Stored is what it held on the last day that is known of each bucket, and
	// StoredByteDays the sum of what it held on each day.
	Stored         Amount
	StoredByteDays int64
	StoredKnown    bool // false: no bucket was counted; always of credentials
}

// UsageDay is what was counted on one day.
type UsageDay struct {
	Day time.Time
	Meter
	Stored      Amount
	StoredKnown bool // false: no bucket was counted
}
