// Package s3wire is S3 on the wire: which operations there are, how a request
// names one, its XML bodies, and the errors. It decides nothing about who may.
//
// Sources: the Amazon S3 API Reference (each operation's page, "Error
// responses", "Common request headers") and, for XML, XML 1.0.
package s3wire
