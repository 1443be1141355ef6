package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapRoom is how much the heap may at least grow between two collections, in
// bytes. What a gateway keeps is often a few MiB; collecting each time that as
// much again was used was measured to take a tenth of its CPU.
const heapRoom = 32 << 20

// collected is unreachable as soon as it is made, so that its cleanup runs
// after each collection. It holds a pointer, to be allocated by itself.
type collected struct{ _ *byte }

// paceCollector leaves the collector alone where the heap is large, and lets a
// small one grow by heapRoom first. It decides anew after each collection: what
// lived during one (the memory of a password's hash, say) may be gone at the
// next.
func paceCollector() {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	debug.SetGCPercent(gcPercent(sample[0].Value.Uint64()))
	runtime.AddCleanup(new(collected), func(struct{}) { paceCollector() }, struct{}{})
}

// gcPercent is what GOGC is to be, for a heap of which so many bytes live.
func gcPercent(live uint64) int {
	const usual, most = 100, 800
	return int(min(max(usual, heapRoom*100/max(live, 1)), most))
}
