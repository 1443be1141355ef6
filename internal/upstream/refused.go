package upstream

import (
	"fmt"
	"net/http"

	"keystile/internal/http1"
	"keystile/internal/keystile"
)

// Refused is an S3 error of a backend, in the words of this gateway: nothing of
// the answer's own text is passed on. It matches the sentinel that it amounts to.
type Refused struct {
	Status  int
	Code    string // of S3; empty: none was given
	Message string
	kind    error
}

func (e *Refused) Error() string { return e.Message + ": " + e.kind.Error() }
func (e *Refused) Unwrap() error { return e.kind }

// Lacks reports whether the backend does not know the operation.
func (e *Refused) Lacks() bool {
	return e.Status == http.StatusNotImplemented || e.Status == http.StatusMethodNotAllowed || e.Code == "NotImplemented"
}

func (e *Refused) unknownLocation() bool {
	switch e.Code {
	case "InvalidLocationConstraint", "IllegalLocationConstraintException", "InvalidRegion", "MalformedXML", "NotImplemented":
		return true
	}
	return false
}

// keyRefused stands for what a backend says of the key that signed: of its own
// admin key that is trouble, of a user's a denial.
var keyRefused = ErrRefused

// meanings are the codes of the Amazon S3 API Reference, "Error Responses", and
// of Ceph's quotas.
var meanings = map[string]struct {
	kind    error
	message string
}{
	"BucketAlreadyExists":     {keystile.ErrConflict, "a bucket of that name exists already"},
	"BucketAlreadyOwnedByYou": {keystile.ErrConflict, "a bucket of that name exists already"},
	"BucketNotEmpty":          {keystile.ErrNotEmpty, "the bucket is not empty"},
	"OperationAborted":        {keystile.ErrConflict, "another operation on the bucket is under way"},
	"TooManyBuckets":          {keystile.ErrConflict, "the backend allows no more buckets"},
	"QuotaExceeded":           {keystile.ErrDenied, "the user's quota is exceeded"},

	"NoSuchBucket":  {keystile.ErrNotFound, "there is no such bucket"},
	"NoSuchKey":     {keystile.ErrNotFound, "there is no such object"},
	"NoSuchUpload":  {keystile.ErrNotFound, "there is no such upload"},
	"NoSuchVersion": {keystile.ErrNotFound, "there is no such version"},

	"EntityTooLarge":    {keystile.ErrInvalid, "the object is too large for the backend"},
	"InvalidArgument":   {keystile.ErrInvalid, "the backend does not accept an argument"},
	"InvalidBucketName": {keystile.ErrInvalid, "the backend does not accept the bucket's name"},
	"KeyTooLongError":   {keystile.ErrInvalid, "the key is too long for the backend"},

	"AccessDenied":                 {keyRefused, "its admin key may not do this"},
	"AccountProblem":               {keyRefused, "its admin key may not do this"},
	"AllAccessDisabled":            {keyRefused, "its admin key may not do this"},
	"UserSuspended":                {keyRefused, "its admin key may not do this"},
	"AuthorizationHeaderMalformed": {keyRefused, "the signature is not accepted: is the region right?"},
	"InvalidAccessKeyId":           {keyRefused, "it does not know the access key ID"},
	"RequestTimeTooSkewed":         {keyRefused, "its clock and ours are too far apart"},
	"SignatureDoesNotMatch":        {keyRefused, "the signature does not match: is the secret access key right?"},

	"InternalError":      {keystile.ErrUnavailable, "the backend is in trouble or overloaded"},
	"ServiceUnavailable": {keystile.ErrUnavailable, "the backend is in trouble or overloaded"},
	"SlowDown":           {keystile.ErrUnavailable, "the backend is in trouble or overloaded"},
}

// refusal reads an S3 error that answers a request with the backend's own key.
func (b *Backend) refusal(answer *http1.Response) error {
	return refusalOf(answer.Status, errorCode(answer.Body), false)
}

// refusalOf is what a status and a code amount to; asUser: for a request that a
// user signed whom the backend knows.
func refusalOf(status int, code string, asUser bool) error {
	e := &Refused{Status: status, Code: code}
	if m, known := meanings[code]; known {
		e.kind, e.Message = m.kind, m.message
	} else {
		e.kind, e.Message = kindOfStatus(e), fmt.Sprintf("the backend answered with status %d", status)
	}
	if e.kind == keyRefused && asUser { //nolint:errorlint // it is the sentinel itself
		e.kind, e.Message = keystile.ErrDenied, "the backend does not let the user do this"
	}
	return e
}

// kindOfStatus stands in where there is no code that is known.
func kindOfStatus(e *Refused) error {
	switch {
	case e.Lacks():
		return keystile.ErrInvalid
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		return keyRefused
	case e.Status == http.StatusNotFound:
		return keystile.ErrNotFound
	case e.Status == http.StatusRequestedRangeNotSatisfiable:
		return keystile.ErrRange
	}
	return keystile.ErrUnavailable
}
