// Package control holds the use cases of the control plane: every mutation that
// the API, the dashboard and the command line can ask for, each in one place.
//
// A mutation checks who may do it, validates it, and commits the change, its
// generation and its audit event in one transaction; then it waits until every
// gateway has confirmed the generation. core.go holds that sequence, the files
// named after a resource hold what is particular to it. Acts that were refused
// or failed are audited too.
package control
