package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"keystile/internal/clientip"
	"keystile/internal/control"
)

// Options are what the API needs.
type Options struct {
	Control  *control.Service
	Log      *slog.Logger
	ClientIP clientip.Resolver
	// PublicURL is where people reach the dashboard; its host is allowed and its
	// scheme decides whether cookies are Secure.
	PublicURL *url.URL
	// Listen is the address that is listened on, HOST:PORT. Loopback and
	// unspecified addresses are also known as localhost.
	Listen string
	// TLS tells that the listener itself speaks TLS.
	TLS bool
	// Server is what any signed-in account may know.
	Server Server
	// Journal tells how it stands with the audit journal: "recording", "full" or
	// "failing".
	Journal func() string
}

// MaxBodyBytes bounds a request's body.
const MaxBodyBytes = 1 << 20

// New makes the handler of everything below /api/ and /rgw/.
func New(o Options) (http.Handler, error) {
	mux := http.NewServeMux()
	hosts := newHosts(o.PublicURL, o.Listen, o.TLS)
	cookies := cookieJar{secure: o.PublicURL != nil && o.PublicURL.Scheme == "https" || o.TLS}
	r := newRouter(mux, o.Server.Version, cookies)
	r.api.UseMiddleware((&authenticator{control: o.Control.SignIns, refusals: o.Control, hosts: hosts, cookies: cookies}).middleware)
	r.mountAll(o.Control, o.Server, o.Journal, cookies)
	if err := mountDocument(mux, r.api.OpenAPI()); err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	mux.HandleFunc("/api/", notFound)
	mux.HandleFunc("/rgw/", notFound)
	return &guard{next: mux, log: o.Log, hosts: hosts, clients: o.ClientIP, cookies: cookies}, nil
}

// router collects operations.
type router struct {
	api    huma.API
	errors *huma.Schema
}

func newRouter(mux *http.ServeMux, version string, cookies cookieJar) *router {
	r := &router{api: humago.New(mux, config(version, cookies.name()))}
	r.errors = r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[ErrorBody](), true, "")
	return r
}

// mountAll registers every operation.
func (r *router) mountAll(c *control.Service, facts Server, journal func() string, cookies cookieJar) {
	sessions{c.SignIns, c.Sessions, cookies}.mount(r)
	tokens{c.Tokens}.mount(r)
	projects{c.Projects}.mount(r)
	rgwUsers{c.RGWUsers, facts}.mount(r)
	rgwBuckets{c.RGWUsers}.mount(r)
	rgwObjects{c.RGWUsers}.mount(r)
	accounts{c.Accounts, c.Sessions, c.Tokens}.mount(r)
	credentials{c.Credentials, facts}.mount(r)
	bindings{c.Bindings, facts}.mount(r)
	backends{c.Backends}.mount(r)
	buckets{c.Buckets}.mount(r)
	quotas{c.Quotas}.mount(r)
	webhooks{c.Webhooks}.mount(r)
	usage{c.Usage}.mount(r)
	trail{c.Audit, facts.Version}.mount(r)
	traffic{c.Traffic, c.Backends}.mount(r)
	server{facts, journal}.mount(r)
}

func config(version, cookie string) huma.Config {
	c := huma.DefaultConfig("Keystile", version)
	// The document and its page are served by document.go: complete before the
	// first request, and without anybody's scripts.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.Info.Description = "The control plane of Keystile, a self-hosted S3 access gateway. " +
		"Authenticate with an API token as bearer, or with a session cookie and its CSRF token."
	strict := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: strictUnmarshal}
	// "json" is looked up for the media type that huma's own errors have.
	c.Formats = map[string]huma.Format{"application/json": strict, "json": strict}
	c.RejectUnknownQueryParameters = true
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.Transformers = []huma.Transformer{translateHuma}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "an API token, ks_…"},
		"session": {Type: "apiKey", In: "cookie", Name: cookie, Description: "a dashboard session; every method but GET also needs the header X-CSRF-Token"},
	}
	return c
}

// operation describes a route. Its success status is that of its method unless
// status is set.
type operation struct {
	method, path string
	id           string // of the OpenAPI operation: the client's function name
	tag, summary string
	description  string
	status       int
	public       bool   // needs no authentication
	media        string // of the answer, where it is not JSON
	orEmpty      bool   // it may answer 204 too
	upload       bool   // the body is a form with a file, which the handler reads
}

// register mounts a route. Errors of the handler are translated here, once.
func register[I, O any](r *router, o operation, handler func(context.Context, *I) (*O, error)) {
	op := huma.Operation{
		Method: o.method, Path: o.path, OperationID: o.id, Tags: []string{o.tag},
		Summary: o.summary, Description: o.description, DefaultStatus: o.status, MaxBodyBytes: MaxBodyBytes,
		Responses: map[string]*huma.Response{"default": {
			Description: "Refused or failed",
			Content:     map[string]*huma.MediaType{"application/json": {Schema: r.errors}},
		}},
	}
	if o.orEmpty {
		op.Responses["204"] = &huma.Response{Description: http.StatusText(http.StatusNoContent)}
	}
	if o.media != "" {
		op.Responses["200"] = &huma.Response{
			Description: http.StatusText(http.StatusOK),
			Content:     map[string]*huma.MediaType{o.media: {Schema: &huma.Schema{Type: huma.TypeString}}},
		}
	}
	if !o.public {
		op.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	}
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, newProblem(exchangeOf(ctx), err)
		}
		return out, nil
	})
	if o.upload { // told afterwards: huma would read a body that it knows of
		r.api.OpenAPI().Paths[o.path].Post.RequestBody = uploadForm()
	}
}

// uploadForm describes a form with a key and a file.
func uploadForm() *huma.RequestBody {
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{
		Type: huma.TypeObject, Required: []string{"key", "file"}, Properties: map[string]*huma.Schema{
			"key":  {Type: huma.TypeString, Description: "of the object; before the file"},
			"file": {Type: huma.TypeString, Format: "binary"},
		},
	}}}}
}

// JSON is an input or an answer with a body. It is exported, like the other
// parts of inputs, because huma looks through exported fields only.
type JSON[T any] struct{ Body T }

func reply[T any](v T) *JSON[T] { return &JSON[T]{v} }

// nothing is an input without parameters, or an answer without a body.
type nothing struct{}

// List is a whole collection, or a page of one.
type List[T any] struct {
	Items []T `json:"items"`
	// NextCursor asks for the page after this one.
	NextCursor string `json:"next_cursor,omitempty" doc:"cursor of the next page; absent on the last one"`
}

func listOf[T, V any](rows []T, view func(T) V) List[V] {
	items := make([]V, len(rows))
	for i, row := range rows {
		items[i] = view(row)
	}
	return List[V]{Items: items}
}

func notFound(w http.ResponseWriter, req *http.Request) {
	writeProblem(w, newProblem(exchangeOf(req.Context()), errNoRoute))
}

func writeProblem(w http.ResponseWriter, p *problem) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.status)
	// The client may be gone; there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(p)
}
