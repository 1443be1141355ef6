package api

import (
	"context"
	"net/http"
)

// Server is what any signed-in account may know of the server.
type Server struct {
	Version          string `json:"version"`
	S3Endpoint       string `json:"s3_endpoint" doc:"where S3 clients go"`
	DashboardURL     string `json:"dashboard_url"`
	Region           string `json:"region" doc:"the region that S3 clients sign for"`
	AnonymousEnabled bool   `json:"anonymous_enabled" doc:"false: the configuration switches anonymous reads off"`
	AuditJournal     string `json:"audit_journal" enum:"recording,full,failing" doc:"whether the audit journal can be written; while it cannot, changes are refused"`
}

// server serves facts of the installation.
type server struct {
	facts   Server
	journal func() string // nil: it is always written
}

func (h server) mount(r *router) {
	register(r, operation{method: http.MethodGet, path: "/api/server", id: "getServer", tag: "Server",
		summary: "Where things are"}, h.get)
}

func (h server) get(context.Context, *nothing) (*JSON[Server], error) {
	now := h.facts
	now.AuditJournal = "recording"
	if h.journal != nil {
		now.AuditJournal = h.journal()
	}
	return reply(now), nil
}
