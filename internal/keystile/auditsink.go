package keystile

import "time"

// AuditSink is how it stands with a place that the audit journal is shipped to.
type AuditSink struct {
	Name     string
	Kind     string // syslog, webhook, file or s3
	Target   string // where that is, in words that hold no secret
	Records  bool   // it gets records
	Anchors  bool   // it gets anchors
	Position uint64 // number of the last record that it took; 0 before the first
	Lag      uint64 // durable records that it has not got
	Anchored uint64 // the record of the last anchor that it took; 0 before the first
	// SentAt is when it last took something; zero: not since the start.
	SentAt time.Time
	// Failing says why it takes nothing now, and Since from when on; empty: it does.
	Failing string
	Since   time.Time
}
