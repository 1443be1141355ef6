package client

import (
	"context"
	"net/http"
	"time"
)

// Project groups accounts with what they share. Access is what the own account
// may do in it.
type Project struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Access    string     `json:"access"`
	Owners    []string   `json:"owners"`
	Members   int        `json:"members"`
	CreatedAt *time.Time `json:"created_at,omitempty"`
	UpdatedAt *time.Time `json:"updated_at,omitempty"`
}

// Member is an account in a project.
type Member struct {
	Account       string     `json:"account"`
	AccountRole   string     `json:"account_role"`
	AccountStatus string     `json:"account_status"`
	Role          string     `json:"role"`
	Permissions   []string   `json:"permissions"`
	Access        string     `json:"access"`
	AddedAt       *time.Time `json:"added_at,omitempty"`
}

// NewProject asks for a project; without an owner the own account is it.
type NewProject struct {
	Name  string `json:"name"`
	Owner string `json:"owner,omitempty"`
}

// NewMember says who becomes what.
type NewMember struct {
	Account     string   `json:"account"`
	Role        string   `json:"role"`
	Permissions []string `json:"permissions,omitempty"`
}

// MemberEdit changes what is not nil.
type MemberEdit struct {
	Role        *string   `json:"role,omitempty"`
	Permissions *[]string `json:"permissions,omitempty"`
}

// CreateProject makes one.
func (c *Client) CreateProject(ctx context.Context, in NewProject) (Project, error) {
	var out Project
	return out, c.call(ctx, http.MethodPost, at("projects"), nil, in, &out)
}

// Projects lists those the own account may see.
func (c *Client) Projects(ctx context.Context) ([]Project, error) {
	return items[Project](ctx, c, at("projects"))
}

// Project returns one.
func (c *Client) Project(ctx context.Context, id string) (Project, error) {
	var out Project
	return out, c.call(ctx, http.MethodGet, at("projects", id), nil, nil, &out)
}

// RenameProject gives one another name.
func (c *Client) RenameProject(ctx context.Context, id, name string) (Project, error) {
	var out Project
	return out, c.call(ctx, http.MethodPatch, at("projects", id), nil, map[string]string{"name": name}, &out)
}

// DeleteProject removes one; the API tokens that are bound to it end.
func (c *Client) DeleteProject(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, at("projects", id), nil, nil, nil)
}

// Members lists those of a project.
func (c *Client) Members(ctx context.Context, projectID string) ([]Member, error) {
	return items[Member](ctx, c, at("projects", projectID, "members"))
}

// AddMember makes an account a member.
func (c *Client) AddMember(ctx context.Context, projectID string, in NewMember) (Member, error) {
	var out Member
	return out, c.call(ctx, http.MethodPost, at("projects", projectID, "members"), nil, in, &out)
}

// EditMember changes one.
func (c *Client) EditMember(ctx context.Context, projectID, account string, e MemberEdit) (Member, error) {
	var out Member
	return out, c.call(ctx, http.MethodPatch, at("projects", projectID, "members", account), nil, e, &out)
}

// RemoveMember takes an account out of a project.
func (c *Client) RemoveMember(ctx context.Context, projectID, account string) error {
	return c.call(ctx, http.MethodDelete, at("projects", projectID, "members", account), nil, nil, nil)
}
