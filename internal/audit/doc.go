// Package audit records who did what, allowed or refused. A record is durable
// when the call that made it returns; calls that wait at the same time share one
// commit. There is no queue that drops.
//
// A [Trail] records in a journal on the local disk, and copies what is there
// into the store, which is its index: each record exactly once, however often
// the process dies between the two. Where a journal is not to be had, as in
// commands that run beside a server, [InStore] records in the store itself.
package audit
