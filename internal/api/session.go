package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// sessions serves signing in and out.
type sessions struct {
	signIns  *control.SignIns
	sessions *control.Sessions
	cookies  cookieJar
}

func (h sessions) mount(r *router) {
	const tag = "Session"
	register(r, operation{method: http.MethodPost, path: "/api/session", id: "signIn", tag: tag, public: true,
		summary:     "Sign in",
		description: "Sets the session cookie. Needs an Origin or Sec-Fetch-Site header of the dashboard itself."}, h.signIn)
	register(r, operation{method: http.MethodGet, path: "/api/session", id: "getSession", tag: tag,
		summary: "Who is signed in"}, h.get)
	register(r, operation{method: http.MethodDelete, path: "/api/session", id: "signOut", tag: tag,
		summary: "Sign out here"}, h.signOut)
	register(r, operation{method: http.MethodPost, path: "/api/session/password", id: "changePassword", tag: tag,
		summary: "Change the own password", status: http.StatusNoContent,
		description: "Ends all other sessions of the account."}, h.changePassword)
	register(r, operation{method: http.MethodGet, path: "/api/sessions", id: "listSessions", tag: tag,
		summary: "List the own sessions"}, h.list)
	register(r, operation{method: http.MethodDelete, path: "/api/sessions", id: "endAllSessions", tag: tag,
		summary: "Sign out everywhere"}, h.endAll)
	register(r, operation{method: http.MethodDelete, path: "/api/sessions/{id}", id: "endSession", tag: tag,
		summary: "End one of the own sessions"}, h.end)
}

// SignIn is a name and password.
type SignIn struct {
	Username string `json:"username" maxLength:"256"`
	Password string `json:"password" format:"password" writeOnly:"true"`
}

// SignedIn tells who is signed in. With an API token only the account is there.
type SignedIn struct {
	Account   Account    `json:"account"`
	CSRFToken string     `json:"csrf_token,omitempty" doc:"to be sent back as X-CSRF-Token with everything but GET"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"when the session ends at the latest"`
}

// Session is one sign-in.
type Session struct {
	ID         string    `json:"id"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at" doc:"approximate to a minute"`
	ExpiresAt  time.Time `json:"expires_at"`
	SourceIP   string    `json:"source_ip"`
	UserAgent  string    `json:"user_agent"`
	Current    bool      `json:"current" doc:"the session that asks"`
}

func sessionView(s control.SessionInfo) Session {
	return Session{s.ID, s.CreatedAt, s.LastSeenAt, s.ExpiresAt, s.SourceIP, s.UserAgent, s.Current}
}

type signedIn struct {
	SetCookie string `header:"Set-Cookie"`
	Body      SignedIn
}

type signedOut struct {
	SetCookie string `header:"Set-Cookie"`
}

func (h sessions) signIn(ctx context.Context, in *JSON[SignIn]) (*signedIn, error) {
	x := exchangeOf(ctx)
	made, err := h.signIns.SignIn(ctx, x.request(http.StatusOK), in.Body.Username, keystile.NewSecret(in.Body.Password), x.cookie)
	if err != nil {
		return nil, err
	}
	return &signedIn{h.cookies.write(made), signedInView(made.Account, made.Session)}, nil
}

func signedInView(account keystile.Account, session keystile.Session) SignedIn {
	return SignedIn{accountView(account), session.CSRF, moment(session.ExpiresAt)}
}

func (h sessions) get(ctx context.Context, _ *nothing) (*JSON[SignedIn], error) {
	x := exchangeOf(ctx)
	return reply(signedInView(x.actor.Account, x.session)), nil
}

func (h sessions) signOut(ctx context.Context, _ *nothing) (*signedOut, error) {
	if err := h.sessions.SignOut(ctx, actorOf(ctx)); err != nil {
		return nil, err
	}
	return &signedOut{h.cookies.clear()}, nil
}

// PasswordChange replaces the own password.
type PasswordChange struct {
	CurrentPassword string `json:"current_password" format:"password" writeOnly:"true"`
	NewPassword     string `json:"new_password" format:"password" writeOnly:"true" doc:"12 to 256 characters"`
}

func (h sessions) changePassword(ctx context.Context, in *JSON[PasswordChange]) (*nothing, error) {
	return nil, h.sessions.ChangePassword(ctx, actorOf(ctx), keystile.NewSecret(in.Body.CurrentPassword), keystile.NewSecret(in.Body.NewPassword))
}

func (h sessions) list(ctx context.Context, _ *nothing) (*JSON[List[Session]], error) {
	list, err := h.sessions.List(ctx, actorOf(ctx))
	return reply(listOf(list, sessionView)), err
}

func (h sessions) endAll(ctx context.Context, _ *nothing) (*signedOut, error) {
	if err := h.sessions.EndAll(ctx, actorOf(ctx)); err != nil {
		return nil, err
	}
	return &signedOut{h.cookies.clear()}, nil
}

func (h sessions) end(ctx context.Context, in *ByID) (*nothing, error) {
	return nil, h.sessions.End(ctx, actorOf(ctx), in.ID)
}

// ByID names a thing in the path.
type ByID struct {
	ID string `path:"id" maxLength:"64"`
}
