package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// who asks, in the order of the columns.
var whoAsks = []string{"member", "writer", "owner", "admin", "outsider", "token"}

// contractRow is a call of the contract, as everybody makes it. In path and body ID stands for the
// user, BUCKET for its bucket, which holds the object k, EMPTY for one that holds
// nothing, SPARE for a user without buckets, JOB for the ended deletion of another,
// and NEW for a fresh name.
type contractRow struct {
	name, method, path, body string
	want                     [6]int // in the order of whoAsks
	locked                   bool   // the user is
}

// uploadForm as a body stands for a form with a file.
const uploadForm = "form"

// TestRGWContractWhoMay tries every call as everybody. What reads is tried at one
// user, what writes at one for each who asks.
func TestRGWContractWhoMay(t *testing.T) {
	for _, kind := range homesUnderTest {
		t.Run(kind, func(t *testing.T) {
			s, _ := startRGW(t, kind, "")
			s.crew()
			reads, writes, admins := [6]int{200, 200, 200, 200, 404, 200}, [6]int{403, 200, 200, 200, 404, 200}, [6]int{403, 403, 403, 200, 404, 403}
			created, deleted := writes, writes
			refused := [6]int{403, 409, 409, 409, 404, 409}
			for i := range writes {
				if writes[i] == 200 {
					created[i], deleted[i] = 201, 204
				}
			}
			taken := [6]int{403, 202, 202, 202, 404, 202}
			for n, row := range []contractRow{
				{name: "list", method: "GET", path: "?project_id=PROJECT", want: reads},
				{name: "show", method: "GET", path: "/ID", want: reads},
				{name: "events", method: "GET", path: "/ID/events", want: reads},
				{name: "events with its key", method: "GET", path: "/ID/events?done=with", want: reads},
				{name: "list buckets", method: "GET", path: "/ID/buckets", want: reads},
				{name: "show a bucket", method: "GET", path: "/ID/buckets/BUCKET", want: reads},
				{name: "show an ACL", method: "GET", path: "/ID/buckets/BUCKET/acl", want: reads},
				{name: "list objects", method: "GET", path: "/ID/buckets/BUCKET/objects", want: reads},
				{name: "download", method: "GET", path: "/ID/buckets/BUCKET/objects/download?key=k", want: reads},
				{name: "metadata", method: "GET", path: "/ID/buckets/BUCKET/objects/metadata?key=k", want: reads},
				{name: "create", method: "POST", path: "", body: `{"user":{"name":"NEW","project_id":"PROJECT","backend_id":"BACKEND"}}`, want: created},
				{name: "rename", method: "PATCH", path: "/ID", body: `{"name":"NEW"}`, want: writes},
				{name: "renew", method: "POST", path: "/ID/renew_key", want: writes},
				{name: "create a bucket", method: "POST", path: "/ID/buckets", body: `{"name":"NEW"}`, want: created},
				{name: "set an ACL", method: "PUT", path: "/ID/buckets/BUCKET/acl", body: `{"acl":"private"}`, want: writes},
				{name: "delete an object", method: "DELETE", path: "/ID/buckets/BUCKET/objects?key=k", want: deleted},
				{name: "upload URL", method: "POST", path: "/ID/buckets/BUCKET/objects/upload_url", body: `{"key":"k2"}`, want: writes},
				{name: "delete a full bucket", method: "DELETE", path: "/ID/buckets/BUCKET", want: refused},
				{name: "delete a user with objects", method: "DELETE", path: "/ID", want: refused},
				{name: "create with a quota", method: "POST", path: "", body: `{"user":{"name":"NEW","project_id":"PROJECT","backend_id":"BACKEND","quota":{"max_size_kb":1,"enabled":true}}}`, want: [6]int{403, 403, 403, 201, 404, 403}},
				{name: "quota", method: "PATCH", path: "/ID", body: `{"quota":{"max_size_kb":9}}`, want: admins},
				{name: "a quota that changes nothing", method: "PATCH", path: "/ID", body: `{"quota":{"max_size_kb":524288000,"enabled":true}}`, want: admins},
				{name: "quota with a name", method: "PATCH", path: "/ID", body: `{"name":"NEW","quota":{"enabled":false}}`, want: admins},
				{name: "a null quota with a name", method: "PATCH", path: "/ID", body: `{"name":"NEW","quota":null}`, want: [6]int{403, 403, 403, 422, 404, 403}},
				{name: "lock", method: "PATCH", path: "/ID", body: `{"locked":true,"lock_reason":"because"}`, want: admins},
				{name: "unlock what is not locked", method: "PATCH", path: "/ID", body: `{"locked":false}`, want: admins},
				{name: "lock reason", method: "PATCH", path: "/ID", body: `{"lock_reason":null}`, want: admins},
				{name: "list without a project", method: "GET", path: "", want: [6]int{422, 422, 422, 200, 422, 200}},
				{name: "upload", method: "POST", path: "/ID/buckets/BUCKET/objects", body: uploadForm, want: created},
				{name: "delete an empty bucket", method: "DELETE", path: "/ID/buckets/EMPTY", want: deleted},
				{name: "delete a user without buckets", method: "DELETE", path: "/SPARE", want: deleted},
				{name: "delete a user with all its objects", method: "DELETE", path: "/SPARE?purge_objects=true", want: taken},
				{name: "show a job", method: "GET", path: "/rgw/jobs/JOB", want: reads},
				{name: "cancel a job that has ended", method: "DELETE", path: "/rgw/jobs/JOB", want: refused},
				{name: "renew a locked user", method: "POST", path: "/ID/renew_key", want: writes, locked: true},
				{name: "delete a locked user", method: "DELETE", path: "/ID", want: refused, locked: true},
				{name: "delete a locked user with all its objects", method: "DELETE", path: "/ID?purge_objects=true", want: refused, locked: true},
				{name: "unlock", method: "PATCH", path: "/ID", body: `{"locked":false}`, want: admins, locked: true},
				{name: "activate what is active", method: "PATCH", path: "/ID", body: `{"status":"active"}`, want: admins},
				{name: "status", method: "PATCH", path: "/ID", body: `{"status":"disabled"}`, want: admins},
			} {
				t.Run(row.name, func(t *testing.T) {
					inner := *s
					server := *s.server
					server.t, inner.server = t, &server
					inner.row(n, row)
				})
			}
		})
	}
}

// row asks as everybody. What was refused has changed nothing.
func (s *rgwSite) row(n int, row contractRow) {
	s.t.Helper()
	var u rgwUser
	var names *strings.Replacer
	for i, who := range whoAsks {
		if i == 0 || row.method != http.MethodGet {
			u, names = s.contractUser(fmt.Sprintf("u-%d-%d", n, i), row)
		}
		before := s.must(200, s.call("admin", "GET", u.path(""), nil))
		got := s.contractCall(who, u, names, row)
		if got.status != row.want[i] {
			s.t.Errorf("%s: %d, want %d: %s", who, got.status, row.want[i], got.body)
		}
		s.masked(who, got, row)
		if got.status/100 == 2 && !row.locked {
			continue
		}
		after := s.must(200, s.call("admin", "GET", u.path(""), nil))
		if got.status/100 != 2 && !bytes.Equal(after.body, before.body) {
			s.t.Errorf("%s was refused and changed something:\n%s\n%s", who, before.body, after.body)
		}
		if s3(s.t, s.S3Endpoint, u, "GET", "/"+names.Replace("BUCKET")+"/k", "") != 200 {
			s.t.Errorf("%s: the key or the object is gone", who)
		}
	}
}

// contractUser makes the user of a row, and what else the row names.
func (s *rgwSite) contractUser(name string, row contractRow) (rgwUser, *strings.Replacer) {
	s.t.Helper()
	u := s.user(name)
	bucket := "b" + u.id[:13]
	s.must(201, s.call("admin", "POST", u.path("/buckets"), `{"name":"`+bucket+`"}`))
	s.must(201, s.upload("admin", u, bucket, "k", []byte("data")))
	spare, job := "", ""
	switch {
	case strings.Contains(row.path, "EMPTY"):
		s.must(201, s.call("admin", "POST", u.path("/buckets"), `{"name":"`+bucket+`e"}`))
	case strings.Contains(row.path, "SPARE"):
		spare = s.user(name + "-spare").id
	case strings.Contains(row.path, "JOB"):
		gone := s.user(name + "-gone")
		job = s.must(202, s.call("admin", "DELETE", gone.path("?purge_objects=true"), nil)).text("id")
		s.ended(job)
	}
	if row.locked {
		s.must(200, s.call("admin", "PATCH", u.path(""), `{"locked":true,"lock_reason":"prod"}`))
	}
	return u, strings.NewReplacer("PROJECT", s.project, "BACKEND", s.backend, "BUCKET", bucket, "EMPTY", bucket+"e",
		"NEW", "new-"+u.id[:13], "SPARE", spare, "JOB", job, "ID", u.id)
}

func (s *rgwSite) contractCall(who string, u rgwUser, names *strings.Replacer, row contractRow) reply {
	s.t.Helper()
	path := names.Replace(row.path)
	switch {
	case row.body == uploadForm:
		return s.upload(who, u, names.Replace("BUCKET"), "k2", []byte("more"))
	case !strings.HasPrefix(path, "/rgw/"):
		path = "/rgw/users" + path
	}
	if row.body == "" {
		return s.call(who, row.method, path, nil)
	}
	return s.call(who, row.method, path, names.Replace(row.body))
}

// masked: a secret is in the answers that make one, and in no other.
func (s *rgwSite) masked(who string, got reply, row contractRow) {
	s.t.Helper()
	secret := got.text("secret_key")
	makes := row.method == http.MethodPost && (row.path == "" || strings.HasSuffix(row.path, "renew_key")) && !row.locked
	switch {
	case makes && got.status/100 == 2:
		if len(secret) != 40 {
			s.t.Errorf("%s is shown %q", who, secret)
		}
	case secret != "<nil>" && secret != "********":
		s.t.Errorf("%s is shown a secret", who)
	}
}
