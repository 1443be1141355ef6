package keystile_test

import (
	"testing"
	"time"

	"keystile/internal/keystile"
)

func TestFilterMatches(t *testing.T) {
	at := time.Unix(1000, 0)
	e := keystile.Event{
		Time: at, Action: "s3.proxy.putobject", Result: keystile.ResultOK, Account: "alice", Backend: "prod", Bucket: "photos", Key: "2026/cat.jpg",
		RequestID: "r", Detail: keystile.EventDetail{AccessKeyID: "AK", Message: "whiskers"},
	}
	for _, tt := range []struct {
		name string
		f    keystile.EventFilter
		want bool
	}{
		{"nothing filters nothing", keystile.EventFilter{}, true},
		{"all that it is", keystile.EventFilter{
			ActionPrefix: "s3.proxy.", AccessKeyID: "AK", Account: "alice", Backend: "prod", Bucket: "photos", Key: "2026/cat.jpg", Result: keystile.ResultOK,
			RequestID: "r", Since: at, Until: at.Add(1),
		}, true},
		{"another action", keystile.EventFilter{ActionPrefix: "s3.proxy.get"}, false},
		{"another key id", keystile.EventFilter{AccessKeyID: "AK2"}, false},
		{"another account", keystile.EventFilter{Account: "ali"}, false},
		{"another backend", keystile.EventFilter{Backend: "b"}, false},
		{"another bucket", keystile.EventFilter{Bucket: "photo"}, false},
		{"a key that it begins with", keystile.EventFilter{Key: "2026/"}, false},
		{"another result", keystile.EventFilter{Result: keystile.ResultDenied}, false},
		{"another request", keystile.EventFilter{RequestID: "s"}, false},
		{"too early", keystile.EventFilter{Since: at.Add(1)}, false},
		{"the end is not in it", keystile.EventFilter{Until: at}, false},
		{"its words", keystile.EventFilter{Text: "CAT whisk"}, true},
		{"not all are its words", keystile.EventFilter{Text: "cat dog"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var words []string
			if tt.f.Text != "" {
				words = keystile.Words(tt.f.Text)
			}
			if got := tt.f.Matches(&e, words); got != tt.want {
				t.Errorf("Matches = %v", got)
			}
		})
	}
	e.Open = true
	if (keystile.EventFilter{}).Matches(&e, []string{"cat"}) {
		t.Error("words of an open event are found")
	}
}

func TestFaultsOfAuditViews(t *testing.T) {
	for name, v := range map[string]keystile.AuditView{
		"no name":        {Filter: map[string]string{"q": "x"}},
		"filters by all": {Name: "n"},
		"another field":  {Name: "n", Filter: map[string]string{"password": "x"}},
		"an empty value": {Name: "n", Filter: map[string]string{"q": ""}},
	} {
		if v.Check() == nil {
			t.Errorf("%s: no fault", name)
		}
	}
	good := keystile.AuditView{Name: "Refused today", Filter: map[string]string{"result": "denied", "since": "24h"}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
}
