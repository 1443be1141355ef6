// Package http1 is the gateway's strict HTTP/1.1 on both of its sides.
//
// Connections to a backend are shared by tenants, and a client's connection
// carries many requests, so a message whose end two parsers could see in
// different places is a security fault, not a nuisance. RFC 9112 leaves a
// recipient free to be lenient; this package is not.
//
// Towards clients, [Guard] wraps a listener that is put under net/http's
// server. It parses every byte before net/http does and shows it only heads
// whose framing is unambiguous. A refused head never reaches net/http; a
// synthetic request takes its place, so that the handler can answer it
// ([Refused]) and the connection ends.
//
// Towards a backend, [Client] keeps a bounded pool of connections. One is
// reused only when exactly the declared request body was sent, the answer was
// read to its end and nothing surplus came with it.
//
//	guard.go       the wrapped listener and connection
//	guard_io.go    its deadlines, writes and kernel copies
//	guard_pace.go  how slow a client may be
//	guard_head.go  what a request head may look like
//	head.go        line and field grammar shared by both sides
//	chunk.go       chunked framing shared by both sides
//	client.go      Client.Do: one exchange
//	upload.go      a long body, sent while the answer is awaited
//	request.go     what goes out: validation, head, body
//	response.go    what comes back: status line, fields, framing
//	body.go        the answer's body
//	pool.go        connections: slots, idle ones, liveness (peek_*.go)
//	errors.go      sentinels and the error type of the client
package http1
