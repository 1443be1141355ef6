package client

import (
	"context"
	"net/http"
	"time"
)

// AuditView is a filter of the audit trail that the account has named for itself.
type AuditView struct {
	Name    string            `json:"name"`
	Filter  map[string]string `json:"filter"` // by the query parameters of GET /api/audit; times may say how long ago ("24h")
	SavedAt time.Time         `json:"saved_at"`
}

// AuditViews lists the account's own views, by name.
func (c *Client) AuditViews(ctx context.Context) ([]AuditView, error) {
	return items[AuditView](ctx, c, at("audit", "views"))
}

// SaveAuditView names a filter, or gives a name another one.
func (c *Client) SaveAuditView(ctx context.Context, name string, filter map[string]string) (AuditView, error) {
	var saved AuditView
	in := struct {
		Filter map[string]string `json:"filter"`
	}{filter}
	return saved, c.call(ctx, http.MethodPut, at("audit", "views", name), nil, in, &saved)
}

// DeleteAuditView removes a view.
func (c *Client) DeleteAuditView(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, at("audit", "views", name), nil, nil, nil)
}
