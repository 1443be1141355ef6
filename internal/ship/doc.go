// Package ship brings the audit journal to where others keep it: records and
// anchors, each in the order of the journal, to any number of sinks.
//
// Every sink has a feed of its own, which reads the journal from the position
// that the sink has got to. A slow or dead sink delays neither what is recorded
// nor another sink; it falls behind, and how far is told. The position stands in
// the store, and is moved only when a sink has taken what is before it: after a
// crash some is sent again, and nothing is left out. Receivers know repetitions
// by the number of the record.
//
//	shipper.go  all feeds, and how it stands with them
//	feed.go     one sink: reading, sending, waiting, position
//	item.go     what is sent
//	syslog.go   RFC 5424 over TLS
//	hook.go     signed webhooks
//	file.go     lines of JSON in a file that is rotated
//	bucket.go   anchors as objects under S3 Object Lock
package ship
