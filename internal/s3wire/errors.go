package s3wire

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Code is one of S3's error codes with the HTTP status and the message that go
// with it (S3 API Reference, "Error responses"). The message is never empty:
// some clients fail on an empty one.
type Code struct {
	Name    string
	Status  int
	Message string
}

// The codes that the gateway itself answers with.
var (
	AccessDenied                 = Code{"AccessDenied", http.StatusForbidden, "Access denied."}
	AccessForbidden              = Code{"AccessForbidden", http.StatusForbidden, "CORS is not enabled for this bucket."}
	AuthorizationHeaderMalformed = Code{"AuthorizationHeaderMalformed", http.StatusBadRequest, "The authorization header is malformed."}
	AuthorizationQueryError      = Code{"AuthorizationQueryParametersError", http.StatusBadRequest, "The authorization query parameters are malformed."}
	BadDigest                    = Code{"BadDigest", http.StatusBadRequest, "A checksum that was sent does not match the body."}
	BucketAlreadyOwned           = Code{"BucketAlreadyOwnedByYou", http.StatusConflict, "The bucket is there already. Access keys of the gateway create no buckets."}
	BadRequest                   = Code{"BadRequest", http.StatusBadRequest, "The request is not valid."}
	EntityTooLarge               = Code{"EntityTooLarge", http.StatusBadRequest, "The body is larger than the operation allows."}
	HeadTooLarge                 = Code{"RequestHeaderSectionTooLarge", http.StatusBadRequest, "The request line and headers are longer than is accepted here."}
	IncompleteBody               = Code{"IncompleteBody", http.StatusBadRequest, "The body ended before its declared length."}
	InternalError                = Code{"InternalError", http.StatusInternalServerError, "An internal error occurred. Try again."}
	InvalidAccessKeyID           = Code{"InvalidAccessKeyId", http.StatusUnauthorized, "The access key ID does not exist, or is revoked, disabled or expired."}
	InvalidArgument              = Code{"InvalidArgument", http.StatusBadRequest, "An argument is invalid."}
	BucketExists                 = Code{"BucketAlreadyExists", http.StatusConflict, "A bucket of that name exists already."}
	OwnBucketExists              = Code{"BucketAlreadyOwnedByYou", http.StatusConflict, "You own a bucket of that name already."}
	BucketNotEmpty               = Code{"BucketNotEmpty", http.StatusConflict, "The bucket is not empty."}
	NoSuchBucket                 = Code{"NoSuchBucket", http.StatusNotFound, "There is no such bucket."}
	NoSuchCORSConfiguration      = Code{"NoSuchCORSConfiguration", http.StatusNotFound, "The bucket has no CORS configuration."}
	InvalidLocation              = Code{"InvalidLocationConstraint", http.StatusBadRequest, "The region of a new bucket must be the gateway's, or none."}
	InvalidBucketName            = Code{"InvalidBucketName", http.StatusBadRequest, "The bucket name is not valid."}
	InvalidDigest                = Code{"InvalidDigest", http.StatusBadRequest, "The Content-MD5 or checksum value that was sent is not valid."}
	InvalidPart                  = Code{"InvalidPart", http.StatusBadRequest, "A part could not be found, or its ETag does not match."}
	InvalidPartOrder             = Code{"InvalidPartOrder", http.StatusBadRequest, "The parts are not in ascending order of their numbers."}
	InvalidRequest               = Code{"InvalidRequest", http.StatusBadRequest, "The request is not valid."}
	InvalidTag                   = Code{"InvalidTag", http.StatusBadRequest, "The tags are not valid: a key is missing, stands twice, or there are too many."}
	InvalidToken                 = Code{"InvalidToken", http.StatusBadRequest, "Session tokens are not accepted here."}
	InvalidURI                   = Code{"InvalidURI", http.StatusBadRequest, "The URI could not be parsed."}
	KeyTooLong                   = Code{"KeyTooLongError", http.StatusBadRequest, "The key is longer than 1024 bytes."}
	MalformedTrailer             = Code{"MalformedTrailerError", http.StatusBadRequest, "The trailer of the body is malformed."}
	MalformedXML                 = Code{"MalformedXML", http.StatusBadRequest, "The XML of the body is not well-formed, or not as the operation wants it."}
	MetadataTooLarge             = Code{"MetadataTooLarge", http.StatusBadRequest, "The names and values of the metadata are longer than 2048 bytes together."}
	MethodNotAllowed             = Code{"MethodNotAllowed", http.StatusMethodNotAllowed, "The method is not allowed on this resource."}
	MissingContentLength         = Code{"MissingContentLength", http.StatusLengthRequired, "The length of the body must be declared (Content-Length, or x-amz-decoded-content-length)."}
	MissingContentSHA256         = Code{"InvalidRequest", http.StatusBadRequest, "The required header x-amz-content-sha256 is missing."}
	MissingHeader                = Code{"MissingSecurityHeader", http.StatusBadRequest, "A required header is missing."}
	NotImplemented               = Code{"NotImplemented", http.StatusNotImplemented, "The operation is not supported here."}
	PreconditionFailed           = Code{"PreconditionFailed", http.StatusPreconditionFailed, "A condition of the request does not hold."}
	QuotaExceeded                = Code{"QuotaExceeded", http.StatusInsufficientStorage, "The quota is used up."}
	RequestExpired               = Code{"AccessDenied", http.StatusForbidden, "Request has expired."}
	RequestNotYetValid           = Code{"AccessDenied", http.StatusForbidden, "Request is not valid yet."}
	RequestTimeTooSkewed         = Code{"RequestTimeTooSkewed", http.StatusForbidden, "The request's time differs from the server's by more than 15 minutes."}
	RequestTimeout               = Code{"RequestTimeout", http.StatusBadRequest, "The connection stood still for too long."}
	ServiceUnavailable           = Code{"ServiceUnavailable", http.StatusServiceUnavailable, "The service is not available now. Try again."}
	SignatureDoesNotMatch        = Code{"SignatureDoesNotMatch", http.StatusForbidden, "The signature does not match. Check the secret access key and how the request is signed."}
	SlowDown                     = Code{"SlowDown", http.StatusServiceUnavailable, "Too many requests. Reduce the request rate."}
	UnsupportedSignature         = Code{"InvalidRequest", http.StatusBadRequest, "Sign with AWS4-HMAC-SHA256."}
	XAmzContentChecksumMismatch  = Code{"XAmzContentChecksumMismatch", http.StatusBadRequest, "The x-amz-checksum value does not match the body."}
	XAmzContentSHA256Mismatch    = Code{"XAmzContentSHA256Mismatch", http.StatusBadRequest, "The x-amz-content-sha256 value does not match the body."}
	BackendAnswer                = Code{"InternalError", http.StatusBadGateway, "The backend's answer could not be understood."}
	BackendTimeout               = Code{"ServiceUnavailable", http.StatusGatewayTimeout, "The backend did not answer in time."}
	BackendUnreachable           = Code{"ServiceUnavailable", http.StatusServiceUnavailable, "The backend cannot be reached."}
	BackendCutOff                = Code{"ServiceUnavailable", http.StatusServiceUnavailable, "The backend is in trouble and is not asked until it answers again. Try again later."}
	BackendRefusesKey            = Code{"AccessDenied", http.StatusForbidden, "The storage refuses this key: it was changed or suspended there. Renew it, or ask the operator."}
	BackendMisconfigured         = Code{"ServiceUnavailable", http.StatusServiceUnavailable, "The backend refuses the gateway's own key."}
)

// Error is an S3 error on its way to the client. Cause is for the log only.
type Error struct {
	Code    string
	Status  int
	Message string
	// Details are further elements of the error document, in order, such as
	// Condition or ActualObjectSize.
	Details []Detail
	Cause   error
}

// Detail is one further element of an error document.
type Detail struct{ Name, Value string }

func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Cause)
	}
	return e.Code + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

// Err makes an error of the code with its usual message.
func (c Code) Err() *Error { return &Error{Code: c.Name, Status: c.Status, Message: c.Message} }

// With makes an error of the code with a message of its own.
func (c Code) With(format string, args ...any) *Error {
	return &Error{Code: c.Name, Status: c.Status, Message: fmt.Sprintf(format, args...)}
}

// Caused makes an error of the code that carries its cause for the log.
func (c Code) Caused(cause error) *Error {
	e := c.Err()
	e.Cause = cause
	return e
}

// AsError finds the S3 error in err; anything else is an InternalError that
// hides it.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return InternalError.Caused(err)
}

// ErrorDocument renders the error as S3's XML. Resource is the path as the
// client sent it, bucket and key are the names that the client uses. Code and
// message are never empty, whatever a backend left out.
func (e *Error) ErrorDocument(resource, bucket, key, requestID string) []byte {
	doc := &document{}
	doc.open("Error", "")
	doc.text("Code", cmp.Or(e.Code, InternalError.Name))
	doc.text("Message", cmp.Or(strings.TrimSpace(e.Message), e.Code, InternalError.Message))
	doc.optional("BucketName", bucket)
	doc.optional("Key", key)
	for _, d := range e.Details {
		doc.text(d.Name, d.Value)
	}
	doc.text("Resource", resource)
	doc.text("RequestId", requestID)
	doc.text("HostId", requestID)
	doc.close("Error")
	return doc.bytes()
}

// errorDetails are the elements of a backend's error document that clients may
// see. What names the backend, its key or the request as it was signed again is
// not among them.
var errorDetails = map[string]bool{
	"Condition": true, "ArgumentName": true, "ActualObjectSize": true, "RangeRequested": true,
	"VersionId": true, "MaxSizeAllowed": true, "ProposedSize": true, "MinSizeAllowed": true,
	"PartNumber": true, "ETag": true, "UploadId": true, "MaxMessageLengthBytes": true,
}

// ParseError reads a backend's error document. It reports false if the document
// is not one.
func ParseError(body []byte) (Error, bool) {
	root, err := parseXML(body, lenient)
	if err != nil || root.name != "Error" {
		return Error{}, false
	}
	var e Error
	for _, child := range root.children {
		switch {
		case child.name == "Code":
			e.Code = child.text
		case child.name == "Message":
			e.Message = child.text
		case errorDetails[child.name]:
			e.Details = append(e.Details, Detail{child.name, child.text})
		}
	}
	return e, e.Code != ""
}

// xmlNamespace is that of all S3 answers but errors.
const xmlNamespace = "http://s3.amazonaws.com/doc/2006-03-01/"
