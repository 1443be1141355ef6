package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/keystile"
)

func (h trail) mountViews(r *router, tag string) {
	const path = "/api/audit/views"
	register(r, operation{method: http.MethodGet, path: path, id: "listAuditViews", tag: tag,
		summary: "List the named filters of one's own account"}, h.views)
	register(r, operation{method: http.MethodPut, path: path + "/{view}", id: "saveAuditView", tag: tag,
		summary: "Name a filter of the audit trail", description: "Replaces the one of that name. Only one's own account sees it."}, h.saveView)
	register(r, operation{method: http.MethodDelete, path: path + "/{view}", id: "deleteAuditView", tag: tag,
		summary: "Remove a named filter"}, h.removeView)
}

// AuditView is a named filter of the audit trail.
type AuditView struct {
	Name    string            `json:"name"`
	Filter  map[string]string `json:"filter" doc:"by the names of the query parameters of GET /api/audit; times may say how long ago, as 24h"`
	SavedAt time.Time         `json:"saved_at"`
}

// AuditViewFilter is what a view filters by.
type AuditViewFilter struct {
	Filter map[string]string `json:"filter" doc:"by the names of the query parameters of GET /api/audit; times may say how long ago, as 24h"`
}

// ByView names a view in the path.
type ByView struct {
	Name string `path:"view" maxLength:"256"`
}

func viewOf(v keystile.AuditView) AuditView { return AuditView{v.Name, v.Filter, v.SavedAt} }

func (h trail) views(ctx context.Context, _ *nothing) (*JSON[List[AuditView]], error) {
	views, err := h.audit.Views(ctx, actorOf(ctx))
	return reply(listOf(views, viewOf)), err
}

type saveView struct {
	ByView
	Body AuditViewFilter
}

func (h trail) saveView(ctx context.Context, in *saveView) (*JSON[AuditView], error) {
	view, err := h.audit.SaveView(ctx, actorOf(ctx), in.Name, in.Body.Filter)
	return reply(viewOf(view)), err
}

func (h trail) removeView(ctx context.Context, in *ByView) (*nothing, error) {
	return nil, h.audit.RemoveView(ctx, actorOf(ctx), in.Name)
}
