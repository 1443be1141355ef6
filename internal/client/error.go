package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"keystile/internal/keystile"
)

// Error is a refusal by the server.
type Error struct {
	Status    int    // HTTP status
	Code      string // "invalid", "denied", …; empty if the answer was not the API's
	Message   string
	Faults    []Fault // what is wrong with which field
	RequestID string
}

// Fault is one thing wrong with one field of what was sent.
type Fault struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	for _, f := range e.Faults {
		fmt.Fprintf(&b, "\n  %s: %s", f.Field, f.Message)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request id %s)", e.RequestID)
	}
	return b.String()
}

// UnreachableError is a server that could not be asked. It matches
// keystile.ErrUnavailable.
type UnreachableError struct {
	URL   string
	Cause error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("cannot reach the server at %s: %v", e.URL, e.Cause)
}

// Unwrap returns the cause and the sentinel.
func (e *UnreachableError) Unwrap() []error { return []error{keystile.ErrUnavailable, e.Cause} }

// refusal reads an error answer. What is not the API's, such as a proxy's page,
// gives its status only.
func refusal(resp *http.Response, body []byte) *Error {
	var answer struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Detail  struct {
				Faults []Fault `json:"faults"`
			} `json:"detail"`
		} `json:"error"`
		RequestID string `json:"request_id"`
	}
	e := &Error{Status: resp.StatusCode, RequestID: resp.Header.Get("X-Request-Id")}
	if json.Unmarshal(body, &answer) == nil {
		e.Code, e.Message, e.Faults = answer.Error.Code, answer.Error.Message, answer.Error.Detail.Faults
		if answer.RequestID != "" {
			e.RequestID = answer.RequestID
		}
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
	}
	e.Message, e.RequestID = printable(e.Message), printable(e.RequestID)
	return e
}

// printable keeps a server's text from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
