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
}

// server serves facts of the installation.
type server struct{ facts Server }

func (h server) mount(r *router) {
	register(r, operation{method: http.MethodGet, path: "/api/server", id: "getServer", tag: "Server",
		summary: "Where things are"}, h.get)
}

func (h server) get(context.Context, *nothing) (*JSON[Server], error) { return reply(h.facts), nil }
