// Package audit records who did what, allowed or refused. A record is durable
// in the store when the call that made it returns; calls that wait at the same
// time share one commit. There is no queue that drops.
package audit
