package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// traffic serves what was counted.
type traffic struct {
	traffic  *control.Traffic
	backends *control.Backends
}

func (h traffic) mount(r *router) {
	register(r, operation{method: http.MethodGet, path: "/api/overview", id: "getOverview", tag: "Overview",
		summary:     "Requests, busiest credentials and the health of backends",
		description: "Counters are a few seconds old. The last hour is the current one, which is not over."}, h.overview)
	register(r, operation{method: http.MethodGet, path: "/api/credentials/{access_key_id}/traffic", id: "getCredentialTraffic", tag: "Credentials",
		summary:     "Tell what a credential did lately",
		description: "Requests whose signature was verified; a claimed access key counts for nobody. Counters are a few seconds old."}, h.credential)
	register(r, operation{method: http.MethodGet, path: "/api/backends/{backend}/health", id: "getBackendHealth", tag: "Backends",
		summary:     "List what was seen of a backend, oldest first",
		description: "Every change between healthy and not, else a look about every five minutes. Where none follows for longer, nobody was looking."}, h.health)
}

// Traffic counts S3 requests.
type Traffic struct {
	Requests int64 `json:"requests"`
	Reads    int64 `json:"reads" doc:"by what was asked, however it ended"`
	Writes   int64 `json:"writes" doc:"likewise; deletes among them"`
	Errors   int64 `json:"errors" doc:"of the backend or the gateway (5xx, broken off)"`
	Refusals int64 `json:"refusals" doc:"by the gateway; not among the errors"`
	BytesIn  int64 `json:"bytes_in" doc:"of request bodies"`
	BytesOut int64 `json:"bytes_out" doc:"of answers' bodies"`
}

// TrafficHour is what was counted in an hour.
type TrafficHour struct {
	Hour time.Time `json:"hour" doc:"its beginning"`
	Traffic
}

// Overview is the state of everything.
type Overview struct {
	Since    time.Time        `json:"since" doc:"the beginning of the first hour"`
	Hours    []TrafficHour    `json:"hours" doc:"every hour of the span, oldest first"`
	Totals   Traffic          `json:"totals" doc:"sum of the hours; requests of nobody who was authenticated are among them"`
	Busiest  []BusyCredential `json:"busiest" doc:"up to 10 credentials with the most requests in these hours"`
	Backends []BackendState   `json:"backends"`
}

// BusyCredential is a credential with what it did.
type BusyCredential struct {
	AccessKeyID string `json:"access_key_id"`
	Description string `json:"description"`
	Owner       string `json:"owner,omitempty" doc:"account name; absent: no owner; (deleted): gone"`
	Traffic
}

// BackendState is a backend's health now and over a day.
type BackendState struct {
	ID string `json:"id"`
	Health
	Uptime24h *float64 `json:"uptime_24h,omitempty" doc:"share, 0 to 1, of the last 24 hours in which it was healthy, as far as they are known; absent: nothing is known"`
}

// CredentialTraffic is what a credential did lately.
type CredentialTraffic struct {
	LastHour Traffic       `json:"last_hour" doc:"the current minute and the 59 before it"`
	Last24h  Traffic       `json:"last_24h" doc:"the current hour and the 23 before it"`
	Hours    []TrafficHour `json:"hours" doc:"those 24 hours, oldest first"`
}

// HealthSample is one look at a backend.
type HealthSample struct {
	At        time.Time `json:"at"`
	Healthy   bool      `json:"healthy"`
	LatencyMS float64   `json:"latency_ms"`
	Message   string    `json:"message,omitempty"`
}

func hourView(h keystile.TrafficHour) TrafficHour { return TrafficHour{h.Hour, Traffic(h.Traffic)} }

func hourViews(hours []keystile.TrafficHour) []TrafficHour { return listOf(hours, hourView).Items }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func stateView(b control.BackendState) BackendState {
	view := BackendState{ID: b.BackendID, Health: healthView(b.Health)}
	if b.Known > 0 {
		view.Uptime24h = &b.Uptime
	}
	return view
}

func (h traffic) overview(ctx context.Context, in *struct {
	Hours int `query:"hours" minimum:"1" maximum:"840" default:"24" doc:"how many, the current one among them"`
}) (*JSON[Overview], error) {
	o, err := h.traffic.Overview(ctx, actorOf(ctx), in.Hours)
	return reply(Overview{
		Since: o.Since, Hours: hourViews(o.Hours), Totals: Traffic(o.Totals),
		Busiest: listOf(o.Busiest, func(c control.BusyCredential) BusyCredential {
			return BusyCredential{c.AccessKeyID, c.Description, c.OwnerName, Traffic(c.Traffic)}
		}).Items,
		Backends: listOf(o.Backends, stateView).Items,
	}), err
}

func (h traffic) credential(ctx context.Context, in *ByAccessKey) (*JSON[CredentialTraffic], error) {
	c, err := h.traffic.OfCredential(ctx, actorOf(ctx), in.AccessKeyID)
	return reply(CredentialTraffic{Traffic(c.LastHour), Traffic(c.LastDay), hourViews(c.Hours)}), err
}

func (h traffic) health(ctx context.Context, in *struct {
	ByBackend
	Hours int `query:"hours" minimum:"1" maximum:"168" default:"24"`
}) (*JSON[List[HealthSample]], error) {
	samples, err := h.backends.History(ctx, actorOf(ctx), in.Backend, in.Hours)
	return reply(listOf(samples, func(s keystile.HealthSample) HealthSample {
		return HealthSample{s.At, s.Healthy, milliseconds(s.Latency), s.Message}
	})), err
}
