package keystile

import "time"

// EventCounts are how many events lie in spans of time of the same length.
type EventCounts struct {
	From   time.Time // where the first span begins
	Step   time.Duration
	Counts []EventCount // of spans that have events, oldest first
	// Complete: all events of the filter were counted. Otherwise the newest were,
	// and none that is older than Since.
	Complete bool
	Since    time.Time
}

// EventCount is how many events of one result lie in one span.
type EventCount struct {
	Span   int // 0 is the first
	Result Result
	Events int64
}
