package http1

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// What the guard finds wrong with a client's bytes.
var (
	// ErrMalformedHead: a request head breaks the grammar of RFC 9112, is
	// ambiguous, or asks for something the gateway never speaks (an upgrade, a
	// trailer, a hop-by-hop list).
	ErrMalformedHead = errors.New("http1: malformed request head")
	// ErrHeadTooLarge: a request head is longer than the guard's limit.
	ErrHeadTooLarge = errors.New("http1: request head too large")
	// ErrFraming: the chunked framing of a request body is broken. Reading
	// Request.Body yields it, and the connection is lost.
	ErrFraming = errors.New("http1: broken body framing")
	// ErrTooSlow: a client sends or takes less than the guard's MinRate. It is an
	// os.ErrDeadlineExceeded.
	ErrTooSlow = fmt.Errorf("http1: slower than the least rate: %w", os.ErrDeadlineExceeded)
)

// What can go wrong between the client and its backend. Each is the Kind of an
// [*Error]; errors.Is finds it.
var (
	// ErrBadRequest: the caller's Request cannot be written as HTTP/1.1 (a line
	// break in a header, a length without a body). Nothing was sent.
	ErrBadRequest = errors.New("http1: request cannot be sent")
	// ErrBody: the request body failed, was shorter or longer than declared, or
	// Commit refused. The backend never got the end of the request.
	ErrBody = errors.New("http1: request body failed")
	// ErrBusy: no connection came free within Options.WaitTimeout.
	ErrBusy = errors.New("http1: no free connection to the backend")
	// ErrDial: the backend could not be reached.
	ErrDial = errors.New("http1: cannot reach the backend")
	// ErrHeaderTimeout: the whole request was sent and no answer began in time.
	ErrHeaderTimeout = errors.New("http1: backend did not answer in time")
	// ErrIdleTimeout: a body stood still for Options.IOTimeout.
	ErrIdleTimeout = errors.New("http1: backend connection stood still")
	// ErrConnLost: the backend closed or reset the connection without an answer.
	ErrConnLost = errors.New("http1: backend connection lost")
	// ErrBadResponse: the answer is not the strict HTTP/1.1 this client reads.
	ErrBadResponse = errors.New("http1: malformed answer from the backend")
	// ErrClosed: the Client was closed.
	ErrClosed = errors.New("http1: client closed")
)

var (
	errLongBody    = errors.New("body longer than declared")
	errUncommitted = errors.New("commit did not send")
	errSentTwice   = errors.New("commit sent twice")
)

// Error is every error of [Client.Do]. It tells how much of the request may
// have reached the backend, which decides about retries and about quota.
type Error struct {
	// Kind is one of the sentinels, or context.Canceled or
	// context.DeadlineExceeded when the caller's context ended the exchange.
	Kind error
	// Cause is the underlying error, or nil. It may name addresses and is for
	// logs, not for clients. For an ended context it is context.Cause.
	Cause error
	// Sent: at least one byte of the request may have left this host.
	Sent bool
	// Complete: the last byte of the request may have left this host, so the
	// backend may have carried it out.
	Complete bool
}

func (e *Error) Error() string {
	if e.Cause == nil || e.Cause == e.Kind { //nolint:errorlint // identity, to not say one thing twice
		return e.Kind.Error()
	}
	return e.Kind.Error() + ": " + e.Cause.Error()
}

// Unwrap yields Kind and Cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// refusal is why the guard refused a head. Reason is a constant of this
// package: it never repeats what the client sent.
type refusal struct {
	kind   error
	reason string
}

func (r *refusal) Error() string { return r.kind.Error() + ": " + r.reason }
func (r *refusal) Unwrap() error { return r.kind }

// canceled is the Error of an exchange that ctx ended.
func canceled(ctx context.Context, sent, complete bool) *Error {
	return &Error{Kind: ctx.Err(), Cause: context.Cause(ctx), Sent: sent, Complete: complete}
}
