package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"keystile/internal/clientip"
	"keystile/internal/control"
	"keystile/internal/keystile"
)

// exchange is what is known of one request. It travels in the context.
type exchange struct {
	id      string
	source  netip.Addr
	agent   string
	cookie  keystile.Secret // the session key that the client sent
	actor   control.Actor
	session keystile.Session // zero for API tokens
	cause   error            // of an answer that tells the client nothing
}

func (x *exchange) request(success int) control.Request {
	return control.Request{ID: x.id, Source: x.source, UserAgent: x.agent, Success: success}
}

type exchangeKey struct{}

// exchangeOf finds what guard put there.
func exchangeOf(ctx context.Context) *exchange {
	x, ok := ctx.Value(exchangeKey{}).(*exchange)
	if !ok {
		return &exchange{}
	}
	return x
}

func actorOf(ctx context.Context) control.Actor { return exchangeOf(ctx).actor }

// guard is what holds for every request, whatever it asks: an id, headers that
// keep browsers strict, known host names only, JSON only, one line in the log.
type guard struct {
	next    http.Handler
	log     *slog.Logger
	hosts   hosts
	clients clientip.Resolver
	cookies cookieJar
}

func (g *guard) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	began := time.Now()
	x := &exchange{
		id: uuid.Must(uuid.NewV7()).String(), source: g.clients.Addr(req), agent: req.UserAgent(), cookie: g.cookies.read(req),
	}
	answer := &recorder{ResponseWriter: w, status: http.StatusOK}
	strictHeaders(w.Header(), x.id)
	req = req.WithContext(context.WithValue(req.Context(), exchangeKey{}, x))
	defer g.finish(answer, req, x, began)
	if err := g.check(req); err != nil {
		writeProblem(answer, newProblem(x, err))
		return
	}
	g.next.ServeHTTP(answer, req)
}

func strictHeaders(h http.Header, id string) {
	h.Set("X-Request-Id", id)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// check refuses names that are not ours, so that a foreign name rebound to this
// address opens nothing, and bodies that a foreign page could send unasked.
func (g *guard) check(req *http.Request) error {
	if !g.hosts.known(req.Host) {
		return errMisdirected
	}
	if req.ContentLength == 0 || safe(req.Method) {
		return nil
	}
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !(kind == "multipart/form-data" && takesForm(req)) {
		return errMediaType
	}
	return nil
}

// takesForm tells uploads of objects. A foreign page could send a form too: the
// session's token, or a bearer, proves that it did not.
func takesForm(req *http.Request) bool {
	return req.Method == http.MethodPost && strings.HasPrefix(req.URL.Path, "/rgw/users/") && strings.HasSuffix(req.URL.Path, "/objects")
}

func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// finish writes the one line of the log, with the cause where there is one. A
// panic is a failure of this request only.
func (g *guard) finish(answer *recorder, req *http.Request, x *exchange, began time.Time) {
	fault := recover()
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		defer panic(fault) // after the line in the log
	} else if fault != nil {
		p := newProblem(x, fmt.Errorf("panic: %v\n%s", fault, debug.Stack()))
		if !answer.begun {
			writeProblem(answer, p)
		}
	}
	level, attrs := slog.LevelDebug, []slog.Attr{
		slog.String("method", req.Method), slog.String("path", req.URL.Path), slog.Int("status", answer.status),
		slog.Duration("took", time.Since(began)), slog.String("request_id", x.id),
		slog.String("account", x.actor.Account.Name), slog.String("source_ip", x.source.String()),
	}
	if !safe(req.Method) {
		level = slog.LevelInfo
	}
	if x.cause != nil {
		level, attrs = slog.LevelError, append(attrs, slog.String("error", x.cause.Error()))
	}
	g.log.LogAttrs(req.Context(), level, "api request", attrs...)
}

// recorder remembers the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
	begun  bool
}

func (r *recorder) WriteHeader(status int) {
	if !r.begun {
		r.status, r.begun = status, true
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.begun = true
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// hosts are the names this server goes by, and the origins its pages have.
type hosts struct {
	names   map[string]bool
	origins map[string]bool
}

// KnownHosts tells whether a Host header names this server, by the rules that
// the API itself has: for other handlers on the same listener.
func (o Options) KnownHosts() func(host string) bool {
	return newHosts(o.PublicURL, o.Listen, o.TLS).known
}

func newHosts(public *url.URL, listen string, tls bool) hosts {
	h := hosts{map[string]bool{}, map[string]bool{}}
	if public != nil {
		h.add(public.Scheme, public.Hostname(), public.Port())
	}
	scheme := "http"
	if tls {
		scheme = "https"
	}
	listenURL := url.URL{Host: listen}
	name, port := listenURL.Hostname(), listenURL.Port()
	addr, err := netip.ParseAddr(name)
	wildcard := name == "" || err == nil && addr.IsUnspecified()
	if !wildcard {
		h.add(scheme, name, port)
	}
	if wildcard || name == "localhost" || err == nil && addr.IsLoopback() {
		for _, local := range []string{"localhost", "127.0.0.1", "::1"} {
			h.add(scheme, local, port)
		}
	}
	return h
}

// add knows a name with its port, and without where the scheme implies it.
func (h hosts) add(scheme, name, port string) {
	name = strings.ToLower(name)
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	implied := map[string]string{"http": "80", "https": "443"}[scheme]
	if port == "" || port == implied {
		h.names[name], h.origins[scheme+"://"+name] = true, true
		port = implied
	} else {
		h.origins[scheme+"://"+name+":"+port] = true
	}
	h.names[name+":"+port] = true
}

func (h hosts) known(host string) bool { return h.names[strings.ToLower(host)] }

// ours tells whether a page of this server sent the request. Browsers say so in
// Origin, in Sec-Fetch-Site, or in both; one must say it and none deny it.
func (h hosts) ours(origin, site string) bool {
	if origin == "" {
		return site == "same-origin"
	}
	return h.origins[strings.ToLower(origin)] && (site == "" || site == "same-origin")
}
