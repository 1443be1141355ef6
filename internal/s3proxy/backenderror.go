package s3proxy

import (
	"fmt"
	"net/http"

	"keystile/internal/s3wire"
	"keystile/internal/upstream"
)

// gatewayKeyCodes are errors about how the gateway's own request was signed.
// The client can do nothing about them and must not see what they quote.
var gatewayKeyCodes = map[string]bool{
	"AuthorizationHeaderMalformed": true, "ExpiredToken": true, "InvalidAccessKeyId": true, "InvalidToken": true,
	"InvalidSecurity": true, "NotSignedUp": true, "RequestExpired": true, "RequestTimeTooSkewed": true,
	"SignatureDoesNotMatch": true, "TokenRefreshRequired": true, "UserSuspended": true,
}

// userKeyCodes are those among them by which a Ceph tells that it does not know a
// user's key as it is here, or has suspended the user.
var userKeyCodes = map[string]bool{"InvalidAccessKeyId": true, "SignatureDoesNotMatch": true, "UserSuspended": true}

// meanings are the codes and messages for answers that say nothing themselves:
// those to HEAD, and those of backends that leave the message empty.
var meanings = map[int]s3wire.Code{
	http.StatusBadRequest:                   {Name: "InvalidRequest", Message: "The backend refused the request as invalid."},
	http.StatusForbidden:                    {Name: "AccessDenied", Message: "The backend denied access."},
	http.StatusNotFound:                     {Name: "NoSuchKey", Message: "There is no such thing at the backend."},
	http.StatusMethodNotAllowed:             {Name: "MethodNotAllowed", Message: "The method is not allowed on this resource."},
	http.StatusConflict:                     {Name: "OperationAborted", Message: "A conflicting operation is in progress."},
	http.StatusLengthRequired:               {Name: "MissingContentLength", Message: "The backend wants the length declared."},
	http.StatusPreconditionFailed:           {Name: "PreconditionFailed", Message: "A condition of the request does not hold."},
	http.StatusRequestedRangeNotSatisfiable: {Name: "InvalidRange", Message: "The range cannot be satisfied."},
	http.StatusNotImplemented:               {Name: "NotImplemented", Message: "The backend does not support this."},
	http.StatusServiceUnavailable:           {Name: "ServiceUnavailable", Message: "The backend is not available now."},
	http.StatusInsufficientStorage:          {Name: "QuotaExceeded", Message: "The quota is used up."},
}

// backendError is what the client hears of a backend's refusal: its code, and
// its words unless they name what is not the client's to know.
func (x *exchange) backendError(by *upstream.Backend, status int, data []byte) *s3wire.Error {
	e, ok := s3wire.ParseError(data)
	e.Status = status
	if x.cephDecides() && userKeyCodes[e.Code] {
		return s3wire.BackendRefusesKey.Caused(fmt.Errorf("the backend answered %d %s", status, e.Code))
	}
	if status == http.StatusUnauthorized || gatewayKeyCodes[e.Code] {
		x.p.Observer.BackendFailed(by.Info().ID)
		return s3wire.BackendMisconfigured.Caused(fmt.Errorf("the backend answered %d %s", status, e.Code))
	}
	switch {
	case status < http.StatusBadRequest && ok:
		// A failure that the backend found after it had begun to answer.
		e.Status = http.StatusInternalServerError
	case status < http.StatusBadRequest || status > 599:
		return s3wire.BackendAnswer.Caused(fmt.Errorf("the backend answered %d", status))
	case e.Code == "QuotaExceeded":
		e.Status = http.StatusInsufficientStorage
	}
	meaning, known := meanings[e.Status]
	if !known {
		meaning = s3wire.InternalError
	}
	if !ok || e.Code == "" {
		e.Code = meaning.Name
	}
	if e.Message = x.told(e.Message); e.Message == "" {
		e.Message = meaning.Message
	}
	e.Cause = fmt.Errorf("the backend answered %d %s", status, e.Code)
	return &e
}
