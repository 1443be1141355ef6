package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// heapRoom is how much the heap may at least grow between two collections, in
// bytes. What a gateway keeps is often a few MiB; collecting each time that as
// much again was used was measured to take a tenth of its CPU.
const heapRoom = 24 << 20

// paceCollector leaves the collector alone where the heap is large, and lets a
// small one grow by heapRoom first. A GOGC of the environment stands.
func paceCollector(ctx context.Context) {
	const liveHeap = "/gc/heap/live:bytes"
	sample := []metrics.Sample{{Name: liveHeap}}
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		metrics.Read(sample)
		debug.SetGCPercent(gcPercent(sample[0].Value.Uint64()))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// gcPercent is what GOGC is to be, for a heap of which so many bytes live.
func gcPercent(live uint64) int {
	const usual, most = 100, 800
	return int(min(max(usual, heapRoom*100/max(live, 1)), most))
}
