package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"keystile/internal/keystile"
)

// Outcome is what an error means to a client and to the audit trail.
type Outcome struct {
	Status int    // of HTTP
	Code   string // of the JSON API
	Result keystile.Result
}

// ErrCSRF is a request with a session's cookie that does not prove that it comes
// from the dashboard.
var ErrCSRF = fmt.Errorf("cross-site request: %w", keystile.ErrDenied)

var (
	// ErrNameTaken is a name that another one has.
	ErrNameTaken = fmt.Errorf("the name is taken: %w", keystile.ErrConflict)
	// ErrLocked is a lock that guards a thing against the act.
	ErrLocked = fmt.Errorf("locked: %w", keystile.ErrConflict)
)

// errHidden is a refusal that does not tell whether the thing exists.
var errHidden = fmt.Errorf("not this account's: %w", keystile.ErrNotFound)

// outcomes is the one table of errors; the first match counts.
var outcomes = []struct {
	err error
	Outcome
}{
	{keystile.ErrNotConfirmed, Outcome{http.StatusServiceUnavailable, "committed_not_confirmed", keystile.ResultError}},
	{ErrCSRF, Outcome{http.StatusForbidden, "csrf", keystile.ResultDenied}},
	{errHidden, Outcome{http.StatusNotFound, "not_found", keystile.ResultDenied}},
	{keystile.ErrUnauthenticated, Outcome{http.StatusUnauthorized, "unauthenticated", keystile.ResultDenied}},
	{keystile.ErrThrottled, Outcome{http.StatusTooManyRequests, "throttled", keystile.ResultDenied}},
	{keystile.ErrDenied, Outcome{http.StatusForbidden, "denied", keystile.ResultDenied}},
	{keystile.ErrRange, Outcome{http.StatusRequestedRangeNotSatisfiable, "invalid_range", keystile.ResultError}},
	{keystile.ErrInvalid, Outcome{http.StatusUnprocessableEntity, "invalid", keystile.ResultError}},
	{keystile.ErrNotFound, Outcome{http.StatusNotFound, "not_found", keystile.ResultError}},
	{ErrNameTaken, Outcome{http.StatusConflict, "name_taken", keystile.ResultError}},
	{ErrLocked, Outcome{http.StatusConflict, "locked", keystile.ResultDenied}},
	{keystile.ErrNotEmpty, Outcome{http.StatusConflict, "not_empty", keystile.ResultError}},
	{keystile.ErrConflict, Outcome{http.StatusConflict, "conflict", keystile.ResultError}},
	{keystile.ErrUnavailable, Outcome{http.StatusServiceUnavailable, "unavailable", keystile.ResultError}},
	{context.Canceled, Outcome{499, "canceled", keystile.ResultError}},
	{context.DeadlineExceeded, Outcome{http.StatusServiceUnavailable, "unavailable", keystile.ResultError}},
}

// Classify finds the outcome of an error; what no one foresaw is internal.
func Classify(err error) Outcome {
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.Outcome
		}
	}
	return Outcome{http.StatusInternalServerError, "internal", keystile.ResultError}
}

// Explained is an error whose message is meant for the client.
type Explained struct {
	Message string
	Err     error
}

func (e *Explained) Error() string { return e.Message + ": " + e.Err.Error() }

func (e *Explained) Unwrap() error { return e.Err }

func explain(err error, format string, args ...any) error {
	return &Explained{fmt.Sprintf(format, args...), err}
}

// NotConfirmed is a change that is committed, while some gateway may not know
// of it yet. It matches keystile.ErrNotConfirmed; repeating the call is safe.
type NotConfirmed struct {
	Target string // the thing changed
	Err    error
}

func (e *NotConfirmed) Error() string {
	return fmt.Sprintf("%s: %v: %v", e.Target, keystile.ErrNotConfirmed, e.Err)
}

func (e *NotConfirmed) Unwrap() []error { return []error{keystile.ErrNotConfirmed, e.Err} }

// RangeError is a range of bytes that an object does not have. It matches
// keystile.ErrRange.
type RangeError struct {
	Size int64 // of the object; -1: not known
	Err  error
}

func (e *RangeError) Error() string { return fmt.Sprintf("the object has %d bytes: %v", e.Size, e.Err) }

func (e *RangeError) Unwrap() error { return e.Err }

// Throttled is a guess that came too soon. It matches keystile.ErrThrottled.
type Throttled struct{ Wait time.Duration }

func (e *Throttled) Error() string {
	return fmt.Sprintf("%v: wait %v", keystile.ErrThrottled, e.Wait)
}

func (e *Throttled) Unwrap() error { return keystile.ErrThrottled }

// message is what an event says of an error: only texts made for clients, so
// that no cause with an address or a value in it gets into the trail.
func message(err error) string {
	var explained *Explained
	var faults keystile.Faults
	switch {
	case errors.As(err, &explained):
		return explained.Message
	case errors.As(err, &faults):
		return faults.Error()
	}
	return ""
}
