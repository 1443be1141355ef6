package client

import (
	"context"
	"net/http"
	"time"
)

// Account is a person. Password is there once, where the server made it.
type Account struct {
	Name       string     `json:"name"`
	Role       string     `json:"role"`
	Status     string     `json:"status"`
	Password   string     `json:"password,omitempty"`
	CreatedAt  *time.Time `json:"created_at,omitempty"`
	UpdatedAt  *time.Time `json:"updated_at,omitempty"`
	DisabledAt *time.Time `json:"disabled_at,omitempty"`
}

// NewAccount asks for an account; without a password the server makes one.
type NewAccount struct {
	Name     string `json:"name"`
	Role     string `json:"role"`
	Password string `json:"password,omitempty"`
}

// AccountEdit changes what is not nil.
type AccountEdit struct {
	Role     *string `json:"role,omitempty"`
	Disabled *bool   `json:"disabled,omitempty"`
}

// CreateAccount adds a person.
func (c *Client) CreateAccount(ctx context.Context, in NewAccount) (Account, error) {
	var out Account
	return out, c.call(ctx, http.MethodPost, at("accounts"), nil, in, &out)
}

// Accounts lists all.
func (c *Client) Accounts(ctx context.Context) ([]Account, error) {
	return items[Account](ctx, c, at("accounts"))
}

// Account returns one.
func (c *Client) Account(ctx context.Context, name string) (Account, error) {
	var out Account
	return out, c.call(ctx, http.MethodGet, at("accounts", name), nil, nil, &out)
}

// EditAccount changes one.
func (c *Client) EditAccount(ctx context.Context, name string, e AccountEdit) (Account, error) {
	var out Account
	return out, c.call(ctx, http.MethodPatch, at("accounts", name), nil, e, &out)
}

// DeleteAccount removes one; the credentials it owns die with it.
func (c *Client) DeleteAccount(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, at("accounts", name), nil, nil, nil)
}

// PasswordReset is the outcome of a reset; Password is there where the server
// made it.
type PasswordReset struct {
	Name     string `json:"name"`
	Password string `json:"password,omitempty"`
}

// ResetPassword sets a password and ends every session. An empty one lets the
// server make it; then it is returned.
func (c *Client) ResetPassword(ctx context.Context, name, password string) (string, error) {
	type body struct {
		Password string `json:"password,omitempty"`
	}
	var out body
	err := c.call(ctx, http.MethodPost, at("accounts", name, "password"), nil, body{password}, &out)
	return out.Password, err
}

// SignOut ends every session of an account.
func (c *Client) SignOut(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, at("accounts", name, "sessions"), nil, nil, nil)
}

// Token is an API token. Its value is there once, when it is made.
type Token struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	ProjectID  string     `json:"project_id,omitempty"`
	Token      string     `json:"token,omitempty"`
	Status     string     `json:"status,omitempty"`
	CreatedAt  *time.Time `json:"created_at,omitempty"`
	ExpiresAt  *time.Time `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at,omitempty"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

// NewToken asks for a token of the own account, good for one project where it
// is named.
type NewToken struct {
	Name      string `json:"name"`
	ProjectID string `json:"project_id,omitempty"`
	Expiry
}

// CreateToken makes one. The answer alone has its value.
func (c *Client) CreateToken(ctx context.Context, in NewToken) (Token, error) {
	var out Token
	return out, c.call(ctx, http.MethodPost, at("tokens"), nil, in, &out)
}

// Tokens lists those of an account; an empty name means the own one.
func (c *Client) Tokens(ctx context.Context, account string) ([]Token, error) {
	return items[Token](ctx, c, tokensOf(account))
}

// RevokeToken ends one; an empty account means the own one.
func (c *Client) RevokeToken(ctx context.Context, account, id string) error {
	return c.call(ctx, http.MethodDelete, tokensOf(account, id), nil, nil, nil)
}

func tokensOf(account string, id ...string) string {
	if account == "" {
		return at(append([]string{"tokens"}, id...)...)
	}
	return at(append([]string{"accounts", account, "tokens"}, id...)...)
}

// Server is what the server says of itself.
type Server struct {
	Version          string `json:"version"`
	S3Endpoint       string `json:"s3_endpoint"`
	DashboardURL     string `json:"dashboard_url"`
	Region           string `json:"region"`
	AnonymousEnabled bool   `json:"anonymous_enabled"`
}

// Server asks it.
func (c *Client) Server(ctx context.Context) (Server, error) {
	var out Server
	return out, c.call(ctx, http.MethodGet, at("server"), nil, nil, &out)
}
