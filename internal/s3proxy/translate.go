package s3proxy

import (
	"context"
	"errors"
	"os"
	"strings"

	"keystile/internal/http1"
	"keystile/internal/keyring"
	"keystile/internal/keystile"
	"keystile/internal/payload"
	"keystile/internal/s3wire"
	"keystile/internal/sigv4"
	"keystile/internal/upstream"
)

// translation is one line of the table from our errors to S3's.
type translation struct {
	err  error
	code s3wire.Code
	// tell: the error's text is about the client's own request and safe to show.
	tell bool
}

// translations are tried in order: what the client did comes before what
// happened to its connection, and both before the backend.
var translations = []translation{
	{keyring.ErrUnknownKey, s3wire.InvalidAccessKeyID, false},
	{keyring.ErrNotActive, s3wire.InvalidAccessKeyID, false},
	{keyring.ErrCut, s3wire.InvalidAccessKeyID, false},

	{sigv4.ErrMalformed, s3wire.AuthorizationHeaderMalformed, true},
	{sigv4.ErrMalformedQuery, s3wire.AuthorizationQueryError, true},
	{sigv4.ErrExpiresRange, s3wire.AuthorizationQueryError, true},
	{sigv4.ErrMalformedForm, s3wire.InvalidArgument, true},
	{sigv4.ErrTwoWays, s3wire.InvalidArgument, true},
	{sigv4.ErrDuplicate, s3wire.InvalidArgument, true},
	{sigv4.ErrUnsupported, s3wire.UnsupportedSignature, true},
	{sigv4.ErrUnknownType, s3wire.InvalidArgument, true},
	{sigv4.ErrScope, s3wire.AuthorizationHeaderMalformed, true},
	{sigv4.ErrUnsignedHeader, s3wire.AccessDenied, true},
	{sigv4.ErrNoDate, s3wire.AccessDenied, true},
	{sigv4.ErrSkewed, s3wire.RequestTimeTooSkewed, false},
	{sigv4.ErrNotYetValid, s3wire.RequestNotYetValid, false},
	{sigv4.ErrExpired, s3wire.RequestExpired, false},
	{sigv4.ErrMissingPayloadHash, s3wire.MissingContentSHA256, false},
	{sigv4.ErrEncoding, s3wire.InvalidURI, true},
	{sigv4.ErrMismatch, s3wire.SignatureDoesNotMatch, false},

	{payload.ErrInvalidPayloadHash, s3wire.InvalidArgument, true},
	{payload.ErrInvalidRequest, s3wire.InvalidRequest, true},
	{payload.ErrInvalidDigest, s3wire.InvalidDigest, true},
	{payload.ErrLengthRequired, s3wire.MissingContentLength, false},
	{payload.ErrBadDigest, s3wire.BadDigest, true},
	{payload.ErrChecksum, s3wire.BadDigest, true},
	{payload.ErrSHA256, s3wire.XAmzContentSHA256Mismatch, false},
	{payload.ErrChunkSignature, s3wire.SignatureDoesNotMatch, false},
	{payload.ErrTrailer, s3wire.MalformedTrailer, true},
	{payload.ErrFraming, s3wire.InvalidRequest, true},
	{payload.ErrIncomplete, s3wire.IncompleteBody, false},
	{payload.ErrTooLong, s3wire.IncompleteBody, true},

	{upstream.ErrBucketName, s3wire.InvalidBucketName, false},
	{keystile.ErrDenied, s3wire.AccessDenied, false},

	{upstream.ErrCutOff, s3wire.BackendCutOff, false},
	{upstream.ErrTimeout, s3wire.BackendTimeout, false},
	{upstream.ErrBadAnswer, s3wire.BackendAnswer, false},
	{upstream.ErrRedirect, s3wire.BackendAnswer, false},
	{upstream.ErrBusy, s3wire.SlowDown, false},
	{upstream.ErrUnreachable, s3wire.BackendUnreachable, false},
	{upstream.ErrRefusedAddress, s3wire.BackendUnreachable, false},

	{os.ErrDeadlineExceeded, s3wire.RequestTimeout, false},
	{http1.ErrFraming, s3wire.IncompleteBody, false},
	{http1.ErrBody, s3wire.IncompleteBody, false},
	{context.Canceled, s3wire.RequestTimeout, false},
	{keystile.ErrUnavailable, s3wire.ServiceUnavailable, false},
}

// translate finds the S3 error for one of ours; nil if the table has none.
func translate(err error) *s3wire.Error {
	for _, t := range translations {
		if !errors.Is(err, t.err) {
			continue
		}
		e := t.code.Caused(err)
		if t.tell {
			e.Message = sentence(err)
		}
		return e
	}
	return nil
}

// sentence makes a message of an error's text. Where the body failed while it
// was being sent, that is what the client wants to know.
func sentence(err error) string {
	var sending *http1.Error
	if errors.As(err, &sending) && sending.Cause != nil {
		err = sending.Cause
	}
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
