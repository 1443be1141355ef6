package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// tokens serves the own API tokens.
type tokens struct{ tokens *control.Tokens }

func (h tokens) mount(r *router) {
	const tag = "Tokens"
	register(r, operation{method: http.MethodGet, path: "/api/tokens", id: "listTokens", tag: tag,
		summary: "List the own API tokens"}, h.list)
	register(r, operation{method: http.MethodPost, path: "/api/tokens", id: "createToken", tag: tag,
		summary: "Make an API token", status: http.StatusCreated,
		description: "The token acts as its account. It is shown once. With a project_id it is good for that project alone, " +
			"there as an owner at most, and ends with the account's membership."}, h.create)
	register(r, operation{method: http.MethodDelete, path: "/api/tokens/{id}", id: "revokeToken", tag: tag,
		summary: "Revoke one of the own API tokens"}, h.revoke)
}

// Token is an API token without its value.
type Token struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	ProjectID  string     `json:"project_id,omitempty" doc:"the one project it is good for; absent: wherever its account is"`
	Status     string     `json:"status" enum:"active,expired,revoked"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty" doc:"absent: never"`
	RevokedAt  *time.Time `json:"revoked_at,omitempty"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" doc:"approximate to a minute"`
}

// TokenWithValue is a new API token.
type TokenWithValue struct {
	Token
	Value string `json:"token" doc:"the token itself, shown this once"`
}

// NewToken is what is chosen of an API token.
type NewToken struct {
	Name      string     `json:"name"`
	ProjectID string     `json:"project_id,omitempty" maxLength:"64" doc:"binds it to one project; absent: good wherever its account is"`
	ExpiresIn string     `json:"expires_in,omitempty" doc:"such as 24h, 30d or 12w" example:"30d"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"instead of expires_in; neither: never"`
}

func tokenView(t control.TokenInfo) Token {
	return Token{
		ID: t.ID, Name: t.Name, ProjectID: t.ProjectID, Status: string(t.Status), CreatedAt: t.CreatedAt,
		ExpiresAt: moment(t.ExpiresAt), RevokedAt: moment(t.RevokedAt), LastUsedAt: moment(t.LastUsedAt),
	}
}

func (h tokens) list(ctx context.Context, _ *nothing) (*JSON[List[Token]], error) {
	list, err := h.tokens.List(ctx, actorOf(ctx))
	return reply(listOf(list, tokenView)), err
}

func (h tokens) create(ctx context.Context, in *JSON[NewToken]) (*JSON[TokenWithValue], error) {
	made, value, err := h.tokens.Create(ctx, actorOf(ctx), in.Body.Name, in.Body.ProjectID, expiry(in.Body.ExpiresIn, in.Body.ExpiresAt))
	return reply(TokenWithValue{tokenView(made), value.Reveal()}), err
}

func (h tokens) revoke(ctx context.Context, in *ByID) (*nothing, error) {
	return nil, h.tokens.Revoke(ctx, actorOf(ctx), in.ID)
}

func expiry(in string, at *time.Time) control.Expiry {
	e := control.Expiry{In: in}
	if at != nil {
		e.At = *at
	}
	return e
}

// secretOf guards an optional property; absent is the zero secret.
func secretOf(value *string) keystile.Secret {
	if value == nil {
		return keystile.Secret{}
	}
	return keystile.NewSecret(*value)
}
