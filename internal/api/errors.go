package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// ErrorBody is the body of every answer that is no success.
type ErrorBody struct {
	Error     Error  `json:"error"`
	RequestID string `json:"request_id" doc:"names the request in the log and in the audit trail"`
}

// Error says what went wrong.
type Error struct {
	Code    string       `json:"code" enum:"invalid,invalid_range,unauthenticated,denied,csrf,not_found,conflict,name_taken,locked,not_empty,throttled,committed_not_confirmed,unavailable,internal,canceled,too_large,unsupported_media_type,timeout,misdirected"`
	Message string       `json:"message" doc:"for people"`
	Detail  *ErrorDetail `json:"detail,omitempty"`
}

// ErrorDetail is what a program can use of an error.
type ErrorDetail struct {
	Faults []Fault `json:"faults,omitempty" doc:"with code invalid: everything that is wrong with the request"`
	Target string  `json:"target,omitempty" doc:"with code committed_not_confirmed: the thing that was changed"`
}

// Fault is one thing wrong with one field.
type Fault struct {
	Field   string `json:"field" doc:"such as grants[0].prefix"`
	Message string `json:"message"`
}

// messages are what people read where an error brings no text of its own.
var messages = map[string]string{
	"invalid":                 "the request is not valid",
	"invalid_range":           "the object does not have the bytes that were asked for",
	"unauthenticated":         "sign in, or send a valid API token",
	"denied":                  "this account may not do that",
	"csrf":                    "the request does not prove that it comes from the dashboard",
	"not_found":               "there is no such thing",
	"conflict":                "the request conflicts with what is there",
	"name_taken":              "the name is taken",
	"locked":                  "it is locked",
	"not_empty":               "it is not empty",
	"throttled":               "too many attempts: wait",
	"committed_not_confirmed": "the change is committed, but not every gateway has confirmed it in time: repeat the call",
	"unavailable":             "something this depends on did not answer",
	"internal":                "something went wrong; the log has more under the request id",
	"canceled":                "the client has gone",
	"too_large":               "the request body is too large",
	"unsupported_media_type":  "send application/json",
	"timeout":                 "the request body came too slowly",
	"misdirected":             "this server does not go by that host name",
}

var (
	errNoRoute     = fmt.Errorf("no such route: %w", keystile.ErrNotFound)
	errMisdirected = errors.New("host not allowed")
	errMediaType   = errors.New("media type not allowed")
)

// classify adds the errors of HTTP itself to control's table.
func classify(err error) control.Outcome {
	switch {
	case errors.Is(err, errMisdirected):
		return control.Outcome{Status: http.StatusMisdirectedRequest, Code: "misdirected"}
	case errors.Is(err, errMediaType):
		return control.Outcome{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type"}
	}
	return control.Classify(err)
}

// problem is an error on its way to the client. It keeps the cause out of the
// answer and hands it to the log.
type problem struct {
	status int
	body   ErrorBody
	header http.Header
}

func newProblem(x *exchange, err error) *problem {
	outcome := classify(err)
	if outcome.Status >= http.StatusInternalServerError {
		x.cause = err
	}
	p := &problem{status: outcome.Status, header: http.Header{}}
	p.body = ErrorBody{Error{Code: outcome.Code, Message: messages[outcome.Code]}, x.id}
	p.explain(err)
	return p
}

// explain adds what the error's type says for the client.
func (p *problem) explain(err error) {
	var explained *control.Explained
	if errors.As(err, &explained) {
		p.body.Error.Message = explained.Message
	}
	var faults keystile.Faults
	if errors.As(err, &faults) {
		p.body.Error.Detail = &ErrorDetail{Faults: faultViews(faults)}
	}
	var pending *control.NotConfirmed
	if errors.As(err, &pending) {
		p.body.Error.Message = messages["committed_not_confirmed"]
		p.body.Error.Detail = &ErrorDetail{Target: pending.Target}
	}
	var throttled *control.Throttled
	if errors.As(err, &throttled) {
		p.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(throttled.Wait.Seconds()))))
	}
	var outside *control.RangeError
	if errors.As(err, &outside) && outside.Size >= 0 {
		p.header.Set("Content-Range", fmt.Sprintf("bytes */%d", outside.Size)) // RFC 9110, section 14.4
	}
	if p.status == http.StatusUnauthorized {
		p.header.Set("WWW-Authenticate", `Bearer realm="keystile"`)
	}
}

func faultViews(faults keystile.Faults) []Fault {
	views := make([]Fault, len(faults))
	for i, f := range faults {
		views[i] = Fault(f)
	}
	return views
}

func (p *problem) Error() string                { return p.body.Error.Code + ": " + p.body.Error.Message }
func (p *problem) GetStatus() int               { return p.status }
func (p *problem) GetHeaders() http.Header      { return p.header }
func (p *problem) MarshalJSON() ([]byte, error) { return json.Marshal(p.body) }

// humaCodes are the codes of what huma refuses before a handler sees it.
var humaCodes = map[int]string{
	http.StatusBadRequest:            "invalid",
	http.StatusUnprocessableEntity:   "invalid",
	http.StatusRequestTimeout:        "timeout",
	http.StatusRequestEntityTooLarge: "too_large",
	http.StatusUnsupportedMediaType:  "unsupported_media_type",
}

// translateHuma gives huma's own errors our shape. It drops the values that
// huma echoes: a password may be among them.
func translateHuma(ctx huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	ctx.SetHeader("Content-Type", "application/json")
	x := exchangeOf(ctx.Context())
	code := humaCodes[model.Status]
	if code == "" {
		code = "internal"
		x.cause = errors.New(model.Detail)
	}
	body := ErrorBody{Error{Code: code, Message: messages[code]}, x.id}
	if code == "invalid" {
		body.Error.Detail = &ErrorDetail{Faults: humaFaults(model)}
	}
	return body, nil
}

func humaFaults(model *huma.ErrorModel) []Fault {
	faults := make([]Fault, 0, len(model.Errors))
	for _, e := range model.Errors {
		faults = append(faults, humaFault(e.Location, e.Message))
	}
	if len(faults) == 0 {
		faults = append(faults, Fault{"body", model.Detail})
	}
	return faults
}

// humaFault names the field as the client does. A missing property is reported
// at its parent, with its name in a text that huma publishes the form of.
func humaFault(location, message string) Fault {
	field := location
	for _, place := range []string{"body.", "query.", "path.", "header."} {
		if inner, ok := strings.CutPrefix(location, place); ok {
			field = inner
			break
		}
	}
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	if rest, ok := strings.CutPrefix(message, before); ok {
		if name, ok := strings.CutSuffix(rest, after); ok {
			return Fault{strings.TrimPrefix(field+"."+name, "body."), "is required"}
		}
	}
	return Fault{field, message}
}

// invalidStatus gives every malformed request the one status that the contract
// has for it.
type invalidStatus struct{ humaContext }

type humaContext huma.Context

func (c invalidStatus) SetStatus(code int) {
	if code == http.StatusBadRequest {
		code = http.StatusUnprocessableEntity
	}
	c.humaContext.SetStatus(code)
}

// Unwrap lets huma's adapter find its own context.
func (c invalidStatus) Unwrap() huma.Context { return c.humaContext }
