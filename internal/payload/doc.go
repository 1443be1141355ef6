// Package payload reads the body of an S3 request: it takes the aws-chunked
// framing off and verifies everything that was declared about the bytes.
//
// Its one promise: the last byte of a payload is not handed out before every
// length, digest, checksum, chunk signature and trailer has been verified. A
// consumer that forwards the bytes under a Content-Length of the declared
// length can therefore never complete a wrong object.
//
//	declared, err := payload.Declare(payload.Source{…})   // from the headers
//	declared.Chunks = sigv4.NewChunkVerifier(&auth, key)  // for signed framings
//	body, err := declared.LearnLength(request.Body)       // only where the length may be unknown
//	reader, err := payload.NewReader(body, declared)
//
// The source of the rules is the Amazon S3 API Reference: "Signature
// Calculations for the Authorization Header: Transferring Payload in Multiple
// Chunks (Chunked Upload)", "… Including Trailing Headers", PutObject and
// UploadPart; and the Amazon S3 User Guide, "Checking object integrity".
package payload
