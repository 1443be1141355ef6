package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// accounts serves people and, for admins, their sessions and tokens.
type accounts struct {
	accounts *control.Accounts
	sessions *control.Sessions
	tokens   *control.Tokens
}

func (h accounts) mount(r *router) {
	const tag = "Accounts"
	register(r, operation{method: http.MethodGet, path: "/api/accounts", id: "listAccounts", tag: tag,
		summary: "List accounts"}, h.list)
	register(r, operation{method: http.MethodPost, path: "/api/accounts", id: "createAccount", tag: tag,
		summary: "Add an account", status: http.StatusCreated,
		description: "Without a password a random one is made and shown once."}, h.create)
	register(r, operation{method: http.MethodGet, path: "/api/accounts/{name}", id: "getAccount", tag: tag,
		summary: "Show an account"}, h.get)
	register(r, operation{method: http.MethodPatch, path: "/api/accounts/{name}", id: "updateAccount", tag: tag,
		summary: "Change an account's role, disable or enable it",
		description: "Disabling ends its sessions and tokens and disables the credentials it owns; " +
			"enabling brings none of them back. The last active admin stays."}, h.update)
	register(r, operation{method: http.MethodDelete, path: "/api/accounts/{name}", id: "deleteAccount", tag: tag,
		summary:     "Delete an account",
		description: "Revokes the credentials it owns; those it merely created live on."}, h.delete)
	register(r, operation{method: http.MethodPost, path: "/api/accounts/{name}/password", id: "resetPassword", tag: tag,
		summary:     "Reset an account's password",
		description: "Ends its sessions. Without a password a random one is made and shown once."}, h.resetPassword)
	h.mountHeld(r, tag)
}

func (h accounts) mountHeld(r *router, tag string) {
	register(r, operation{method: http.MethodGet, path: "/api/accounts/{name}/sessions", id: "listAccountSessions", tag: tag,
		summary: "List an account's sessions"}, h.listSessions)
	register(r, operation{method: http.MethodDelete, path: "/api/accounts/{name}/sessions", id: "endAccountSessions", tag: tag,
		summary: "End all sessions of an account"}, h.endSessions)
	register(r, operation{method: http.MethodGet, path: "/api/accounts/{name}/tokens", id: "listAccountTokens", tag: tag,
		summary: "List an account's API tokens"}, h.listTokens)
	register(r, operation{method: http.MethodDelete, path: "/api/accounts/{name}/tokens/{id}", id: "revokeAccountToken", tag: tag,
		summary: "Revoke an account's API token"}, h.revokeToken)
}

// Account is a person.
type Account struct {
	Name       string     `json:"name"`
	Role       string     `json:"role" enum:"admin,user,readonly"`
	Status     string     `json:"status" enum:"active,disabled"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
	DisabledAt *time.Time `json:"disabled_at,omitempty"`
}

// AccountWithPassword is a new account.
type AccountWithPassword struct {
	Account
	Password string `json:"password,omitempty" doc:"the random password, shown this once; absent if one was given"`
}

// NewAccount is what is chosen of an account.
type NewAccount struct {
	Name     string  `json:"name" example:"alice"`
	Role     string  `json:"role" enum:"admin,user,readonly"`
	Password *string `json:"password,omitempty" format:"password" writeOnly:"true" doc:"12 to 256 characters; absent: a random one is made"`
}

// AccountEdit changes what it has.
type AccountEdit struct {
	Role     *string `json:"role,omitempty" enum:"admin,user,readonly"`
	Disabled *bool   `json:"disabled,omitempty"`
}

// PasswordReset sets a password.
type PasswordReset struct {
	Password *string `json:"password,omitempty" format:"password" writeOnly:"true" doc:"12 to 256 characters; absent: a random one is made"`
}

// GeneratedPassword is a password that was made.
type GeneratedPassword struct {
	Password string `json:"password,omitempty" doc:"the random password, shown this once; absent if one was given"`
}

func accountView(a keystile.Account) Account {
	status := keystile.StatusActive
	if !a.DisabledAt.IsZero() {
		status = keystile.StatusDisabled
	}
	return Account{a.Name, string(a.Role), string(status), a.CreatedAt, a.UpdatedAt, moment(a.DisabledAt)}
}

// ByName names an account or binding in the path.
type ByName struct {
	Name string `path:"name"`
}

func (h accounts) list(ctx context.Context, _ *nothing) (*JSON[List[Account]], error) {
	list, err := h.accounts.List(ctx, actorOf(ctx))
	return reply(listOf(list, accountView)), err
}

func (h accounts) create(ctx context.Context, in *JSON[NewAccount]) (*JSON[AccountWithPassword], error) {
	if given := in.Body.Password; given != nil && *given == "" {
		return nil, keystile.Faults{{Field: "password", Message: "must not be empty; leave it out for a random one"}}
	}
	account, generated, err := h.accounts.Create(ctx, actorOf(ctx), control.NewAccount{
		Name: in.Body.Name, Role: keystile.Role(in.Body.Role), Password: secretOf(in.Body.Password),
	})
	return reply(AccountWithPassword{accountView(account), generated.Reveal()}), err
}

func (h accounts) get(ctx context.Context, in *ByName) (*JSON[Account], error) {
	account, err := h.accounts.Get(ctx, actorOf(ctx), in.Name)
	return reply(accountView(account)), err
}

func (h accounts) update(ctx context.Context, in *struct {
	ByName
	JSON[AccountEdit]
}) (*JSON[Account], error) {
	edit := control.AccountEdit{Disabled: in.Body.Disabled}
	if in.Body.Role != nil {
		role := keystile.Role(*in.Body.Role)
		edit.Role = &role
	}
	account, err := h.accounts.Update(ctx, actorOf(ctx), in.Name, edit)
	return reply(accountView(account)), err
}

func (h accounts) delete(ctx context.Context, in *ByName) (*nothing, error) {
	return nil, h.accounts.Delete(ctx, actorOf(ctx), in.Name)
}

func (h accounts) resetPassword(ctx context.Context, in *struct {
	ByName
	Body *PasswordReset `required:"false"`
}) (*JSON[GeneratedPassword], error) {
	var given *string
	if in.Body != nil {
		given = in.Body.Password
	}
	if given != nil && *given == "" {
		return nil, keystile.Faults{{Field: "password", Message: "must not be empty; leave it out for a random one"}}
	}
	generated, err := h.accounts.ResetPassword(ctx, actorOf(ctx), in.Name, secretOf(given))
	return reply(GeneratedPassword{generated.Reveal()}), err
}

func (h accounts) listSessions(ctx context.Context, in *ByName) (*JSON[List[Session]], error) {
	list, err := h.sessions.ListOf(ctx, actorOf(ctx), in.Name)
	return reply(listOf(list, sessionView)), err
}

func (h accounts) endSessions(ctx context.Context, in *ByName) (*nothing, error) {
	return nil, h.sessions.EndAllOf(ctx, actorOf(ctx), in.Name)
}

func (h accounts) listTokens(ctx context.Context, in *ByName) (*JSON[List[Token]], error) {
	list, err := h.tokens.ListOf(ctx, actorOf(ctx), in.Name)
	return reply(listOf(list, tokenView)), err
}

func (h accounts) revokeToken(ctx context.Context, in *struct {
	ByName
	ByID
}) (*nothing, error) {
	return nil, h.tokens.RevokeOf(ctx, actorOf(ctx), in.Name, in.ID)
}
