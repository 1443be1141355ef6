package upstream

import (
	"errors"
	"fmt"

	"keystile/internal/http1"
	"keystile/internal/keystile"
)

// What can be wrong with a backend. All of them match keystile.ErrUnavailable,
// and none of their texts names an address: see [Detail].
var (
	// ErrUnreachable: no connection, no TLS, or a connection lost without an
	// answer.
	ErrUnreachable = fmt.Errorf("the backend cannot be reached: %w", keystile.ErrUnavailable)
	// ErrTimeout: no answer in time, or one that stopped half-way.
	ErrTimeout = fmt.Errorf("the backend did not answer in time: %w", keystile.ErrUnavailable)
	// ErrBusy: every connection to the backend is in use.
	ErrBusy = fmt.Errorf("all connections to the backend are in use: %w", keystile.ErrUnavailable)
	// ErrCutOff: the backend failed too often; nothing was sent, and nothing will
	// be before it has answered a probe.
	ErrCutOff = fmt.Errorf("the backend is cut off until it answers again: %w", keystile.ErrUnavailable)
	// ErrBadAnswer: the answer is not HTTP/1.1, or not the S3 that was asked for.
	ErrBadAnswer = fmt.Errorf("the backend gave an answer that is not valid: %w", keystile.ErrUnavailable)
	// ErrRedirect: the backend sent elsewhere. Redirects are never followed, and
	// where they lead is shown to nobody.
	ErrRedirect = fmt.Errorf("the backend answered with a redirect; check its endpoint and region: %w", keystile.ErrUnavailable)
	// ErrRefusedAddress: the endpoint's name leads to an address that nothing
	// may connect to.
	ErrRefusedAddress = fmt.Errorf("the backend's address is not allowed: %w", keystile.ErrUnavailable)
	// ErrRefused: the backend did not accept its own admin key for this.
	ErrRefused = fmt.Errorf("the backend refused its admin key: %w", keystile.ErrUnavailable)
)

// What is never sent to a backend. These are faults of whoever asks.
var (
	// ErrBucketName: the bucket is reserved or not a bucket's name.
	ErrBucketName = fmt.Errorf("the bucket cannot be addressed on a backend: %w", keystile.ErrInvalid)
	// ErrOddKey: the key has ".", ".." or empty segments, and the backend is not
	// proven to keep them.
	ErrOddKey = fmt.Errorf("the backend is not proven to keep keys with \".\", \"..\" or empty segments: %w", keystile.ErrInvalid)
)

// Error is a failed exchange. Its text is that of its Kind alone; the cause,
// which may name addresses, is for logs: [Detail].
type Error struct {
	Kind    error // one of the sentinels
	Backend string
	cause   error
}

func (e *Error) Error() string { return "backend " + e.Backend + ": " + e.Kind.Error() }

// Unwrap yields Kind and the cause, which for an exchange that began is an
// *http1.Error.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.cause}
}

// Detail is what a log should say about err: its text and, where it comes from
// a backend, the cause that its text leaves out.
func Detail(err error) string {
	var e *Error
	if errors.As(err, &e) && e.cause != nil {
		return err.Error() + ": " + e.cause.Error()
	}
	return err.Error()
}

// classify names what went wrong in an exchange. What the caller's own request
// or body brought about is passed through as it is.
func classify(backend string, err error) error {
	if errors.Is(err, http1.ErrBody) || errors.Is(err, http1.ErrBadRequest) {
		return err
	}
	return &Error{Kind: kindOf(err), Backend: backend, cause: err}
}

func kindOf(err error) error {
	switch {
	case errors.Is(err, ErrRefusedAddress):
		return ErrRefusedAddress
	case errors.Is(err, http1.ErrHeaderTimeout), errors.Is(err, http1.ErrIdleTimeout):
		return ErrTimeout
	case errors.Is(err, http1.ErrBusy):
		return ErrBusy
	case errors.Is(err, http1.ErrBadResponse), errors.Is(err, ErrBadAnswer):
		return ErrBadAnswer
	}
	return ErrUnreachable
}
