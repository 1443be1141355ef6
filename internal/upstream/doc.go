// Package upstream is everything that talks to backends: it addresses, signs
// and sends requests, keeps the set of backends, watches their health and
// proves what they can be trusted with.
//
// Requests are built anew from parsed values, never copied from what a client
// sent. This package is the last line of defence before a request is signed
// with a backend's admin key, so it refuses reserved bucket names, and keys
// that a backend might resolve to another key, even though its callers do too.
//
//	encode.go    canonical paths and queries
//	dialer.go    every connection out, checked by resolved address
//	errors.go    sentinels; no text of theirs names an address
//	backend.go   one backend at run time: Send
//	timeouts.go  how long a backend may take
//	circuit.go   cuts a backend off that fails again and again
//	registry.go  id -> Backend, swapped whole
//	health.go    periodic checks of every backend
//	report.go    the test an admin runs
//	probe.go     whether a backend keeps keys as they are
//	cors.go      rules for pages of other origins, kept here or by a backend
//	buckets.go   list, create and delete buckets
//	caller.go    the gateway's own requests, with which key
//	refused.go   what a backend's S3 errors mean
//	usage.go     listings of objects, versions, uploads and parts
//	xml.go       strict, bounded reading of answers
package upstream
