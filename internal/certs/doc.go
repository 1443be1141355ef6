// Package certs gives listeners their TLS: certificates from files, which are
// read again when they change, or from an ACME certificate authority.
//
// A [Files] keeps what it last read whole: new files that cannot be used change
// nothing but [Files.Status], until they can.
//
//	files.go     certificate, key and client CA as files
//	settings.go  what every listener's TLS has in common
//	acme.go      certificates that renew themselves
package certs
