// Package keyring answers, from memory, whose an access key is and whether it
// is good now. It holds every live credential and anonymous binding in a
// snapshot that is swapped whole, and cuts the requests in flight of whatever
// loses a right.
package keyring
