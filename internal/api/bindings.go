package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// bindings serves anonymous bindings.
type bindings struct {
	bindings *control.Bindings
	server   Server
}

func (h bindings) mount(r *router) {
	const tag = "Anonymous bindings"
	register(r, operation{method: http.MethodGet, path: "/api/anonymous-bindings", id: "listBindings", tag: tag,
		summary: "List what is open to unsigned reads"}, h.list)
	register(r, operation{method: http.MethodPost, path: "/api/anonymous-bindings", id: "createBinding", tag: tag,
		summary: "Open a bucket or prefix to unsigned reads", status: http.StatusCreated,
		description: "The prefix filters, it does not hide."}, h.create)
	register(r, operation{method: http.MethodDelete, path: "/api/anonymous-bindings/{name}", id: "removeBinding", tag: tag,
		summary: "Close an anonymous binding"}, h.remove)
}

// Binding is a bucket or prefix that is open to unsigned reads.
type Binding struct {
	Name          string    `json:"name" doc:"the bucket name that anonymous clients use"`
	Backend       string    `json:"backend"`
	Bucket        string    `json:"bucket"`
	Prefix        string    `json:"prefix,omitempty"`
	Mode          string    `json:"mode" enum:"read,read-list"`
	RatePerSecond float64   `json:"rate_per_second" doc:"requests per second and source address; 0: the server's default"`
	IndexDocument string    `json:"index_document,omitempty" doc:"the object that a read of a folder, or of the bucket itself, stands for" example:"index.html"`
	URL           string    `json:"url"`
	CreatedBy     string    `json:"created_by" doc:"account name; (deleted): gone"`
	CreatedAt     time.Time `json:"created_at"`
}

// BindingList is all open bindings.
type BindingList struct {
	Items   []Binding `json:"items"`
	Enabled bool      `json:"enabled" doc:"false: the configuration switches anonymous reads off"`
}

// NewBinding is what is chosen of an anonymous binding.
type NewBinding struct {
	Backend       string  `json:"backend"`
	Bucket        string  `json:"bucket"`
	Prefix        string  `json:"prefix,omitempty"`
	Name          string  `json:"name,omitempty" doc:"absent: the bucket's"`
	Mode          string  `json:"mode,omitempty" enum:"read,read-list" default:"read"`
	RatePerSecond float64 `json:"rate_per_second,omitempty" doc:"requests per second and source address; 0: the server's default"`
	IndexDocument string  `json:"index_document,omitempty" doc:"the object that a read of a folder, or of the bucket itself, stands for" example:"index.html"`
}

func (h bindings) view(b control.BindingInfo) Binding {
	return Binding{
		Name: b.Name, Backend: b.Bucket.Backend, Bucket: b.Bucket.Name, Prefix: b.Prefix, Mode: string(b.Mode),
		RatePerSecond: b.RatePerSecond, IndexDocument: b.IndexDocument, URL: strings.TrimSuffix(h.server.S3Endpoint, "/") + "/" + b.Name,
		CreatedBy: b.CreatedByName, CreatedAt: b.CreatedAt,
	}
}

func (h bindings) list(ctx context.Context, _ *nothing) (*JSON[BindingList], error) {
	list, err := h.bindings.List(ctx, actorOf(ctx))
	return reply(BindingList{listOf(list, h.view).Items, h.server.AnonymousEnabled}), err
}

func (h bindings) create(ctx context.Context, in *JSON[NewBinding]) (*JSON[Binding], error) {
	made, err := h.bindings.Create(ctx, actorOf(ctx), control.NewBinding{
		Name: in.Body.Name, Bucket: keystile.Bucket{Backend: in.Body.Backend, Name: in.Body.Bucket}, Prefix: in.Body.Prefix,
		Mode: keystile.BindingMode(in.Body.Mode), RatePerSecond: in.Body.RatePerSecond, IndexDocument: in.Body.IndexDocument,
	})
	return reply(h.view(made)), err
}

func (h bindings) remove(ctx context.Context, in *ByName) (*nothing, error) {
	return nil, h.bindings.Remove(ctx, actorOf(ctx), in.Name)
}
