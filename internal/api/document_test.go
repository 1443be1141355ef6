package api

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// openAPI is what the tests look at of the served document.
type openAPI struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Summary     string
		Tags        []string
		Security    []map[string][]string
		Responses   map[string]struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				}
			}
		}
		RequestBody *struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				}
			}
		} `json:"requestBody"`
	}
	Components struct {
		Schemas map[string]struct {
			Properties map[string]struct {
				Type any
				Enum []string
			}
		}
	}
}

// unnamed answers are no JSON objects: files, a stream, and a bare list.
var unnamed = map[string]bool{"exportEvents": true, "exportEventLines": true, "tailEvents": true, "exportUsage": true, "downloadRGWObject": true, "listRGWBuckets": true}

func document(t *testing.T) (doc openAPI) {
	t.Helper()
	newSite(t).nobody().do("GET", "/api/openapi.json", nil).want(200).into(&doc)
	return doc
}

// The document is good for generating a client: operations are named and
// grouped, answers have schemas with names, errors have theirs.
func TestOpenAPIOperations(t *testing.T) {
	doc := document(t)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("version %q", doc.OpenAPI)
	}
	identifier := regexp.MustCompile(`^[a-z][A-Za-z]+$`)
	for path, item := range doc.Paths {
		for method, op := range item {
			if !identifier.MatchString(op.OperationID) || op.Summary == "" || len(op.Tags) != 1 {
				t.Errorf("%s %s: id %q, summary %q, tags %v", method, path, op.OperationID, op.Summary, op.Tags)
			}
			if len(op.Security) == 0 && !public[op.OperationID] {
				t.Errorf("%s is open to anyone", op.OperationID)
			}
			for status, r := range op.Responses {
				if status == "200" && unnamed[op.OperationID] {
					continue
				}
				ref := r.Content["application/json"].Schema.Ref
				if status == "204" != (ref == "") || status == "default" && ref != "#/components/schemas/ErrorBody" {
					t.Errorf("%s answers %s with %q", op.OperationID, status, ref)
				}
			}
			if op.RequestBody != nil && op.OperationID != "uploadRGWObject" && op.RequestBody.Content["application/json"].Schema.Ref == "" {
				t.Errorf("%s takes a body without a name", op.OperationID)
			}
		}
	}
}

// No schema shows a secret but those of the answers that make one.
func TestOpenAPISchemas(t *testing.T) {
	doc := document(t)
	secret := regexp.MustCompile(`secret|password|^token$|hash$`)
	shows := map[string]bool{"CredentialWithSecret": true, "TokenWithValue": true, "AccountWithPassword": true, "GeneratedPassword": true, "RGWUser": true, "WebhookOnce": true}
	// The hash of a record of the journal is for everybody to keep.
	known := map[string]bool{"Chain.hash": true, "Anchor.hash": true}
	takes := regexp.MustCompile(`^(New|SignIn$|Password(Change|Reset)$)|Edit$`)
	for name, schema := range doc.Components.Schemas {
		if strings.Contains(name, ":") || strings.HasPrefix(name, "Huma") || name == "ErrorModel" {
			t.Errorf("schema %s is not ours", name)
		}
		for field, p := range schema.Properties {
			if secret.MatchString(field) && !known[name+"."+field] && !shows[name] && !takes.MatchString(name) {
				t.Errorf("schema %s has the field %s", name, field)
			}
			if kinds, ok := p.Type.([]any); ok && kinds[0] == "array" {
				t.Errorf("list %s.%s may be null", name, field)
			}
		}
	}
	if enum := doc.Components.Schemas["Credential"].Properties["status"].Enum; strings.Join(enum, ",") != "active,disabled,expired,revoked" {
		t.Errorf("statuses %v", enum)
	}
	codes := doc.Components.Schemas["Error"].Properties["code"].Enum
	for code := range messages {
		if !slices.Contains(codes, code) {
			t.Errorf("the error code %s is not in the document", code)
		}
	}
	for _, name := range []string{"Credential", "CredentialList", "Grant", "Backend", "Event", "EventList", "Account", "Token", "Session", "Overview", "Traffic", "TrafficHour", "CredentialTraffic", "HealthSampleList", "ErrorBody", "Fault"} {
		if _, ok := doc.Components.Schemas[name]; !ok {
			t.Errorf("there is no schema %s", name)
		}
	}
}

func TestOpenAPIAsYAML(t *testing.T) {
	text := string(newSite(t).nobody().do("GET", "/api/openapi.yaml", nil).want(200).body)
	if !strings.Contains(text, "operationId: createCredential") {
		t.Errorf("YAML: %.200s", text)
	}
}

func TestTheDashboardsDocumentIsFresh(t *testing.T) {
	want, err := Document()
	must(t, err)
	got, err := os.ReadFile("../../web/openapi.json")
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Error("web/openapi.json is stale: run make web-generate")
	}
}
