// Package webhook calls addresses that people chose when something happens.
//
// A call is a POST with a JSON body and four headers:
//
//	X-Keystile-Event      what happened, such as quota.hard_refused
//	X-Keystile-Delivery   the id of the message, the same in every attempt
//	X-Keystile-Timestamp  Unix seconds of the attempt
//	X-Keystile-Signature  "v1=" and the HMAC-SHA256 (RFC 2104), in lower-case hex,
//	                      of the timestamp, a full stop and the body
//
// What is to be told is queued in the transaction in which it becomes part of the
// trail, and leaves the queue when a receiver has answered 2xx: it arrives at
// least once, also when the process dies in between. Receivers know repetitions
// by the id.
//
//	sender.go      one signed call
//	dispatcher.go  the queue: attempts, pauses, giving up
//	trail.go       what of the trail is told
package webhook
