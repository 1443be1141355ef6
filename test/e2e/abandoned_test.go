package e2e_test

import (
	"strings"
	"testing"
	"time"
)

// TestRefusedUploadsThatAreLeftAreAborted has a user's quota refuse a part: that of a
// gateway that is the user's home, and a Ceph's own. The gateway is killed before
// anything more happens. The upload is aborted all the same, by the one that comes
// after, and its room is the user's again; one that was left without having been
// refused stays.
func TestRefusedUploadsThatAreLeftAreAborted(t *testing.T) {
	for _, kind := range homesUnderTest {
		t.Run(kind, func(t *testing.T) {
			t.Parallel() // it mostly waits
			const after = "KEYSTILE_S3_PROXY_ABORT_REFUSED_UPLOADS_AFTER=5s"
			s, _ := startRGW(t, kind, "", after)
			u := s.user("leaver")
			bucket := "l" + u.id[:13]
			s.must(201, s.call("admin", "POST", u.path("/buckets"), `{"name":"`+bucket+`"}`))
			s.must(200, s.call("admin", "PATCH", u.path(""), `{"quota":{"max_size_kb":16,"enabled":true}}`))
			do := func(method, key, query, body string) (int, string) {
				t.Helper()
				return s.signed(s.S3Endpoint, u, method, "/"+bucket+"/"+key, query, body, "", "")
			}
			begin := func(key string) string {
				t.Helper()
				status, answer := do("POST", key, "uploads=", "")
				id := uploadID.FindStringSubmatch(answer)
				if status != 200 || id == nil {
					t.Fatalf("beginning an upload: %d %s", status, answer)
				}
				return id[1]
			}
			part := func(key, id, number string, size, want int) {
				t.Helper()
				if status, answer := do("PUT", key, "partNumber="+number+"&uploadId="+id, strings.Repeat("x", size)); status != want {
					t.Fatalf("part %s of %s: %d, want %d: %s", number, key, status, want, answer)
				}
			}
			refused, left := begin("refused"), begin("left")
			part("left", left, "1", 4096, 200) // a Ceph counts blocks of so many bytes
			part("refused", refused, "1", 8192, 200)
			part("refused", refused, "2", 8192, 507)
			time.Sleep(time.Second) // a refusal is kept some tenths of a second later
			s.kill()
			s.server = start(t, s.data, s.server.token, after)
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
				status, answer := do("GET", "", "uploads=", "")
				if status == 200 && !strings.Contains(answer, refused) {
					if !strings.Contains(answer, left) {
						t.Errorf("an upload of which nothing was refused is gone too: %s", answer)
					}
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("the upload stays: %d %s\n%s", status, answer, s.stderr)
				}
			}
			part("refused", refused, "1", 10, 404)
			if status, answer := do("PUT", "next", "", strings.Repeat("x", 8192)); status != 200 {
				t.Errorf("the room is not free: %d %s", status, answer)
			}
			events := s.audit("--action", "quota.abort_upload")
			if len(events) != 1 {
				t.Fatalf("%d events, want 1", len(events))
			}
			if e := events[0]; e.Result != "ok" || e.Bucket != bucket || e.Key != "refused" || e.Detail.Bytes != 8192 || e.Detail.AccessKeyID != u.key {
				t.Errorf("the event is %+v", e)
			}
		})
	}
}
