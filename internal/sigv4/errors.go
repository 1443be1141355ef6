package sigv4

import "errors"

// What can be wrong with the authentication of a request. Every error of this
// package wraps one of these and adds detail that is safe to show to the
// client: it never holds a secret or an expected signature.
var (
	// ErrMissing: nobody signed. There is neither an Authorization header nor
	// any authentication parameter in the query.
	ErrMissing = errors.New("request is not signed")
	// ErrMalformed: the Authorization header cannot be read.
	ErrMalformed = errors.New("malformed authorization header")
	// ErrMalformedQuery: the authentication parameters in the query cannot be read.
	ErrMalformedQuery = errors.New("malformed authentication query parameters")
	// ErrMalformedForm: the authentication fields of a POST form are missing or cannot be read.
	ErrMalformedForm = errors.New("malformed authentication of the form")
	// ErrTwoWays: the request is authenticated by header and by query at once.
	ErrTwoWays = errors.New("only one authentication mechanism is allowed")
	// ErrDuplicate: something that may be said once is said twice.
	ErrDuplicate = errors.New("ambiguous request")
	// ErrUnsupported: another signature scheme. The message says what to set in the client.
	ErrUnsupported = errors.New("signature version not supported")
	// ErrUnknownType: the Authorization header is of a type that S3 does not have.
	ErrUnknownType = errors.New("unsupported authorization type")
	// ErrScope: the credential scope names another region, service or day.
	ErrScope = errors.New("credential scope not accepted")
	// ErrUnsignedHeader: host or an x-amz-* header is present but not signed.
	ErrUnsignedHeader = errors.New("header present in the request is not signed")
	// ErrNoDate: a request signed by header carries no readable x-amz-date or Date.
	ErrNoDate = errors.New("no valid x-amz-date or date header")
	// ErrSkewed: the time of the request is too far from ours.
	ErrSkewed = errors.New("request time is too skewed")
	// ErrNotYetValid: a presigned URL was signed for a time to come.
	ErrNotYetValid = errors.New("presigned request is not valid yet")
	// ErrExpired: a presigned URL is past its end.
	ErrExpired = errors.New("presigned request has expired")
	// ErrExpiresRange: X-Amz-Expires is not between one second and seven days.
	ErrExpiresRange = errors.New("X-Amz-Expires must be between 1 and 604800 seconds")
	// ErrMissingPayloadHash: signed by header, but x-amz-content-sha256 is absent.
	ErrMissingPayloadHash = errors.New("missing x-amz-content-sha256 header")
	// ErrEncoding: the path or the query is not valid percent-encoding.
	ErrEncoding = errors.New("invalid URI encoding")
	// ErrMismatch: the signature is not the one that the secret yields.
	ErrMismatch = errors.New("signature does not match")
)
