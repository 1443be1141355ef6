package api

import (
	"cmp"
	"strings"

	"keystile/internal/keystile"
)

// ocsfVersion is that of the schema, https://schema.ocsf.io/1.3.0/classes/api_activity.
const ocsfVersion = "1.3.0"

// The class API Activity, and what is used of its enumerations.
const (
	ocsfCategory = 6    // Application Activity
	ocsfClass    = 6003 // API Activity

	ocsfCreate, ocsfRead, ocsfUpdate, ocsfDelete, ocsfOther = 1, 2, 3, 4, 99

	ocsfStatusUnknown, ocsfSuccess, ocsfFailure = 0, 1, 2
	ocsfInformational, ocsfLow, ocsfMedium      = 1, 2, 3
)

// ocsfEvent is an event in the words of OCSF. docs/operations/audit.md has the
// mapping. What has no place in it is in unmapped.
type ocsfEvent struct {
	ActivityID   int            `json:"activity_id"`
	ActivityName string         `json:"activity_name"`
	CategoryUID  int            `json:"category_uid"`
	CategoryName string         `json:"category_name"`
	ClassUID     int            `json:"class_uid"`
	ClassName    string         `json:"class_name"`
	TypeUID      int            `json:"type_uid"`
	TypeName     string         `json:"type_name"`
	Time         int64          `json:"time"` // milliseconds
	EndTime      int64          `json:"end_time,omitempty"`
	Count        int64          `json:"count,omitempty"`
	SeverityID   int            `json:"severity_id"`
	Severity     string         `json:"severity"`
	StatusID     int            `json:"status_id"`
	Status       string         `json:"status"`
	StatusCode   string         `json:"status_code,omitempty"`
	StatusDetail string         `json:"status_detail,omitempty"`
	Metadata     ocsfMetadata   `json:"metadata"`
	Actor        ocsfActor      `json:"actor"`
	API          ocsfAPI        `json:"api"`
	Source       ocsfEndpoint   `json:"src_endpoint"`
	HTTPRequest  *ocsfRequest   `json:"http_request,omitempty"`
	HTTPResponse *ocsfResponse  `json:"http_response,omitempty"`
	Resources    []ocsfResource `json:"resources,omitempty"`
	Unmapped     ocsfUnmapped   `json:"unmapped"`
}

type ocsfMetadata struct {
	Version string      `json:"version"`
	UID     string      `json:"uid"`
	Product ocsfProduct `json:"product"`
}

type ocsfProduct struct {
	Name    string `json:"name"`
	Vendor  string `json:"vendor_name"`
	Version string `json:"version,omitempty"`
}

type ocsfActor struct {
	User ocsfUser `json:"user"`
}

type ocsfUser struct {
	Name          string `json:"name"`
	CredentialUID string `json:"credential_uid,omitempty"`
}

type ocsfAPI struct {
	Operation string `json:"operation"`
	Service   struct {
		Name string `json:"name"`
	} `json:"service"`
	Request  *ocsfAPIRequest  `json:"request,omitempty"`
	Response *ocsfAPIResponse `json:"response,omitempty"`
}

type ocsfAPIRequest struct {
	UID string `json:"uid"`
}

type ocsfAPIResponse struct {
	Code         int    `json:"code,omitempty"`
	Error        string `json:"error,omitempty"`
	ErrorMessage string `json:"error_message,omitempty"`
}

type ocsfEndpoint struct {
	IP      string `json:"ip,omitempty"`
	Service string `json:"svc_name,omitempty"`
}

type ocsfRequest struct {
	UserAgent string `json:"user_agent"`
}

type ocsfResponse struct {
	Code int `json:"code"`
}

type ocsfResource struct {
	Type      string `json:"type"`
	Name      string `json:"name"`
	UID       string `json:"uid,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Version   string `json:"version,omitempty"`
}

type ocsfUnmapped struct {
	Result     string               `json:"result"`
	InProgress bool                 `json:"in_progress,omitempty"`
	Detail     keystile.EventDetail `json:"detail"`
}

func ocsfView(e keystile.Event, version string) ocsfEvent {
	activity, activityName := ocsfActivity(e.Action)
	severity, severityName, status, statusName := ocsfOutcome(e)
	o := ocsfEvent{
		ActivityID: activity, ActivityName: activityName,
		CategoryUID: ocsfCategory, CategoryName: "Application Activity", ClassUID: ocsfClass, ClassName: "API Activity",
		TypeUID: ocsfClass*100 + activity, TypeName: "API Activity: " + activityName,
		Time: e.Time.UnixMilli(), Count: e.Detail.Count, SeverityID: severity, Severity: severityName,
		StatusID: status, Status: statusName, StatusCode: e.Detail.Code, StatusDetail: e.Detail.Message,
		Metadata:  ocsfMetadata{ocsfVersion, e.ID, ocsfProduct{"Keystile", "Keystile", version}},
		Actor:     ocsfActor{ocsfUser{ocsfName(e), e.Detail.AccessKeyID}},
		Source:    ocsfEndpoint{IP: e.SourceIP},
		Resources: ocsfResources(e),
		Unmapped:  ocsfUnmapped{string(e.Result), e.Open, e.Detail},
	}
	if e.Detail.LastTime != nil {
		o.EndTime = e.Detail.LastTime.UnixMilli()
	}
	o.API.Operation, o.API.Service.Name = e.Action, "keystile"
	if strings.HasPrefix(e.Action, keystile.ActionPrefixS3) {
		o.API.Operation, o.API.Service.Name = strings.TrimPrefix(e.Action, keystile.ActionPrefixS3), "s3"
	}
	if e.RequestID != "" {
		o.API.Request = &ocsfAPIRequest{e.RequestID}
	}
	if e.Status != 0 {
		o.API.Response = &ocsfAPIResponse{e.Status, e.Detail.Code, e.Detail.Message}
		o.HTTPResponse = &ocsfResponse{e.Status}
	}
	if e.UserAgent != "" {
		o.HTTPRequest = &ocsfRequest{e.UserAgent}
	}
	if e.SourceIP == "" { // nobody on the network
		o.Source.Service = "keystile"
	}
	return o
}

// ocsfName is the account; where there is none, who it claims to be.
func ocsfName(e keystile.Event) string {
	if e.Detail.Anonymous {
		return "anonymous"
	}
	return cmp.Or(e.Account, e.Detail.AccessKeyID, "unknown")
}

func ocsfResources(e keystile.Event) (all []ocsfResource) {
	if e.Bucket != "" {
		all = append(all, ocsfResource{Type: "bucket", Name: e.Bucket, Namespace: e.Backend})
	}
	for _, key := range append([]string{e.Key}, e.Detail.Keys...) {
		if key != "" {
			all = append(all, ocsfResource{Type: "object", Name: key, Namespace: e.Backend + "/" + e.Bucket})
		}
	}
	if e.Key != "" && len(all) > 1 {
		all[1].Version = e.Detail.VersionID
	}
	if e.Detail.Target != "" {
		resource, _, _ := strings.Cut(e.Action, ".")
		all = append(all, ocsfResource{Type: resource, Name: e.Detail.Target})
	}
	return all
}

// ocsfVerbs are how acts begin, or which verb they have, by activity.
var ocsfVerbs = []struct {
	activity int
	name     string
	verbs    []string
}{
	{ocsfRead, "Read", []string{"get", "head", "list", "select", "show", "export", "tail", "chain", "anchors", "sinks", "download", "test", "use", "deliveries", "traffic", "health", "alerts", "count"}},
	{ocsfDelete, "Delete", []string{"delete", "abort", "remove", "revoke", "forget", "purge", "end", "clear", "retire"}},
	{ocsfUpdate, "Update", []string{"update", "rotate", "set", "enable", "disable", "lock", "unlock", "renew", "rename", "restore", "save", "reset", "scan", "repair"}},
	{ocsfCreate, "Create", []string{"put", "post", "create", "complete", "upload", "copy", "add", "adopt", "mint"}},
}

// ocsfActivity finds the kind of an act in its verb.
func ocsfActivity(action string) (id int, name string) {
	verb := action[strings.LastIndexByte(action, '.')+1:]
	for _, kind := range ocsfVerbs {
		for _, begins := range kind.verbs {
			if strings.HasPrefix(verb, begins) {
				return kind.activity, kind.name
			}
		}
	}
	return ocsfOther, "Other"
}

func ocsfOutcome(e keystile.Event) (severity int, severityName string, status int, statusName string) {
	switch {
	case e.Open || e.Result == keystile.ResultUnknown:
		return ocsfLow, "Low", ocsfStatusUnknown, "Unknown"
	case e.Result == keystile.ResultOK:
		return ocsfInformational, "Informational", ocsfSuccess, "Success"
	case e.Result == keystile.ResultDenied:
		return ocsfMedium, "Medium", ocsfFailure, "Failure"
	}
	return ocsfLow, "Low", ocsfFailure, "Failure"
}
