// Package sigv4 verifies and makes AWS Signature Version 4 signatures as
// Amazon S3 uses them. It is pure: no I/O, no clock, no logging; the caller
// passes the time and the secret.
//
// An inbound request goes through three steps, so that its caller can look up
// the key between them:
//
//	auth, err := sigv4.Parse(request)      // what is claimed, and is it well formed
//	err = auth.Check(now, "us-east-1")     // is it for us, and is it timely
//	key := keys.Key(secret, auth.Scope)    // a dummy secret when the key is unknown
//	err = auth.Verify(key)                 // is it true
//
// NewChunkVerifier continues the signature over the chunks of a streamed body,
// and Signer signs requests towards a backend.
//
// The source of every rule is the Amazon S3 API Reference, "Authenticating
// Requests (AWS Signature Version 4)", with its pages "Authenticating Requests:
// Using the Authorization Header", "… Using Query Parameters", "Signature
// Calculations for the Authorization Header: Transferring Payload in Multiple
// Chunks" and "… Including Trailing Headers".
package sigv4
