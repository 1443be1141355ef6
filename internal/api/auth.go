package api

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// authenticator finds out who asks before a handler runs.
type authenticator struct {
	control  *control.SignIns
	refusals *control.Service
	hosts    hosts
	cookies  cookieJar
}

const csrfHeader = "X-CSRF-Token"

func (a *authenticator) middleware(ctx huma.Context, next func(huma.Context)) {
	if err := a.admit(ctx); err != nil {
		_, w := humago.Unwrap(ctx)
		writeProblem(w, newProblem(exchangeOf(ctx.Context()), err))
		return
	}
	next(invalidStatus{ctx})
}

// admit sets the exchange's actor, or records and returns why there is none.
func (a *authenticator) admit(ctx huma.Context) error {
	x := exchangeOf(ctx.Context())
	x.actor = control.Actor{Request: x.request(ctx.Operation().DefaultStatus)}
	if len(ctx.Operation().Security) == 0 {
		return a.admitStranger(ctx, x)
	}
	// A bearer outweighs cookies: with it the browser sent nothing on its own.
	if header := ctx.Header("Authorization"); header != "" {
		return a.admitBearer(ctx, x, header)
	}
	return a.admitSession(ctx, x)
}

// admitStranger lets signing in happen from our own pages only, so that no
// other site can sign a browser in as someone else.
func (a *authenticator) admitStranger(ctx huma.Context, x *exchange) error {
	if safe(ctx.Method()) || a.sameOrigin(ctx) {
		return nil
	}
	return a.refusals.RecordRefusal(ctx.Context(), x.actor, "session.create", control.ErrCSRF)
}

func (a *authenticator) admitBearer(ctx huma.Context, x *exchange, header string) error {
	scheme, value, _ := strings.Cut(header, " ")
	var actor control.Actor
	err := fmt.Errorf("not a bearer: %w", keystile.ErrUnauthenticated)
	if strings.EqualFold(scheme, "Bearer") {
		actor, err = a.control.ByToken(ctx.Context(), x.actor.Request, keystile.NewSecret(strings.TrimSpace(value)))
	}
	if err != nil {
		return a.refuse(ctx, x.actor, "token.use", err)
	}
	x.actor = actor
	return nil
}

func (a *authenticator) admitSession(ctx huma.Context, x *exchange) error {
	err := fmt.Errorf("nothing presented: %w", keystile.ErrUnauthenticated)
	var actor control.Actor
	if !x.cookie.IsZero() {
		actor, x.session, err = a.control.BySession(ctx.Context(), x.actor.Request, x.cookie)
	}
	if err != nil {
		if safe(ctx.Method()) {
			return err // a page asking whether it is signed in is no event
		}
		return a.refuse(ctx, x.actor, "session.use", err)
	}
	x.actor = actor
	if safe(ctx.Method()) {
		return nil
	}
	token := []byte(ctx.Header(csrfHeader))
	if !a.sameOrigin(ctx) || subtle.ConstantTimeCompare(token, []byte(x.session.CSRF)) != 1 {
		return a.refusals.RecordRefusal(ctx.Context(), actor, "session.use", control.ErrCSRF)
	}
	return nil
}

// refuse records what was refused; a failure to find out is none.
func (a *authenticator) refuse(ctx huma.Context, actor control.Actor, action string, err error) error {
	if control.Classify(err).Result != keystile.ResultDenied {
		return err
	}
	return a.refusals.RecordRefusal(ctx.Context(), actor, action, err)
}

func (a *authenticator) sameOrigin(ctx huma.Context) bool {
	return a.hosts.ours(ctx.Header("Origin"), ctx.Header("Sec-Fetch-Site"))
}

// sessionCookie is the cookie's name over plain HTTP.
const sessionCookie = "keystile_session"

// cookieJar writes and reads the session cookie. Over HTTPS its name makes
// browsers keep it to this host alone (RFC 6265bis, "The __Host- Prefix").
type cookieJar struct{ secure bool }

func (j cookieJar) name() string {
	if j.secure {
		return "__Host-" + sessionCookie
	}
	return sessionCookie
}

func (j cookieJar) read(req *http.Request) keystile.Secret {
	cookie, err := req.Cookie(j.name())
	if err != nil {
		return keystile.Secret{}
	}
	return keystile.NewSecret(cookie.Value)
}

func (j cookieJar) write(in control.SignedIn) string {
	return j.cookie(&http.Cookie{Value: in.Key.Reveal(), Expires: in.Session.ExpiresAt})
}

func (j cookieJar) clear() string { return j.cookie(&http.Cookie{MaxAge: -1}) }

func (j cookieJar) cookie(c *http.Cookie) string {
	c.Name, c.Path, c.HttpOnly, c.Secure, c.SameSite = j.name(), "/", true, j.secure, http.SameSiteStrictMode
	return c.String()
}
