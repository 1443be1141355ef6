package keystile

import (
	"time"
)

// Result is how an audited act ended.
type Result string

// The results. Unknown is an act whose outcome was never learnt: the process
// died, or the connection to the backend broke, after the act had begun.
const (
	ResultOK      Result = "ok"
	ResultDenied  Result = "denied"
	ResultError   Result = "error"
	ResultUnknown Result = "unknown"
)

// ActionPrefixS3 begins the names of all gateway actions
// ("s3.proxy.putobject"). Elsewhere actions are "<resource>.<verb>".
const ActionPrefixS3 = "s3.proxy."

// CodeQuotaExceeded is the code, of S3 too, of a write that a hard cap refused.
const CodeQuotaExceeded = "QuotaExceeded"

// MaxUserAgentBytes bounds the user agent in an event.
const MaxUserAgentBytes = 256

// Event is one line of the audit trail: who did what to which thing, from
// where, with which result. It never holds a secret, a signature or a query.
type Event struct {
	ID        string // UUIDv7
	Time      time.Time
	Action    string
	Result    Result
	Status    int    // HTTP status given to the client; 0 while open
	Account   string // name of the acting account; of the owner for an S3 request
	Backend   string
	Bucket    string // the real name where it is known, else as claimed
	Key       string
	SourceIP  string
	UserAgent string
	RequestID string
	// Open marks a mutation whose outcome is not recorded yet. Its Result is
	// unknown until Outcome closes it.
	Open   bool
	Detail EventDetail
}

// EventDetail is the part of an event that is stored as JSON.
type EventDetail struct {
	// AccessKeyID as claimed. Authenticated tells whether its signature was
	// verified: a merely claimed id never counts against its owner.
	AccessKeyID   string `json:"access_key_id,omitempty"`
	Authenticated bool   `json:"authenticated"`
	// ClientBucket and ClientKey are the names that the client used, where they
	// are not the real ones.
	ClientBucket string `json:"client_bucket,omitempty"`
	ClientKey    string `json:"client_key,omitempty"`
	Code         string `json:"code,omitempty"` // S3 or API error code
	Message      string `json:"message,omitempty"`
	Bytes        int64  `json:"bytes,omitempty"` // declared or moved
	// Spends is what a write takes of its key's allowance, if that is anything: of an
	// open event what it may take, then what it took.
	Spends     *Spend `json:"spends,omitempty"`
	ETag       string `json:"etag,omitempty"`
	VersionID  string `json:"version_id,omitempty"`
	UploadID   string `json:"upload_id,omitempty"`
	PartNumber int    `json:"part_number,omitempty"`
	CopySource string `json:"copy_source,omitempty"` // BACKEND/BUCKET/KEY
	// CopySourceVersionID is empty where the newest version is copied.
	CopySourceVersionID string   `json:"copy_source_version_id,omitempty"`
	Keys                []string `json:"keys,omitempty"` // of a multi-delete
	// KeyVersionIDs are those of Keys, in the same order, "" for the newest; none
	// if no version was named.
	KeyVersionIDs []string `json:"key_version_ids,omitempty"`
	DeniedKeys    []string `json:"denied_keys,omitempty"`
	FailedKeys    []string `json:"failed_keys,omitempty"`
	Anonymous     bool     `json:"anonymous,omitempty"`
	// Count and LastTime stand in a row that collapses a flood of the same
	// refusal from the same source.
	Count    int64      `json:"count,omitempty"`
	LastTime *time.Time `json:"last_time,omitempty"`
	// Target, TokenID and Changes describe control-plane acts: the thing acted
	// on, the API token used, and the fields that changed, in words.
	Target  string            `json:"target,omitempty"`
	TokenID string            `json:"token_id,omitempty"`
	Changes map[string]string `json:"changes,omitempty"`
}

// Outcome closes an open event.
type Outcome struct {
	EventID string
	Result  Result
	Status  int
	Detail  EventDetail // replaces the intent's
}

// OutboxEntry is what a transaction recorded that the journal does not have yet:
// an event, or an outcome.
type OutboxEntry struct {
	Seq     int64
	Event   *Event
	Outcome *Outcome
}

// Tally adds to a collapsed event's count.
type Tally struct {
	EventID string
	Add     int64
	Last    time.Time
}

// EventFilter selects events. Zero fields do not filter.
type EventFilter struct {
	ActionPrefix string
	AccessKeyID  string
	Account      string
	Backend      string
	Bucket       string
	Key          string
	Result       Result
	RequestID    string
	Since        time.Time // inclusive
	Until        time.Time // exclusive
	// Text selects those with words, in key or detail, that begin with each of its
	// words, in any case. An event that is open has none yet.
	Text string
}

// EventPage asks for a page, newest first.
type EventPage struct {
	Filter EventFilter
	Limit  int    // 1 to 1000
	Cursor string // from the page before; empty for the first
}
