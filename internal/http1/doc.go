// Package http1 is the gateway's strict HTTP/1.1 on both of its sides.
//
// Connections to a backend are shared by tenants, and a client's connection
// carries many requests, so a message whose end two parsers could see in
// different places is a security fault, not a nuisance. RFC 9112 leaves a
// recipient free to be lenient; this package is not.
//
// Towards clients, [Server] serves only requests whose framing is unambiguous.
// Of a refused head its handler gets a stand-in, so that it can answer
// ([Refused]), and the connection ends. [Guard] puts the same strictness in front
// of net/http's server, which then sees no byte that was not parsed before.
//
// Towards a backend, [Client] keeps a bounded pool of connections. One is
// reused only when exactly the declared request body was sent, the answer was
// read to its end and nothing surplus came with it.
//
//	guard.go           the wrapped listener and connection
//	guard_io.go        its deadlines, writes and kernel copies
//	guard_pace.go      how slow a client may be
//	guard_head.go      what a request head may look like
//	server.go          Server: listeners, start and end
//	server_conn.go     a client's connection, request by request
//	server_watch.go    how a client's end is noticed
//	server_request.go  from a judged head to the handler's request
//	server_body.go     the request's body
//	server_answer.go   the handler's answer: head, framing, gathering
//	head.go            line and field grammar shared by both sides
//	chunk.go           chunked framing shared by both sides
//	client.go          Client.Do: one exchange
//	upload.go          a long body, sent while the answer is awaited
//	splice.go          the part of it that the kernel copies
//	request.go         what goes out: validation, head, body
//	response.go        what comes back: status line, fields, framing
//	body.go            the answer's body
//	pool.go            connections: slots, idle ones, liveness (peek_*.go)
//	errors.go          sentinels and the error type of the client
package http1
