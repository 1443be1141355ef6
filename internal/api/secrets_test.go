package api

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every secret is shown in the one answer that makes it, and is nowhere after:
// in no later answer, no event, no log line, and in clear nowhere on the disk.
func TestSecretsAreShownOnce(t *testing.T) {
	s := newSite(t)
	in := s.signIn("root")
	secrets := map[string]string{
		"session key": cookieValue(in),
		"password":    sitePassword,
		"upstream":    "SeCrEt/OfTheUpstream+1234567890",
	}
	created := into[CredentialWithSecret](in.do("POST", "/api/credentials", `{"description":"d","grants":`+oneGrant+`}`).want(201))
	secrets["credential"] = created.SecretAccessKey
	one := "/api/credentials/" + created.AccessKeyID
	secrets["rotated"] = into[CredentialWithSecret](in.do("POST", one+"/rotate", `{"overlap":"1h"}`).want(200)).SecretAccessKey
	token := into[TokenWithValue](in.do("POST", "/api/tokens", `{"name":"ci"}`).want(201))
	secrets["token"] = token.Value
	secrets["made password"] = into[AccountWithPassword](in.do("POST", "/api/accounts", `{"name":"dora","role":"user"}`).want(201)).Password
	secrets["reset password"] = into[GeneratedPassword](in.do("POST", "/api/accounts/dora/password", nil).want(200)).Password
	in.do("POST", "/api/backends", `{"id":"ceph-1","endpoint":"https://s3.example.com","region":"r","access_key_id":"AK","secret_access_key":"`+secrets["upstream"]+`"}`).want(201)
	in.do("POST", "/api/backends/ceph-1/test", nil).want(200)
	// Failures too must not repeat what they were given.
	in.do("POST", "/api/accounts", `{"name":"dora","role":"user","password":"`+sitePassword+`"}`).want(409)
	in.do("POST", "/api/accounts", `{"name":"eve","role":1,"password":"`+sitePassword+`"}`).want(422)
	in.do("POST", "/api/session/password", `{"current_password":"wrong","new_password":"`+sitePassword+`"}`).want(422)
	in.do("PATCH", "/api/backends/ceph-1", `{"secret_access_key":"`+secrets["upstream"]+`","nonsense":1}`).want(422)
	s.nobody().with("Origin", s.url).do("POST", "/api/session", `{"username":"`+sitePassword+`","password":"wrong"}`).want(401)
	s.bearer(secrets["token"]+"x").do("GET", "/api/session", nil).want(401)

	later := map[string]string{"log": s.log.String()}
	for id, op := range operationsOf(t) {
		if op.method != "GET" {
			continue
		}
		path := strings.NewReplacer("{access_key_id}", created.AccessKeyID, "{backend}", "ceph-1", "{name}", "dora").Replace(op.path)
		if id != "getEvent" && id != "listBuckets" {
			later["GET "+path] = string(in.do("GET", path, nil).want(200).body)
		}
	}
	events, err := json.Marshal(into[List[Event]](in.do("GET", "/api/audit?limit=1000", nil)))
	must(t, err)
	later["events"] = string(events)
	files, err := filepath.Glob(s.file + "*")
	must(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		must(t, err)
		later[filepath.Base(file)] = string(content)
	}
	if len(later) < 15 || len(later["keystile.db"]) == 0 {
		t.Fatalf("looked at %d places only", len(later))
	}
	for kind, secret := range secrets {
		if len(secret) < 12 {
			t.Fatalf("%s: no secret was shown", kind)
		}
		for place, content := range later {
			if strings.Contains(content, secret) {
				t.Errorf("%s is in %s", kind, place)
			}
		}
	}
}

// The document is good for generating a client: operations are named and
// grouped, answers have schemas with names, errors have theirs.
func TestOpenAPIDocument(t *testing.T) {
	s := newSite(t)
	a := s.nobody().do("GET", "/api/openapi.json", nil).want(200)
	var doc struct {
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
	a.into(&doc)
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
				ref := r.Content["application/json"].Schema.Ref
				if status == "204" != (ref == "") || status == "default" && ref != "#/components/schemas/ErrorBody" {
					t.Errorf("%s answers %s with %q", op.OperationID, status, ref)
				}
			}
			if op.RequestBody != nil && op.RequestBody.Content["application/json"].Schema.Ref == "" {
				t.Errorf("%s takes a body without a name", op.OperationID)
			}
		}
	}
	secret := regexp.MustCompile(`secret|password|^token$|hash`)
	shows := map[string]bool{"CredentialWithSecret": true, "TokenWithValue": true, "AccountWithPassword": true, "GeneratedPassword": true}
	takes := regexp.MustCompile(`^(New|SignIn$|Password(Change|Reset)$)|Edit$`)
	for name, schema := range doc.Components.Schemas {
		if strings.Contains(name, ":") || strings.HasPrefix(name, "Huma") || name == "ErrorModel" {
			t.Errorf("schema %s is not ours", name)
		}
		for field, p := range schema.Properties {
			if secret.MatchString(field) && !shows[name] && !takes.MatchString(name) {
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
	for _, name := range []string{"Credential", "CredentialList", "Grant", "Backend", "Event", "EventList", "Account", "Token", "Session", "ErrorBody", "Fault"} {
		if _, ok := doc.Components.Schemas[name]; !ok {
			t.Errorf("there is no schema %s", name)
		}
	}
	if text := string(s.nobody().do("GET", "/api/openapi.yaml", nil).want(200).body); !strings.Contains(text, "operationId: createCredential") {
		t.Errorf("YAML: %.200s", text)
	}
}
