package api

import (
	"encoding/json"
	"os"
	"path/filepath"
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
	project := into[Project](in.do("POST", "/api/projects", `{"name":"Data"}`).want(201))
	user := into[RGWUser](in.do("POST", "/rgw/users", `{"user":{"name":"u","project_id":"`+project.ID+`","backend_id":"main"}}`).want(201))
	secrets["RGW user"] = user.SecretKey
	secrets["renewed RGW user"] = into[RGWUser](in.do("POST", "/rgw/users/"+user.ID+"/renew_key", nil).want(200)).SecretKey
	in.do("POST", "/api/backends/ceph-1/buckets/uploads/quota/scan", nil).want(200)
	hook := into[WebhookOnce](in.do("POST", "/api/webhooks", `{"url":"https://hooks.test/path"}`).want(201))
	secrets["webhook"] = hook.Secret
	in.do("PATCH", "/api/webhooks/"+hook.ID, `{"url":"https://other.test/","signing_secret":"`+hook.Secret+`"}`).want(200)
	in.do("POST", "/api/webhooks/"+hook.ID+"/test", nil).want(200)
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
		if strings.HasPrefix(op.path, "/rgw/users/") || strings.HasPrefix(op.path, "/rgw/jobs/") || strings.HasPrefix(op.path, "/rgw/backends/") {
			continue // below
		}
		path := strings.NewReplacer("{access_key_id}", created.AccessKeyID, "{backend}", "ceph-1", "{name}", "dora", "{id}", project.ID, "{bucket}", "uploads", "{webhook}", hook.ID).Replace(op.path)
		if id != "getEvent" && id != "listBuckets" {
			later["GET "+path] = string(in.do("GET", path, nil).want(200).body)
		}
	}
	later["RGW user"] = string(in.do("GET", "/rgw/users/"+user.ID, nil).want(200).body) +
		string(in.do("PATCH", "/rgw/users/"+user.ID, `{"locked":true}`).want(200).body) +
		string(in.do("POST", "/rgw/users/"+user.ID+"/renew_key", nil).want(200).body)
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
