package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"keystile/internal/keystile"
)

// ocsfObject is what the schema, https://schema.ocsf.io/1.3.0/classes/api_activity,
// says of the class API Activity or of an object in it, as far as it is used here.
type ocsfObject struct {
	required   []string
	atLeastOne []string
	objects    map[string]ocsfObject // attributes that are objects, or lists of them
	enums      map[string][]float64
	named      map[string]map[float64]string // captions by id, of the attribute without _id
}

var ocsfSchema = ocsfObject{
	required: []string{"activity_id", "actor", "api", "category_uid", "class_uid", "metadata", "severity_id", "src_endpoint", "time", "type_uid"},
	enums: map[string][]float64{
		"activity_id": {0, 1, 2, 3, 4, 99}, "category_uid": {6}, "class_uid": {6003}, "severity_id": {0, 1, 2, 3, 4, 5, 6, 99}, "status_id": {0, 1, 2, 99},
		"type_uid": {600300, 600301, 600302, 600303, 600304, 600399},
	},
	named: map[string]map[float64]string{
		"activity_name": {0: "Unknown", 1: "Create", 2: "Read", 3: "Update", 4: "Delete", 99: "Other"},
		"severity":      {0: "Unknown", 1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical", 6: "Fatal", 99: "Other"},
		"status":        {0: "Unknown", 1: "Success", 2: "Failure", 99: "Other"},
	},
	objects: map[string]ocsfObject{
		"metadata": {required: []string{"product", "version"}, objects: map[string]ocsfObject{"product": {required: []string{"vendor_name"}, atLeastOne: []string{"name", "uid"}}}},
		"actor": {atLeastOne: []string{"process", "user", "session", "app_name", "app_uid"}, objects: map[string]ocsfObject{
			"user": {atLeastOne: []string{"account", "name", "uid"}},
		}},
		"api": {required: []string{"operation"}, objects: map[string]ocsfObject{
			"request": {required: []string{"uid"}}, "service": {atLeastOne: []string{"name", "uid"}}, "response": {},
		}},
		"src_endpoint":  {atLeastOne: []string{"ip", "uid", "name", "hostname", "svc_name", "instance_uid", "interface_uid", "interface_name", "domain"}},
		"http_request":  {},
		"http_response": {required: []string{"code"}},
		"resources":     {atLeastOne: []string{"name", "uid"}},
	},
}

// faults walks a value; an attribute that is empty is as good as none.
func (o ocsfObject) faults(at string, value map[string]any) (all []string) {
	has := func(name string) bool { v, ok := value[name]; return ok && v != "" && v != nil }
	for _, name := range o.required {
		if !has(name) {
			all = append(all, at+name+" is required")
		}
	}
	if len(o.atLeastOne) > 0 && !slices.ContainsFunc(o.atLeastOne, has) {
		all = append(all, fmt.Sprintf("%s has none of %q", at, o.atLeastOne))
	}
	for name, allowed := range o.enums {
		if v, ok := value[name].(float64); value[name] != nil && (!ok || !slices.Contains(allowed, v)) {
			all = append(all, fmt.Sprintf("%s%s is %v", at, name, value[name]))
		}
	}
	for name, inner := range o.objects {
		list, isList := value[name].([]any)
		if !isList && value[name] != nil {
			list = []any{value[name]}
		}
		for _, one := range list {
			object, ok := one.(map[string]any)
			if !ok {
				all = append(all, at+name+" is no object")
			}
			all = append(all, inner.faults(at+name+".", object)...)
		}
	}
	return all
}

// Every event, of whatever act, result and caller, has what the schema requires,
// and numbers and captions that it knows and that agree.
func TestEventsKeepToTheSchemaOfOCSF(t *testing.T) {
	actions := []string{
		"s3.proxy.getobject", "s3.proxy.putobject", "s3.proxy.deleteobjects", "s3.proxy.abortmultipartupload", "s3.proxy.unknown", "credential.create",
		"credential.rotate", "credential.revoke", "rgw.user.renew_key", "session.create", "audit.incomplete", "audit.retire", "server.stop", "",
	}
	walked := 0
	for _, action := range actions {
		for _, result := range []keystile.Result{keystile.ResultOK, keystile.ResultDenied, keystile.ResultError, keystile.ResultUnknown} {
			for _, open := range []bool{false, true} {
				for _, e := range []keystile.Event{
					{},
					{Status: 403, Account: "alice", Backend: "prod", Bucket: "photos", Key: "a", SourceIP: "192.0.2.1", UserAgent: "aws-cli", RequestID: "r1",
						Detail: keystile.EventDetail{AccessKeyID: "AKIA1", Code: "AccessDenied", Message: "no", Keys: []string{"a", "b"}, Count: 3, LastTime: &ocsfTime, VersionID: "v"}},
					{Status: 200, Detail: keystile.EventDetail{Anonymous: true, Target: "photo archive"}},
				} {
					e.ID, e.Time, e.Action, e.Result, e.Open = "e1", ocsfTime, action, result, open
					walked++
					text, err := json.Marshal(ocsfView(e, "1.2"))
					must(t, err)
					var value map[string]any
					must(t, json.Unmarshal(text, &value))
					faults := ocsfSchema.faults("", value)
					if value["type_uid"] != 6003*100+value["activity_id"].(float64) {
						faults = append(faults, "type_uid does not follow from activity_id")
					}
					for caption, names := range ocsfSchema.named {
						id := map[string]string{"activity_name": "activity_id"}[caption]
						if id == "" {
							id = caption + "_id"
						}
						if value[caption] != names[value[id].(float64)] {
							faults = append(faults, fmt.Sprintf("%s is %v for %v", caption, value[caption], value[id]))
						}
					}
					if action != "" && len(faults) > 0 || action == "" && !slices.Equal(faults, []string{"api.operation is required"}) {
						t.Errorf("%q, %s, open %v: %q in %s", action, result, open, faults, text)
					}
				}
			}
		}
	}
	t.Logf("%d events", walked)
}
