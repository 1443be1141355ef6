// Package traffic counts S3 requests by hour and credential, and keeps the
// history of backends' health.
//
// Counting costs a request one short lock that it shares with hardly any other:
// counters are spread over shards and gathered every few seconds. What was
// counted since is lost when the process is killed; an orderly stop loses
// nothing.
//
//	meter.go   counters in memory
//	keeper.go  what brings them into the store, and forgets old ones
//	health.go  which looks at backends are kept
package traffic
