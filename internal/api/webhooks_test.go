package api

import (
	"strings"
	"testing"

	"keystile/internal/keystile"
)

func TestWebhooks(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	const path = "/api/webhooks"
	for _, body := range []string{
		`{"url":"ftp://hooks.test/"}`, `{"url":"hooks.test"}`, `{"url":"https://user:password@hooks.test/"}`, `{"url":"https://hooks.test/#x"}`,
		`{"url":"https://hooks.test/","events":["everything"]}`, `{"url":"https://` + strings.Repeat("h", 2050) + `/"}`,
	} {
		root.do("POST", path, body).want(422)
	}
	made := into[WebhookOnce](root.do("POST", path, `{"url":"https://hooks.test/in?token=hidden","events":["quota.hard_refused"],"description":"alerts"}`).want(201))
	if !strings.HasPrefix(made.Secret, "ksw_") || len(made.Secret) < 40 || !made.Enabled || made.CreatedBy != "root" || len(made.Events) != 1 {
		t.Errorf("made %+v", made)
	}
	one := path + "/" + made.ID
	root.do("PATCH", one, `{"url":"https://elsewhere.test/"}`).wantCode(422, "invalid")
	root.do("PATCH", one, `{"url":"https://elsewhere.test/","signing_secret":"ksw_guessed"}`).wantCode(422, "invalid")
	if is := into[Webhook](root.do("GET", one, nil).want(200)); is.URL != made.URL {
		t.Errorf("without the secret the URL became %q", is.URL)
	}
	moved := into[Webhook](root.do("PATCH", one, `{"url":"https://elsewhere.test/","signing_secret":"`+made.Secret+`"}`).want(200))
	if moved.URL != "https://elsewhere.test/" || moved.Description != "alerts" {
		t.Errorf("moved %+v", moved)
	}
	if off := into[Webhook](root.do("PATCH", one, `{"enabled":false,"events":[]}`).want(200)); off.Enabled || len(off.Events) != 0 || off.URL != moved.URL {
		t.Errorf("disabled %+v", off)
	}
	if d := into[Delivery](root.do("POST", one+"/test", nil).want(200)); d.State != "delivered" || d.LastStatus != 204 || d.Event != "webhook.test" {
		t.Errorf("test %+v", d)
	}
	for _, e := range s.events(keystile.EventFilter{ActionPrefix: "webhook."}) {
		for name, value := range e.Detail.Changes {
			if strings.Contains(value, "token=") || strings.Contains(value, "/in") {
				t.Errorf("event %s tells %s %q", e.Action, name, value)
			}
		}
	}
	root.do("DELETE", one, nil).want(204)
	root.do("DELETE", one, nil).wantCode(404, "not_found")
}

func TestWebhooksAreBounded(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	for range 50 {
		root.do("POST", "/api/webhooks", `{"url":"https://hooks.test/"}`).want(201)
	}
	root.do("POST", "/api/webhooks", `{"url":"https://hooks.test/"}`).wantCode(409, "conflict")
}
