package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRGWContractCalls makes every call of the contract as an admin, and the
// mistakes beside it that the contract names. Who may is TestRGWContractWhoMay's;
// locks, renewals and deletions are TestRGWKeysLife's.
func TestRGWContractCalls(t *testing.T) {
	for _, kind := range homesUnderTest {
		t.Run(kind, func(t *testing.T) {
			s, _ := startRGW(t, kind, "")
			u, other := s.user("first"), s.user("second")
			bucket, theirs := "b"+u.id[:13], "t"+other.id[:13]
			names := strings.NewReplacer("THEIRS", theirs, "BUCKET", bucket, "PROJECT", s.project, "BACKEND", s.backend, "OTHER", other.id, "ID", u.id)
			s.must(201, s.call("admin", "POST", other.path("/buckets"), `{"name":"`+theirs+`"}`))
			more := 422 // ACLs that only a Ceph has
			if kind == "ceph" {
				more = 200
			}
			for _, call := range []struct {
				name, method, path, body string
				status                   int
				holds                    string // in the answer
			}{
				{"list a page", "GET", "/rgw/users?project_id=PROJECT&limit=1", "", 200, `"next_cursor":"`},
				{"list by name", "GET", "/rgw/users?project_id=PROJECT&name=fir", "", 200, `"name":"first"`},
				{"create without a name", "POST", "/rgw/users", `{"user":{"name":"","project_id":"PROJECT","backend_id":"BACKEND"}}`, 422, `"code":"invalid"`},
				{"create on no backend", "POST", "/rgw/users", `{"user":{"name":"x","project_id":"PROJECT","backend_id":"nowhere"}}`, 422, `"code":"invalid"`},
				{"create with a taken name", "POST", "/rgw/users", `{"user":{"name":"first","project_id":"PROJECT","backend_id":"BACKEND"}}`, 409, `"code":"name_taken"`},
				{"rename to a taken name", "PATCH", "/rgw/users/ID", `{"name":"second"}`, 409, `"code":"name_taken"`},
				{"show", "GET", "/rgw/users/ID", "", 200, `"quota":{"max_size_kb":524288000,"enabled":true}`},
				{"show nobody", "GET", "/rgw/users/00000000-0000-4000-8000-000000000000", "", 404, `"code":"not_found"`},
				{"a quota below unlimited", "PATCH", "/rgw/users/ID", `{"quota":{"max_size_kb":-2}}`, 422, `"code":"invalid"`},
				{"no quota keeps the number", "PATCH", "/rgw/users/ID", `{"quota":{"enabled":false}}`, 200, `"quota":{"max_size_kb":524288000,"enabled":false}`},
				{"an unlimited quota", "PATCH", "/rgw/users/ID", `{"quota":{"max_size_kb":-1,"enabled":true}}`, 200, `"quota":{"max_size_kb":-1,"enabled":true}`},
				{"buckets when there are none", "GET", "/rgw/users/ID/buckets", "", 200, `[]`},
				{"create a bucket", "POST", "/rgw/users/ID/buckets", `{"name":"BUCKET"}`, 201, `"name":"BUCKET"`},
				{"create a bucket twice", "POST", "/rgw/users/ID/buckets", `{"name":"BUCKET"}`, 409, `"code":"conflict"`},
				{"create another's bucket", "POST", "/rgw/users/ID/buckets", `{"name":"THEIRS"}`, 409, `"code":"conflict"`},
				{"create a bucket of a reserved name", "POST", "/rgw/users/ID/buckets", `{"name":"admin"}`, 422, `"code":"invalid"`},
				{"buckets", "GET", "/rgw/users/ID/buckets", "", 200, `"name":"BUCKET"`},
				{"show a bucket", "GET", "/rgw/users/ID/buckets/BUCKET", "", 200, `"owner":"ID"`},
				{"show another's bucket", "GET", "/rgw/users/ID/buckets/THEIRS", "", 404, `"code":"not_found"`},
				{"delete another's bucket", "DELETE", "/rgw/users/ID/buckets/THEIRS", "", 404, `"code":"not_found"`},
				{"a new bucket's ACL", "GET", "/rgw/users/ID/buckets/BUCKET/acl", "", 200, `"acl":"private"`},
				{"public-read", "PUT", "/rgw/users/ID/buckets/BUCKET/acl", `{"acl":"public-read"}`, 200, ""},
				{"and it is so", "GET", "/rgw/users/ID/buckets/BUCKET/acl", "", 200, `"acl":"public-read"`},
				{"public-read-write", "PUT", "/rgw/users/ID/buckets/BUCKET/acl", `{"acl":"public-read-write"}`, more, ""},
				{"authenticated-read", "PUT", "/rgw/users/ID/buckets/BUCKET/acl", `{"acl":"authenticated-read"}`, more, ""},
				{"an ACL that there is not", "PUT", "/rgw/users/ID/buckets/BUCKET/acl", `{"acl":"everything"}`, 422, `"code":"invalid"`},
				{"another's ACL", "PUT", "/rgw/users/ID/buckets/THEIRS/acl", `{"acl":"private"}`, 404, `"code":"not_found"`},
				{"objects when there are none", "GET", "/rgw/users/ID/buckets/BUCKET/objects", "", 200, `[]`},
				{"objects of another's bucket", "GET", "/rgw/users/ID/buckets/THEIRS/objects", "", 404, `"code":"not_found"`},
				{"download what is not there", "GET", "/rgw/users/ID/buckets/BUCKET/objects/download?key=none", "", 404, `"code":"not_found"`},
				{"an upload URL for too long", "POST", "/rgw/users/ID/buckets/BUCKET/objects/upload_url", `{"key":"k","expires_in":3601}`, 422, `"code":"invalid"`},
				{"an upload URL for another's bucket", "POST", "/rgw/users/ID/buckets/THEIRS/objects/upload_url", `{"key":"k"}`, 404, `"code":"not_found"`},
			} {
				var in any
				if call.body != "" {
					in = names.Replace(call.body)
				}
				r := s.call("admin", call.method, names.Replace(call.path), in)
				if r.status != call.status || !strings.Contains(string(r.body), names.Replace(call.holds)) {
					t.Errorf("%s: %d %s, want %d with %s", call.name, r.status, r.body, call.status, call.holds)
				}
			}
			s.objectsByContract(u, bucket)
			s.deletionsByContract(u, bucket)
		})
	}
}

// objectsByContract stores, lists, reads and deletes objects, and leaves one.
func (s *rgwSite) objectsByContract(u rgwUser, bucket string) {
	s.t.Helper()
	objects := u.path("/buckets/" + bucket + "/objects")
	for _, key := range []string{"docs/a.html", "docs/b", "c"} {
		s.must(201, s.upload("admin", u, bucket, key, []byte("<script>1</script>")))
	}
	list := string(s.must(200, s.call("admin", "GET", objects+"?prefix=d&delimiter=/", nil)).body)
	if !strings.Contains(list, `"docs/"`) || strings.Contains(list, "a.html") || strings.Contains(list, `"c"`) {
		s.t.Errorf("a list by prefix and delimiter: %s", list)
	}
	r := s.must(200, s.call("admin", "GET", objects+"/download?key=docs/a.html", nil))
	for name, want := range map[string]string{"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"} {
		if !strings.Contains(r.header.Get(name), want) {
			s.t.Errorf("a download has %s %q, want %s", name, r.header.Get(name), want)
		}
	}
	if r := s.must(206, s.call("admin", "GET", objects+"/download?key=c", nil, "Range", "bytes=1-6")); string(r.body) != "script" {
		s.t.Errorf("a range: %q", r.body)
	}
	if r := s.must(200, s.call("admin", "GET", objects+"/metadata?key=c", nil)); r.text("size_bytes") != "18" || len(r.text("etag")) != 32 {
		s.t.Errorf("metadata: %s", r.body)
	}
	made := s.must(200, s.call("admin", "POST", objects+"/upload_url", `{"key":"later"}`))
	until, err := time.Parse(time.RFC3339, made.text("expires_at"))
	must(s.t, err)
	if left := time.Until(until); made.text("method") != http.MethodPut || left < 10*time.Minute || left > 15*time.Minute {
		s.t.Errorf("an upload URL: %s, good for %v", made.text("method"), left)
	}
	for _, key := range []string{"docs/a.html", "docs/b"} {
		s.must(204, s.call("admin", "DELETE", objects+"?key="+key, nil))
	}
	if list := string(s.must(200, s.call("admin", "GET", objects, nil)).body); strings.Contains(list, "docs") || !strings.Contains(list, `"c"`) {
		s.t.Errorf("after two were deleted: %s", list)
	}
}

// deletionsByContract ends a user who has one bucket with one object.
func (s *rgwSite) deletionsByContract(u rgwUser, bucket string) {
	s.t.Helper()
	path := u.path("/buckets/" + bucket)
	for _, full := range []string{path, u.path("")} {
		if r := s.must(409, s.call("admin", "DELETE", full, nil)); r.text("code") != "not_empty" {
			s.t.Errorf("deleting what holds an object: %s", r.body)
		}
	}
	s.must(204, s.call("admin", "DELETE", path+"/objects?key=c", nil))
	s.must(204, s.call("admin", "DELETE", path, nil))
	s.must(404, s.call("admin", "GET", path, nil))
	s.must(201, s.call("admin", "POST", u.path("/buckets"), fmt.Sprintf(`{"name":%q}`, bucket)))
	s.must(204, s.call("admin", "DELETE", u.path(""), nil)) // with a bucket that holds nothing
	s.must(404, s.call("admin", "GET", u.path(""), nil))
}
