// Package keystile holds the nouns of the gateway and their rules: backends,
// buckets, grants, credentials, anonymous bindings, accounts and audit events.
//
// It knows neither SQL nor HTTP and imports only the standard library, so that
// the data plane and the control plane share one vocabulary.
package keystile
