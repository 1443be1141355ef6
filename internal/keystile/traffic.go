package keystile

import "time"

// Served is an S3 request that has ended, as those see it who count.
type Served struct {
	Ended time.Time
	// AccessKeyID is empty unless the signature was verified: a merely claimed
	// id never counts against its owner.
	AccessKeyID string
	Backend     string // empty where the request did not get as far as to name one
	Bucket      string // its name at the backend; empty unless the request was let through to it
	Operation   string // a name of the operation table, or "unknown"
	Class       string // of the operation: read, write, delete or admin; else empty
	Status      int    // given to the client; 0: none
	// Refused: it was the gateway that said no, not the backend.
	Refused bool
	// Limit is the name of the limit that it went beyond; empty: none.
	Limit string
	// Broken: the answer had begun and broke off, through no doing of the client.
	Broken  bool
	Took    time.Duration
	In, Out int64 // bytes of the bodies
}

// Traffic counts S3 requests.
type Traffic struct {
	Requests int64
	Reads    int64 // by what was asked, however it ended
	Writes   int64 // likewise; deletes among them
	Errors   int64 // 5xx of the backend or the gateway, and answers that broke off
	Refusals int64 // by the gateway: they are not among the errors
	BytesIn  int64
	BytesOut int64
}

// Traffic is the request as counters.
func (s Served) Traffic() Traffic {
	t := Traffic{Requests: 1, BytesIn: max(s.In, 0), BytesOut: max(s.Out, 0)}
	switch s.Class {
	case "read":
		t.Reads = 1
	case "write", "delete":
		t.Writes = 1
	}
	switch {
	case s.Refused:
		t.Refusals = 1
	case s.Broken || s.Status >= 500:
		t.Errors = 1
	}
	return t
}

// Add adds another's counts.
func (t *Traffic) Add(o Traffic) {
	t.Requests += o.Requests
	t.Reads += o.Reads
	t.Writes += o.Writes
	t.Errors += o.Errors
	t.Refusals += o.Refusals
	t.BytesIn += o.BytesIn
	t.BytesOut += o.BytesOut
}

// TrafficCount is what was counted at one time.
type TrafficCount struct {
	At          time.Time // kept to the minute and the hour
	AccessKeyID string    // empty: nobody was authenticated
	Backend     string
	Traffic
}

// TrafficHour is an hour's sum.
type TrafficHour struct {
	Hour time.Time // its beginning
	Traffic
}

// CredentialTraffic is a credential's sum over some span.
type CredentialTraffic struct {
	AccessKeyID string
	Traffic
}

// How long counters are kept.
const (
	TrafficHoursKept   = 35 * 24 * time.Hour
	TrafficMinutesKept = 2 * time.Hour
)

// HealthSample is one look at a backend that was kept.
type HealthSample struct {
	BackendID string
	At        time.Time
	Healthy   bool
	Latency   time.Duration // kept to the microsecond
	Message   string
}

// Samples of a backend's health are kept on every change, else at most once in
// HealthSampleEvery.
const (
	HealthSampleEvery = 5 * time.Minute
	HealthKept        = 7 * 24 * time.Hour
	// HealthHolds is how long a sample says how the backend is when no other
	// follows: nobody was looking after that. It allows for a late check.
	HealthHolds = HealthSampleEvery + 2*time.Minute
)

// Uptime is the share, 0 to 1, of the known time between from and to in which a
// backend was healthy, by samples in order of time. Known is how much of the
// time that is; 0 when nothing is known.
func Uptime(samples []HealthSample, from, to time.Time) (share float64, known time.Duration) {
	var healthy time.Duration
	for i, s := range samples {
		end := s.At.Add(HealthHolds)
		if i+1 < len(samples) && samples[i+1].At.Before(end) {
			end = samples[i+1].At
		}
		begin := s.At
		if begin.Before(from) {
			begin = from
		}
		if end.After(to) {
			end = to
		}
		if !end.After(begin) {
			continue
		}
		known += end.Sub(begin)
		if s.Healthy {
			healthy += end.Sub(begin)
		}
	}
	if known == 0 {
		return 0, 0
	}
	return float64(healthy) / float64(known), known
}
