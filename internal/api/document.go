package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"keystile/internal/control"
)

//go:embed document.html
var documentHTML string

//go:embed document.css
var documentCSS string

// Document returns the OpenAPI document as it is kept beside the dashboard: what
// its client is generated from. It names no version, so that only a change of
// the API changes it.
func Document() ([]byte, error) {
	var cookies cookieJar
	r := newRouter(http.NewServeMux(), "", cookies)
	r.mountAll(&control.Service{}, Server{}, nil, cookies)
	tidy(r.api.OpenAPI())
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(r.api.OpenAPI())
	return out.Bytes(), err
}

// mountDocument serves the OpenAPI document and a page that shows it. Both are
// made once: the API does not change while it runs.
func mountDocument(mux *http.ServeMux, spec *huma.OpenAPI) error {
	tidy(spec)
	asJSON, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	asYAML, err := spec.YAML()
	if err != nil {
		return err
	}
	page, err := documentPage(spec)
	if err != nil {
		return err
	}
	mux.Handle("GET /api/openapi.json", static("application/vnd.oai.openapi+json;version=3.1", asJSON))
	mux.Handle("GET /api/openapi.yaml", static("application/vnd.oai.openapi;version=3.1", asYAML))
	sum := sha256.Sum256([]byte(documentCSS))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	docs := static("text/html; charset=utf-8", page)
	mux.HandleFunc("GET /api/docs", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		docs.ServeHTTP(w, req)
	})
	return nil
}

func static(kind string, content []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		// The client may be gone; there is nobody else to tell.
		_, _ = w.Write(content)
	})
}

// tidy makes the document say what is so: a list is never null, and huma's own
// error model is not what clients see.
func tidy(spec *huma.OpenAPI) {
	schemas := spec.Components.Schemas.Map()
	for name := range schemas {
		if strings.HasPrefix(name, humaNames) {
			delete(schemas, name)
		}
	}
	for _, schema := range schemas {
		for _, property := range schema.Properties {
			if property.Type == huma.TypeArray {
				property.Nullable = false
			}
		}
	}
}

// humaNames begins the names of huma's own types in the registry.
const humaNames = "huma:"

// schemaName names a Go type in the document: a List[Credential] is a
// CredentialList.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := huma.DefaultSchemaNamer(t, hint)
	if item, ok := strings.CutPrefix(name, "List"); ok && strings.Contains(t.Name(), "[") {
		return item + "List"
	}
	if t.PkgPath() == reflect.TypeFor[huma.ErrorModel]().PkgPath() {
		return humaNames + name
	}
	return name
}

// page is what the template shows.
type page struct {
	Title, Version, Description string
	CSS                         template.CSS
	Groups                      []group
	Schemas                     []schemaView
}

type group struct {
	Name       string
	Operations []operationView
}

type operationView struct {
	Method, Path, ID, Summary, Description string
	Public                                 bool
	Parameters                             []property
	Body                                   string
	Answers                                []outcome
}

type outcome struct{ Status, Schema string }

type schemaView struct {
	Name       string
	Properties []property
}

type property struct {
	Name, Type, Description string
	Required                bool
}

func documentPage(spec *huma.OpenAPI) ([]byte, error) {
	tmpl, err := template.New("document").Parse(documentHTML)
	if err != nil {
		return nil, err
	}
	view := page{
		Title: spec.Info.Title, Version: spec.Info.Version, Description: spec.Info.Description,
		CSS: template.CSS(documentCSS), Groups: groups(spec), Schemas: schemaViews(spec),
	}
	var out bytes.Buffer
	err = tmpl.Execute(&out, view)
	return out.Bytes(), err
}

// groups lists operations by tag, in the order of their paths.
func groups(spec *huma.OpenAPI) []group {
	var list []group
	for _, path := range sortedKeys(spec.Paths) {
		item := spec.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			i := slices.IndexFunc(list, func(g group) bool { return g.Name == op.Tags[0] })
			if i < 0 {
				i, list = len(list), append(list, group{Name: op.Tags[0]})
			}
			list[i].Operations = append(list[i].Operations, viewOperation(op))
		}
	}
	return list
}

func viewOperation(op *huma.Operation) operationView {
	view := operationView{
		Method: op.Method, Path: op.Path, ID: op.OperationID, Summary: op.Summary, Description: op.Description,
		Public: len(op.Security) == 0,
	}
	for _, p := range op.Parameters {
		view.Parameters = append(view.Parameters, property{p.Name + " (" + p.In + ")", typeText(p.Schema), p.Description, p.Required})
	}
	if op.RequestBody != nil {
		for kind, media := range op.RequestBody.Content { // there is one
			if view.Body = typeText(media.Schema); kind != "application/json" {
				view.Body = kind
			}
		}
	}
	for _, status := range sortedKeys(op.Responses) {
		schema := ""
		for kind, media := range op.Responses[status].Content { // there is one at most
			if schema = typeText(media.Schema); kind != "application/json" {
				schema = kind
			}
		}
		view.Answers = append(view.Answers, outcome{status, schema})
	}
	return view
}

func schemaViews(spec *huma.OpenAPI) []schemaView {
	schemas := spec.Components.Schemas.Map()
	list := make([]schemaView, 0, len(schemas))
	for _, name := range sortedKeys(schemas) {
		view := schemaView{Name: name}
		schema := schemas[name]
		for _, field := range sortedKeys(schema.Properties) {
			p := schema.Properties[field]
			view.Properties = append(view.Properties, property{field, typeText(p), p.Description, slices.Contains(schema.Required, field)})
		}
		list = append(list, view)
	}
	return list
}

// typeText writes a schema in a few words.
func typeText(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case s.Type == huma.TypeArray:
		return "list of " + typeText(s.Items)
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			words[i] = fmt.Sprint(v)
		}
		return strings.Join(words, " | ")
	}
	text := s.Type
	if s.Format != "" {
		text += " (" + s.Format + ")"
	}
	if s.Nullable {
		text += " or null"
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
