// Package web serves the dashboard's pages: files that were built beforehand
// and are part of the binary. It knows nothing of what they show; they talk to
// the JSON API only.
package web
