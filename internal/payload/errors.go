package payload

import "errors"

// What can be wrong with a body. Every error of this package wraps one of
// these, or the error of the underlying reader.
var (
	// ErrInvalidRequest: the headers that describe the body contradict each
	// other, name something unknown or hold a malformed value.
	ErrInvalidRequest = errors.New("invalid declaration of the body")
	// ErrInvalidPayloadHash: x-amz-content-sha256 is neither a digest nor a known keyword.
	ErrInvalidPayloadHash = errors.New("invalid x-amz-content-sha256")
	// ErrInvalidDigest: Content-MD5 is not the base64 form of 16 bytes.
	ErrInvalidDigest = errors.New("invalid Content-MD5")
	// ErrLengthRequired: the decoded length is not declared.
	ErrLengthRequired = errors.New("length of the body is not declared")
	// ErrBadDigest: Content-MD5 does not match the bytes.
	ErrBadDigest = errors.New("body does not match Content-MD5")
	// ErrChecksum: an x-amz-checksum-* value does not match the bytes.
	ErrChecksum = errors.New("body does not match its checksum")
	// ErrSHA256: x-amz-content-sha256 does not match the bytes.
	ErrSHA256 = errors.New("body does not match x-amz-content-sha256")
	// ErrChunkSignature: a chunk or the trailer is not signed by the signer of the request.
	ErrChunkSignature = errors.New("signature inside the body does not match")
	// ErrIncomplete: the body ended before its declared end.
	ErrIncomplete = errors.New("body is shorter than declared")
	// ErrTooLong: there are more bytes than declared.
	ErrTooLong = errors.New("body is longer than declared")
	// ErrFraming: a chunk is not framed as aws-chunked wants it.
	ErrFraming = errors.New("malformed chunk")
	// ErrTrailer: a trailing header is missing, not declared, repeated or malformed.
	ErrTrailer = errors.New("malformed trailer")
)
