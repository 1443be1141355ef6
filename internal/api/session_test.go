package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

func TestSignIn(t *testing.T) {
	s := newSite(t)
	own := s.nobody().with("Origin", s.url)
	right := map[string]string{"username": "uma", "password": sitePassword}
	must(t, disable(s, "rory"))
	for _, tt := range []struct {
		name   string
		client client
		body   any
		status int
		code   string
	}{
		{"wrong password", own, map[string]string{"username": "uma", "password": "wrong"}, 401, "unauthenticated"},
		{"unknown account", own, map[string]string{"username": "nobody", "password": sitePassword}, 401, "unauthenticated"},
		{"no name at all", own, map[string]string{"username": "", "password": ""}, 401, "unauthenticated"},
		{"disabled account", own, map[string]string{"username": "rory", "password": sitePassword}, 401, "unauthenticated"},
		{"overlong password", own, map[string]string{"username": "uma", "password": strings.Repeat("x", 300)}, 401, "unauthenticated"},
		{"no origin", s.nobody(), right, 403, "csrf"},
		{"another origin", own.with("Origin", "http://evil.test"), right, 403, "csrf"},
		{"origin null", own.with("Origin", "null"), right, 403, "csrf"},
		{"the origin's host with another port", own.with("Origin", "http://127.0.0.1:1"), right, 403, "csrf"},
		{"our origin, but the browser denies it", own.with("Sec-Fetch-Site", "cross-site"), right, 403, "csrf"},
		{"same site is not same origin", s.nobody().with("Sec-Fetch-Site", "same-site"), right, 403, "csrf"},
		{"a form", own.with("Content-Type", "application/x-www-form-urlencoded"), "username=uma", 415, "unsupported_media_type"},
		{"JSON as text", own.with("Content-Type", "text/plain"), right, 415, "unsupported_media_type"},
		{"another host", own.with("Host", "evil.test"), right, 421, "misdirected"},
		{"unknown property", own, map[string]string{"username": "uma", "password": sitePassword, "remember": "1"}, 422, "invalid"},
		{"property twice", own, `{"username":"uma","password":"x","Password":"` + sitePassword + `"}`, 422, "invalid"},
		{"no body", own, nil, 422, "invalid"},
		{"not JSON", own, "{", 422, "invalid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := tt.client.on(t).do("POST", "/api/session", tt.body).wantCode(tt.status, tt.code)
			if a.header.Get("Set-Cookie") != "" {
				t.Error("a refused sign-in set a cookie")
			}
			if strings.Contains(string(a.body), sitePassword) {
				t.Errorf("the answer repeats the password: %s", a.body)
			}
			s.clock.pass(time.Hour) // throttling has its own test
		})
	}
	for _, c := range []client{own, s.nobody().with("Sec-Fetch-Site", "same-origin"), own.with("Origin", "http://keys.test"), own.with("Authorization", "Bearer junk")} {
		a := c.do("POST", "/api/session", right).want(200)
		in := into[SignedIn](a)
		if in.Account.Name != "uma" || in.CSRFToken == "" || in.ExpiresAt == nil {
			t.Errorf("signed in as %+v", in)
		}
	}
	if log := s.log.String(); strings.Contains(log, sitePassword) {
		t.Error("the log has the password")
	}
}

func disable(s *site, name string) error {
	yes := true
	_, err := s.control.Accounts.Update(s.t.Context(), control.System(), name, control.AccountEdit{Disabled: &yes})
	return err
}

func TestSignInsAreAudited(t *testing.T) {
	s := newSite(t)
	own := s.nobody().with("Origin", s.url).with("X-Forwarded-For", "203.0.113.9").with("User-Agent", "agent")
	for _, tt := range []struct {
		name, user, password string
		status               int
		account              string
		result               keystile.Result
		authenticated        bool
	}{
		{"right", "uma", sitePassword, 200, "uma", keystile.ResultOK, true},
		{"wrong password", "uma", "wrong", 401, "uma", keystile.ResultDenied, false},
		{"a name that is none is left out", "My Secret Passw0rd!", "wrong", 401, "", keystile.ResultDenied, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := own.on(t).do("POST", "/api/session", map[string]string{"username": tt.user, "password": tt.password}).want(tt.status)
			events := s.eventsOf(a)
			if len(events) != 1 {
				t.Fatalf("%d events", len(events))
			}
			e := events[0]
			if e.Action != "session.create" || e.Account != tt.account || e.Result != tt.result || e.Status != tt.status ||
				e.Detail.Authenticated != tt.authenticated || e.SourceIP != "203.0.113.9" || e.UserAgent != "agent" {
				t.Errorf("event %+v", e)
			}
		})
	}
}

// What protects a cookie session, each taken away alone.
func TestSessionRequests(t *testing.T) {
	s := newSite(t)
	in := s.signIn("root")
	other := s.signIn("uma")
	for _, tt := range []struct {
		name         string
		client       client
		method, path string
		status       int
		code         string
	}{
		{"no CSRF token", in.with("X-CSRF-Token", ""), "POST", "/api/tokens", 403, "csrf"},
		{"another session's CSRF token", in.with("X-CSRF-Token", other.header.Get("X-CSRF-Token")), "POST", "/api/tokens", 403, "csrf"},
		{"no origin", in.with("Origin", ""), "POST", "/api/tokens", 403, "csrf"},
		{"another origin", in.with("Origin", "https://evil.test"), "POST", "/api/tokens", 403, "csrf"},
		{"cross-site", in.with("Sec-Fetch-Site", "cross-site"), "POST", "/api/tokens", 403, "csrf"},
		{"DELETE needs the token too", in.with("X-CSRF-Token", ""), "DELETE", "/api/session", 403, "csrf"},
		{"PATCH needs the token too", in.with("X-CSRF-Token", ""), "PATCH", "/api/accounts/uma", 403, "csrf"},
		{"another host", in.with("Host", "rebound.test"), "GET", "/api/session", 421, "misdirected"},
		{"another port", in.with("Host", "127.0.0.1:1"), "GET", "/api/session", 421, "misdirected"},
		{"a broken bearer outweighs the cookie", in.with("Authorization", "Bearer ks_wrong"), "GET", "/api/session", 401, "unauthenticated"},
		{"another scheme outweighs the cookie", in.with("Authorization", "Basic cm9vdDpyb290"), "GET", "/api/session", 401, "unauthenticated"},
		{"a session key as bearer", s.bearer(cookieValue(in)), "GET", "/api/session", 401, "unauthenticated"},
		{"a session key with a token's prefix", s.bearer("ks_" + cookieValue(in)), "GET", "/api/session", 401, "unauthenticated"},
		{"a made up cookie", in.with("Cookie", "keystile_session=abc"), "GET", "/api/session", 401, "unauthenticated"},
		{"a made up cookie that changes", in.with("Cookie", "keystile_session=abc"), "DELETE", "/api/session", 401, "unauthenticated"},
		{"the secure cookie's name", in.with("Cookie", "__Host-"+in.header.Get("Cookie")), "GET", "/api/session", 401, "unauthenticated"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var body any
			if tt.method == "POST" {
				body = `{"name":"forged"}`
			}
			if tt.method == "PATCH" {
				body = `{"role":"admin"}`
			}
			a := tt.client.on(t).do(tt.method, tt.path, body).wantCode(tt.status, tt.code)
			if tt.code == "csrf" {
				events := s.eventsOf(a)
				if len(events) != 1 || events[0].Action != "session.use" || events[0].Account != "root" || events[0].Detail.Code != "csrf" {
					t.Errorf("events %+v", events)
				}
			}
		})
	}
	in.do("POST", "/api/tokens", `{"name":"real"}`).want(201)
	in.with("Origin", "").with("Sec-Fetch-Site", "same-origin").do("POST", "/api/tokens", `{"name":"real too"}`).want(201)
	in.with("Host", "keys.test").with("Origin", "http://keys.test").do("POST", "/api/tokens", `{"name":"by name"}`).want(201)
	if tokens := into[List[Token]](in.do("GET", "/api/tokens", nil)); len(tokens.Items) != 3 {
		t.Errorf("%d tokens, want the 3 real ones", len(tokens.Items))
	}
}

func cookieValue(c client) string {
	_, value, _ := strings.Cut(c.header.Get("Cookie"), "=")
	return value
}

// A bearer needs neither origin nor CSRF token, and is itself whatever cookie
// comes along.
func TestBearerIgnoresCookies(t *testing.T) {
	s := newSite(t)
	admin := s.signIn("root")
	c := s.as("rory").with("Cookie", admin.header.Get("Cookie")).with("X-CSRF-Token", admin.header.Get("X-CSRF-Token")).with("Origin", "https://evil.test")
	if who := into[SignedIn](c.do("GET", "/api/session", nil).want(200)); who.Account.Name != "rory" || who.CSRFToken != "" || who.ExpiresAt != nil {
		t.Errorf("acts as %+v", who)
	}
	c.do("GET", "/api/accounts", nil).wantCode(403, "denied")
	c.do("POST", "/api/tokens", `{"name":"x"}`).want(201)
}

func TestSessionLimits(t *testing.T) {
	s := newSite(t)
	idle, used := s.signIn("uma"), s.signIn("uma")
	for range 13 { // hours
		s.clock.pass(time.Hour)
		used.do("GET", "/api/session", nil).want(200)
	}
	idle.do("GET", "/api/session", nil).wantCode(401, "unauthenticated")
	for range 24*7 - 14 {
		s.clock.pass(time.Hour)
		used.do("GET", "/api/session", nil).want(200)
	}
	s.clock.pass(time.Hour)
	used.do("GET", "/api/session", nil).wantCode(401, "unauthenticated")
	must(t, s.control.Maintain(t.Context()))
	if left := into[List[Session]](s.as("uma").do("GET", "/api/sessions", nil)); len(left.Items) != 0 {
		t.Errorf("%d sessions left after maintenance", len(left.Items))
	}
}

func TestSigningOut(t *testing.T) {
	s := newSite(t)
	here, there, third := s.signIn("uma"), s.signIn("uma"), s.signIn("uma")
	foreign := s.signIn("root")
	list := into[List[Session]](there.do("GET", "/api/sessions", nil).want(200)).Items
	if len(list) != 3 {
		t.Fatalf("%d sessions, want 3", len(list))
	}
	a := here.do("DELETE", "/api/session", nil).want(204)
	if cookie := a.header.Get("Set-Cookie"); !strings.Contains(cookie, "keystile_session=;") || !strings.Contains(cookie, "Max-Age=0") {
		t.Errorf("the cookie stays: %q", cookie)
	}
	here.do("GET", "/api/session", nil).want(401)
	for _, session := range list {
		if session.Current {
			foreign.do("DELETE", "/api/sessions/"+session.ID, nil).wantCode(404, "not_found")
			third.do("DELETE", "/api/sessions/"+session.ID, nil).want(204)
		}
	}
	there.do("GET", "/api/session", nil).want(401)
	third.do("DELETE", "/api/sessions", nil).want(204)
	third.do("GET", "/api/session", nil).want(401)
	foreign.do("GET", "/api/session", nil).want(200)
}

// Signing in anew in the same browser ends the session it had: a key planted
// there before is worth nothing.
func TestSignInEndsThePreviousSession(t *testing.T) {
	s := newSite(t)
	old := s.signIn("uma")
	again := old.do("POST", "/api/session", map[string]string{"username": "uma", "password": sitePassword}).want(200)
	if strings.Contains(again.header.Get("Set-Cookie"), cookieValue(old)) {
		t.Error("the session key was kept")
	}
	old.do("GET", "/api/session", nil).want(401)
}

func TestChangePassword(t *testing.T) {
	s := newSite(t)
	in, other := s.signIn("uma"), s.signIn("uma")
	change := func(current, next string) answer {
		return in.do("POST", "/api/session/password", map[string]string{"current_password": current, "new_password": next})
	}
	for _, tt := range []struct{ name, current, next, field string }{
		{"wrong current one", "wrong", "a new long password", "current_password"},
		{"short new one", sitePassword, "short", "new_password"},
		{"long new one", sitePassword, strings.Repeat("x", 257), "new_password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			faults := change(tt.current, tt.next).wantCode(422, "invalid").problem().Error.Detail.Faults
			if len(faults) != 1 || faults[0].Field != tt.field {
				t.Errorf("faults %+v, want %s", faults, tt.field)
			}
		})
	}
	other.do("GET", "/api/session", nil).want(200)
	change(sitePassword, "a new long password").want(204)
	in.do("GET", "/api/session", nil).want(200)
	other.do("GET", "/api/session", nil).want(401)
	own := s.nobody().with("Origin", s.url)
	own.do("POST", "/api/session", map[string]string{"username": "uma", "password": sitePassword}).want(401)
	own.do("POST", "/api/session", map[string]string{"username": "uma", "password": "a new long password"}).want(200)
}

func TestThrottling(t *testing.T) {
	s := newSite(t)
	from := func(ip string) client { return s.nobody().with("Origin", s.url).with("X-Forwarded-For", ip) }
	try := func(ip, user, pass string) answer {
		return from(ip).do("POST", "/api/session", map[string]string{"username": user, "password": pass})
	}
	for range 5 {
		try("203.0.113.9", "root", "wrong").wantCode(401, "unauthenticated")
	}
	a := try("203.0.113.9", "root", sitePassword).wantCode(429, "throttled")
	if wait := a.header.Get("Retry-After"); wait != "1" {
		t.Errorf("Retry-After %q, want 1", wait)
	}
	try("198.51.100.7", "root", sitePassword).want(200) // nobody is locked out from elsewhere
	try("203.0.113.9", "uma", sitePassword).want(200)   // nor is everybody behind the address
	s.clock.pass(time.Second)
	try("203.0.113.9", "root", "wrong").want(401)
	if wait := try("203.0.113.9", "root", "wrong").want(429).header.Get("Retry-After"); wait != "2" {
		t.Errorf("Retry-After %q, want 2", wait)
	}
	s.clock.pass(2 * time.Second)
	try("203.0.113.9", "root", sitePassword).want(200) // which resets
	for range 4 {
		try("203.0.113.9", "root", "wrong").want(401)
	}
	try("203.0.113.9", "root", sitePassword).want(200)
}

func TestThrottlingOfManyNamesFromOneNetwork(t *testing.T) {
	s := newSite(t)
	refused := 0
	for i := range 60 {
		ip := "2001:db8:1:2::" + string(rune('a'+i%6)) // one /64
		name := "person" + string(rune('a'+i%26)) + string(rune('a'+i/26))
		a := s.nobody().with("Origin", s.url).with("X-Forwarded-For", ip).
			do("POST", "/api/session", map[string]string{"username": name, "password": "wrong"})
		if a.status == 429 {
			refused++
		}
	}
	if refused != 40 {
		t.Errorf("%d of 60 guesses were refused, want all after the first 20", refused)
	}
	events := s.events(keystile.EventFilter{ActionPrefix: "session.create"})
	if len(events) > 40 {
		t.Errorf("60 guesses left %d events", len(events))
	}
	must(t, s.control.Maintain(t.Context()))
	counted := int64(0)
	for _, e := range s.events(keystile.EventFilter{ActionPrefix: "session.create"}) {
		counted += max(1, e.Detail.Count)
	}
	if counted != 60 {
		t.Errorf("%d guesses are counted in the trail, want 60", counted)
	}
}

// Behind HTTPS the cookie is bound to the host and never sent in clear.
func TestSecureCookie(t *testing.T) {
	s := newSite(t)
	s.serve(Options{PublicURL: &url.URL{Scheme: "https", Host: "keys.test"}})
	a := s.nobody().with("Host", "keys.test").with("Origin", "https://keys.test").
		do("POST", "/api/session", map[string]string{"username": "uma", "password": sitePassword}).want(200)
	cookie, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	must(t, err)
	if cookie.Name != "__Host-keystile_session" || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" ||
		cookie.Domain != "" || cookie.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie %+v", cookie)
	}
	s.nobody().with("Host", "keys.test").with("Origin", "http://keys.test").
		do("POST", "/api/session", map[string]string{"username": "uma", "password": sitePassword}).wantCode(403, "csrf")
	s.nobody().with("Host", "keys.test:443").do("GET", "/api/session", nil).want(401)
	s.nobody().with("Host", "keys.test:8443").do("GET", "/api/session", nil).want(421)
}
