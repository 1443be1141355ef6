package adminops

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"keystile/internal/keystile"
)

// The errors beside those of keystile (ErrNotFound, ErrConflict, ErrInvalid,
// ErrUnavailable).
var (
	// ErrRefused: the radosgw does not let this key do that.
	ErrRefused = fmt.Errorf("the Admin Ops API refuses the key: %w", keystile.ErrKeyRefused)
	// ErrNotEmpty: the bucket holds objects, or the user buckets.
	ErrNotEmpty = keystile.ErrNotEmpty
	// ErrKeyTaken: another user of the Ceph has the access key ID.
	ErrKeyTaken = fmt.Errorf("the access key ID is taken: %w", keystile.ErrConflict)
)

// Error is an answer that is no success.
type Error struct {
	Status int
	Code   string // as the radosgw calls it; empty if its answer has none
	kind   error
}

func (e *Error) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("Admin Ops API: status %d: %v", e.Status, e.kind)
	}
	return fmt.Sprintf("Admin Ops API: %s: %v", e.Code, e.kind)
}

// Unwrap returns what the error means.
func (e *Error) Unwrap() error { return e.kind }

// unknown reports what a radosgw answers to changes of one user that meet each
// other: trying again helps.
func (e *Error) unknown() bool { return e.Status == http.StatusInternalServerError }

// kinds tell what the codes mean. A user that is removed while it has buckets is
// BucketAlreadyExists there.
var kinds = map[string]error{
	"NoSuchUser": keystile.ErrNotFound, "NoSuchBucket": keystile.ErrNotFound, "NoSuchKey": keystile.ErrNotFound,
	"UserAlreadyExists": keystile.ErrConflict, "UserExists": keystile.ErrConflict, "EmailExists": keystile.ErrConflict,
	"KeyExists":      ErrKeyTaken,
	"BucketNotEmpty": ErrNotEmpty, "BucketAlreadyExists": ErrNotEmpty,
	"InvalidArgument": keystile.ErrInvalid, "InvalidBucketName": keystile.ErrInvalid,
	"AccessDenied": ErrRefused, "SignatureDoesNotMatch": ErrRefused, "InvalidAccessKeyId": ErrRefused,
	"UserSuspended": ErrRefused, "RequestTimeTooSkewed": ErrRefused, "MethodNotAllowed": ErrRefused,
}

// errorOf reads an answer that is no success.
func errorOf(status int, body []byte) *Error {
	var told struct{ Code string }
	if json.Unmarshal(body, &told) != nil || len(told.Code) > 64 || !plainWord(told.Code) {
		told.Code = ""
	}
	e := &Error{Status: status, Code: told.Code, kind: kinds[told.Code]}
	switch {
	case e.kind != nil:
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		e.kind = ErrRefused
	case status == http.StatusNotFound:
		e.kind = keystile.ErrNotFound
	default:
		e.kind = keystile.ErrUnavailable
	}
	return e
}

// plainWord keeps what is no code out of errors.
func plainWord(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return false
		}
	}
	return true
}

func codeIs(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
