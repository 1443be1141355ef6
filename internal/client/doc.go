// Package client is a typed client of the gateway's JSON API, for the command
// line. It follows no redirects, so that a token never travels to another host,
// bounds every answer, and turns every refusal into an *Error with its code and
// request ID.
package client
