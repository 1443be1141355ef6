// Package api is the JSON API: it decodes requests, calls the use cases of
// package control, and writes their answers. It decides nothing but who asks.
//
// Every operation is described by Go types, from which the OpenAPI document is
// made. guard.go holds what is true of every request, auth.go who may be
// believed, errors.go what clients hear of errors; the other files hold one
// resource each.
package api
