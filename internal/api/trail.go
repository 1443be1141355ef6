package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// trail serves the audit trail.
type trail struct {
	audit   *control.Audit
	version string // of the server
}

func (h trail) mount(r *router) {
	const tag = "Audit"
	register(r, operation{method: http.MethodGet, path: "/api/audit", id: "listEvents", tag: tag,
		summary: "Read the audit trail, newest first"}, h.list)
	h.mountExport(r, tag)
	h.mountLines(r, tag)
	h.mountChain(r, tag)
	h.mountTail(r, tag)
	h.mountCount(r, tag)
	h.mountViews(r, tag)
	h.mountSampling(r, tag)
	register(r, operation{method: http.MethodGet, path: "/api/audit/{id}", id: "getEvent", tag: tag,
		summary: "Show one event"}, h.get)
}

// Event is one line of the audit trail.
type Event struct {
	ID         string               `json:"id"`
	Time       time.Time            `json:"time"`
	Action     string               `json:"action"`
	Result     string               `json:"result" enum:"ok,denied,error,unknown"`
	Status     int                  `json:"status" doc:"HTTP status given to the client; 0 while in progress"`
	Account    string               `json:"account,omitempty"`
	Backend    string               `json:"backend,omitempty"`
	Bucket     string               `json:"bucket,omitempty"`
	Key        string               `json:"key,omitempty"`
	SourceIP   string               `json:"source_ip,omitempty"`
	UserAgent  string               `json:"user_agent,omitempty"`
	RequestID  string               `json:"request_id"`
	InProgress bool                 `json:"in_progress,omitempty" doc:"its outcome is not recorded yet"`
	Detail     keystile.EventDetail `json:"detail"`
}

func eventView(e keystile.Event) Event {
	return Event{
		ID: e.ID, Time: e.Time, Action: e.Action, Result: string(e.Result), Status: e.Status, Account: e.Account,
		Backend: e.Backend, Bucket: e.Bucket, Key: e.Key, SourceIP: e.SourceIP, UserAgent: e.UserAgent,
		RequestID: e.RequestID, InProgress: e.Open, Detail: e.Detail,
	}
}

// EventSelection selects events.
type EventSelection struct {
	Action      string    `query:"action" doc:"how the action begins, such as s3.proxy."`
	AccessKeyID string    `query:"access_key_id"`
	Account     string    `query:"account"`
	Backend     string    `query:"backend"`
	Bucket      string    `query:"bucket"`
	Key         string    `query:"key"`
	Result      string    `query:"result" enum:"ok,denied,error,unknown"`
	RequestID   string    `query:"request_id"`
	Since       time.Time `query:"since" doc:"inclusive"`
	Until       time.Time `query:"until" doc:"exclusive"`
	Text        string    `query:"q" maxLength:"256" doc:"words that key or detail have, or that words in them begin with; in any case, in any order. What is in progress is not found yet"`
}

func (q EventSelection) filter() keystile.EventFilter {
	return keystile.EventFilter{
		ActionPrefix: q.Action, AccessKeyID: q.AccessKeyID, Account: q.Account, Backend: q.Backend, Bucket: q.Bucket,
		Key: q.Key, Result: keystile.Result(q.Result), RequestID: q.RequestID, Since: q.Since, Until: q.Until, Text: q.Text,
	}
}

// eventQuery asks for a page.
type eventQuery struct {
	EventSelection
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor string `query:"cursor"`
}

func (q *eventQuery) page() keystile.EventPage {
	return keystile.EventPage{Limit: q.Limit, Cursor: q.Cursor, Filter: q.filter()}
}

func (h trail) list(ctx context.Context, in *eventQuery) (*JSON[List[Event]], error) {
	events, next, err := h.audit.List(ctx, actorOf(ctx), in.page())
	list := listOf(events, eventView)
	list.NextCursor = next
	return reply(list), err
}

func (h trail) get(ctx context.Context, in *ByID) (*JSON[Event], error) {
	event, err := h.audit.Get(ctx, actorOf(ctx), in.ID)
	return reply(eventView(event)), err
}
