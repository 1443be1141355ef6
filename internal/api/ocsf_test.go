package api

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"keystile/internal/keystile"
)

var ocsfTime = time.Date(2026, 11, 25, 12, 0, 0, 123_456_000, time.UTC)

func TestAnEventInTheWordsOfOCSF(t *testing.T) {
	e := keystile.Event{
		ID: "e1", Time: ocsfTime, Action: "s3.proxy.deleteobjects", Result: keystile.ResultDenied, Status: 403, Account: "alice", Backend: "prod",
		Bucket: "photos", SourceIP: "192.0.2.1", UserAgent: "aws-cli", RequestID: "r1",
		Detail: keystile.EventDetail{AccessKeyID: "AKIA1", Authenticated: true, Code: "AccessDenied", Message: "no", Keys: []string{"a", "b"}, Count: 3, LastTime: &ocsfTime},
	}
	got, err := json.Marshal(ocsfView(e, "1.2"))
	must(t, err)
	want := `{
		"activity_id": 4, "activity_name": "Delete", "category_uid": 6, "category_name": "Application Activity",
		"class_uid": 6003, "class_name": "API Activity", "type_uid": 600304, "type_name": "API Activity: Delete",
		"time": 1795608000123, "end_time": 1795608000123, "count": 3, "severity_id": 3, "severity": "Medium", "status_id": 2, "status": "Failure",
		"status_code": "AccessDenied", "status_detail": "no",
		"metadata": {"version": "1.3.0", "uid": "e1", "product": {"name": "Keystile", "vendor_name": "Keystile", "version": "1.2"}},
		"actor": {"user": {"name": "alice", "credential_uid": "AKIA1"}},
		"api": {"operation": "deleteobjects", "service": {"name": "s3"}, "request": {"uid": "r1"}, "response": {"code": 403, "error": "AccessDenied", "error_message": "no"}},
		"src_endpoint": {"ip": "192.0.2.1"}, "http_request": {"user_agent": "aws-cli"}, "http_response": {"code": 403},
		"resources": [{"type": "bucket", "name": "photos", "namespace": "prod"}, {"type": "object", "name": "a", "namespace": "prod/photos"}, {"type": "object", "name": "b", "namespace": "prod/photos"}],
		"unmapped": {"result": "denied", "detail": {"access_key_id": "AKIA1", "authenticated": true, "code": "AccessDenied", "message": "no", "keys": ["a", "b"], "count": 3, "last_time": "2026-11-25T12:00:00.123456Z"}}
	}`
	var gotValue, wantValue any
	must(t, json.Unmarshal(got, &gotValue))
	must(t, json.Unmarshal([]byte(want), &wantValue))
	if !reflect.DeepEqual(gotValue, wantValue) {
		t.Errorf("%s", got)
	}
}

func TestWhatOCSFCallsAnAct(t *testing.T) {
	for action, want := range map[string]string{
		"s3.proxy.getobject": "Read", "s3.proxy.headobject": "Read", "s3.proxy.listobjectsv2": "Read", "s3.proxy.putobject": "Create",
		"s3.proxy.completemultipartupload": "Create", "s3.proxy.abortmultipartupload": "Delete", "credential.create": "Create",
		"credential.rotate": "Update", "credential.revoke": "Delete", "session.create": "Create", "account.disable": "Update",
		"webhook.deliveries": "Read", "audit.tail": "Read", "rgw.user.renew_key": "Update", "server.stop": "Other",
	} {
		if _, got := ocsfActivity(action); got != want {
			t.Errorf("%s is %s, want %s", action, got, want)
		}
	}
}

// The schema wants somebody, somewhere, of every event.
func TestOCSFNamesSomebody(t *testing.T) {
	for _, tt := range []struct {
		name string
		e    keystile.Event
		who  string
		from ocsfEndpoint
	}{
		{"a claimed key", keystile.Event{Detail: keystile.EventDetail{AccessKeyID: "AKIA1"}, SourceIP: "192.0.2.1"}, "AKIA1", ocsfEndpoint{IP: "192.0.2.1"}},
		{"anonymous", keystile.Event{Account: "x", Detail: keystile.EventDetail{Anonymous: true}}, "anonymous", ocsfEndpoint{Service: "keystile"}},
		{"nobody known", keystile.Event{}, "unknown", ocsfEndpoint{Service: "keystile"}},
	} {
		got := ocsfView(tt.e, "")
		if got.Actor.User.Name != tt.who || got.Source != tt.from {
			t.Errorf("%s: %+v at %+v", tt.name, got.Actor, got.Source)
		}
	}
	if got := ocsfView(keystile.Event{Open: true, Result: keystile.ResultUnknown}, ""); got.Status != "Unknown" || !got.Unmapped.InProgress {
		t.Errorf("one in progress: %+v", got)
	}
}
