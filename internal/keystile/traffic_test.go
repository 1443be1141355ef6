package keystile

import (
	"testing"
	"time"
)

func TestServedIsCountedOnce(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   Served
		want Traffic
	}{
		{"a read", Served{Class: "read", Status: 200, In: 1, Out: 20}, Traffic{Requests: 1, Reads: 1, BytesIn: 1, BytesOut: 20}},
		{"a write", Served{Class: "write", Status: 200, In: 9}, Traffic{Requests: 1, Writes: 1, BytesIn: 9}},
		{"a delete is a write", Served{Class: "delete", Status: 204}, Traffic{Requests: 1, Writes: 1}},
		{"bucket administration is neither", Served{Class: "admin", Status: 403, Refused: true}, Traffic{Requests: 1, Refusals: 1}},
		{"what nobody understood", Served{Status: 400, Refused: true}, Traffic{Requests: 1, Refusals: 1}},
		{"the backend's 403 is no refusal of ours", Served{Class: "read", Status: 403}, Traffic{Requests: 1, Reads: 1}},
		{"the backend's 404 is no error", Served{Class: "read", Status: 404}, Traffic{Requests: 1, Reads: 1}},
		{"a 502 is an error", Served{Class: "read", Status: 502}, Traffic{Requests: 1, Reads: 1, Errors: 1}},
		{"our 503 for too many is a refusal", Served{Class: "read", Status: 503, Refused: true}, Traffic{Requests: 1, Reads: 1, Refusals: 1}},
		{"an answer that broke off is an error", Served{Class: "read", Status: 200, Broken: true, Out: 7}, Traffic{Requests: 1, Reads: 1, Errors: 1, BytesOut: 7}},
		{"a client that left is neither", Served{Class: "write"}, Traffic{Requests: 1, Writes: 1}},
		{"an unknown length counts nothing", Served{Class: "write", Status: 200, In: -1, Out: -1}, Traffic{Requests: 1, Writes: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.in.Traffic(); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestUptime(t *testing.T) {
	day := time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	at := func(d time.Duration, healthy bool) HealthSample {
		return HealthSample{At: day.Add(d), Healthy: healthy}
	}
	every := func(from, to time.Duration, healthy bool) (list []HealthSample) {
		for d := from; d < to; d += HealthSampleEvery {
			list = append(list, at(d, healthy))
		}
		return list
	}
	for _, tt := range []struct {
		name    string
		samples []HealthSample
		share   float64
		known   time.Duration
	}{
		{"nothing was seen", nil, 0, 0},
		{"all was well", every(0, time.Hour, true), 1, time.Hour},
		{"nothing was well", every(0, time.Hour, false), 0, time.Hour},
		{"a quarter was not", append(every(0, 45*time.Minute, true), every(45*time.Minute, time.Hour, false)...), 0.75, time.Hour},
		{"a short trouble counts as long as it was", append(every(0, 30*time.Minute, true),
			append([]HealthSample{at(30*time.Minute, false)}, every(36*time.Minute, time.Hour, true)...)...), 0.9, time.Hour},
		{"nobody looked for most of it", []HealthSample{at(0, true), at(50*time.Minute, false)}, 0.5, 2 * HealthHolds},
		{"what was seen before holds on", []HealthSample{at(-time.Minute, true)}, 1, HealthHolds - time.Minute},
		{"what was seen long before does not", []HealthSample{at(-time.Hour, true)}, 0, 0},
		{"what comes after is not counted", []HealthSample{at(2*time.Hour, true)}, 0, 0},
		{"the last one reaches to the end only", []HealthSample{at(59*time.Minute, true)}, 1, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			share, known := Uptime(tt.samples, day, day.Add(time.Hour))
			if share != tt.share || known != tt.known {
				t.Errorf("%v of %v, want %v of %v", share, known, tt.share, tt.known)
			}
		})
	}
}
