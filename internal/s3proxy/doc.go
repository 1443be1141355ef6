// Package s3proxy is the gateway's data plane: it takes an S3 request through
// parse, authenticate, authorize, limit, record, forward and settle, each once
// and in this order, and answers it.
package s3proxy
