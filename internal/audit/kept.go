//go:build !unrecorded

package audit

// kept: this program keeps a trail.
const kept = true

// nowhere is for programs that keep none.
var nowhere *batch
