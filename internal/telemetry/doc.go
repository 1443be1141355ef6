// Package telemetry makes the gateway observable: log lines with request IDs
// and without hostile control characters, and Prometheus metrics with bounded
// sets of labels.
package telemetry
