package api

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"keystile/internal/control"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

// A member sees what was done to its project's user and with its key, and by whom;
// nobody's address or token, and nothing of what others did or tried.
func TestEventsOfAnRGWUser(t *testing.T) {
	s, project, other := crew(t)
	ctx, system := t.Context(), control.System()
	made, err := s.control.RGWUsers.Create(ctx, system, control.NewRGWUser{Name: "ours", ProjectID: project, BackendID: "main"})
	must(t, err)
	theirs, err := s.control.RGWUsers.Create(ctx, system, control.NewRGWUser{Name: "theirs " + made.ID, ProjectID: other, BackendID: "main"})
	must(t, err)
	path := "/rgw/users/" + made.ID
	s.as("root").do("PATCH", path, `{"locked":true,"lock_reason":"audit under way"}`).want(200)
	s.as("wim").do("DELETE", path, nil).wantCode(409, "locked")
	s.as("mona").do("PATCH", path, `{"name":"mine"}`).want(403)
	s.as("uma").do("PATCH", path, `{"name":"hers"}`).want(404)
	s.as("uma").do("POST", path+"/forget", nil).want(403)
	s.as("uma").do("PATCH", "/rgw/users/"+theirs.ID, `{"name":"`+made.ID+`"}`).want(200)
	must(t, s.store.Write(ctx, func(tx store.Tx) error {
		return tx.AppendEvents(keyEvents(made.RGWUser, s.clock.now()))
	}))

	for _, who := range []string{"mona", "wim", "olga", "rory", "root"} {
		t.Run(who, func(t *testing.T) {
			got := into[List[Event]](s.as(who).on(t).do("GET", path+"/events", nil).want(200)).Items
			want := []string{"rgw.user.update denied mona", "rgw.user.delete denied wim", "rgw.user.lock ok root", "rgw.user.create ok system"}
			if told := told(got); !slices.Equal(told, want) {
				t.Errorf("done to it: %q", told)
			}
			for _, e := range got {
				if e.SourceIP != "" || e.UserAgent != "" || e.Detail.TokenID != "" {
					t.Errorf("it tells from where, or with what: %+v", e)
				}
			}
			got = into[List[Event]](s.as(who).on(t).do("GET", path+"/events?done=with", nil).want(200)).Items
			want = []string{"s3.proxy.putobject ok uma", "s3.proxy.getobject denied ", "s3.proxy.putobject ok "}
			if told := told(got); !slices.Equal(told, want) {
				t.Fatalf("done with its key: %q", told)
			}
			if got[0].SourceIP != "" || got[2].SourceIP != "192.0.2.1" || got[2].Key != "k" {
				t.Errorf("from %q by an account's URL, from %q by the key for %q", got[0].SourceIP, got[2].SourceIP, got[2].Key)
			}
			if stranger := got[1]; stranger.SourceIP != "" || stranger.Bucket != "" || stranger.Key != "" || stranger.Detail.Authenticated || stranger.Detail.Code != "SignatureDoesNotMatch" {
				t.Errorf("of who only claims the key: %+v", stranger)
			}
		})
	}
	for who, c := range map[string]client{"an outsider": s.as("uma"), "a token of another project": s.bound("uma", other)} {
		for _, query := range []string{"", "?done=with"} {
			if a := c.do("GET", path+"/events"+query, nil); a.status != 404 || strings.Contains(string(a.body), "audit under way") {
				t.Errorf("%s: %d %s", who, a.status, a.body)
			}
		}
	}
}

// keyEvents are what the gateway would record of a user's key: before it was
// managed here, with it, by an account's upload URL, and by who only claims it; and
// what an admin decides of its recording.
func keyEvents(u keystile.RGWUser, now time.Time) []keystile.Event {
	event := func(age time.Duration, action, account, from string, authenticated bool) keystile.Event {
		return keystile.Event{
			ID: uuid.Must(uuid.NewV7()).String(), Time: now.Add(-age), Action: action, Result: keystile.ResultOK, Status: 200, Account: account, SourceIP: from, RequestID: uuid.Must(uuid.NewV7()).String(),
			Bucket: "b", Key: "k", Detail: keystile.EventDetail{AccessKeyID: u.AccessKeyID, Authenticated: authenticated},
		}
	}
	claimed := event(0, "s3.proxy.getobject", "", "192.0.2.2", false)
	claimed.Result, claimed.Status, claimed.Detail.Code = keystile.ResultDenied, 403, "SignatureDoesNotMatch"
	return []keystile.Event{
		event(now.Sub(u.CreatedAt)+time.Hour, "s3.proxy.putobject", "", "192.0.2.9", true),
		event(0, "s3.proxy.putobject", "", "192.0.2.1", true),
		claimed,
		event(0, "s3.proxy.putobject", "uma", "192.0.2.3", true),
		event(0, "audit.sampling.update", "root", "192.0.2.4", true),
	}
}

func told(events []Event) []string {
	var all []string
	for _, e := range events {
		all = append(all, e.Action+" "+e.Result+" "+e.Account)
	}
	return all
}
