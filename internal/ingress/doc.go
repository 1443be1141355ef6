// Package ingress is what happens to a connection before anything is spoken on
// it: how many there may be, in all and from one source, and, behind a trusted
// proxy that sends the PROXY protocol, whose it is.
//
//	listener.go  counting, and reading headers beside one another
//	proxy.go     the PROXY protocol, versions 1 and 2
package ingress
