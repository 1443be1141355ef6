package s3proxy_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"keystile/internal/s3proxy"
)

// goodWires are the requests that TestMalformedInputLeavesNothing breaks.
var goodWires = []string{wireGet, wirePut, wireExpect, wireChunked, wireFramed, wireURL, wireOld, wireOldPut, wireOptions}

// TestMalformedInputLeavesNothing breaks good requests in many ways, the same ones
// in every run: none may panic, and none may leave a goroutine or a place among the
// requests in flight behind.
func TestMalformedInputLeavesNothing(t *testing.T) {
	runtime.GC()
	before := runtime.NumGoroutine()
	t.Run("cases", func(t *testing.T) {
		g := newGateway(t, func(o *s3proxy.Options) { o.Limits.InFlight, o.Limits.InFlightPerKey = 2, 2 })
		k := g.mint("prod/uploads:read,write")
		random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same in every run
		for i := range 600 {
			good := goodWires[i%len(goodWires)]
			g.say(g.addr, broken(random, g.fill(k, g.addr, good)), true)
		}
		for _, good := range goodWires {
			if answers := g.say(g.addr, g.fill(k, g.addr, good)+g.fill(k, g.addr, wireNext), false); strings.Contains(answers, " 503 ") {
				t.Errorf("%s is answered with %q afterwards", wireNames[good], answers)
			}
		}
		if logs := g.logs.String(); strings.Contains(logs, "panic") {
			t.Errorf("the log says %s", logs)
		}
	})
	noGoroutineIsLeft(t, before)
}

// broken changes, drops, repeats or cuts some bytes.
func broken(random *rand.Rand, wire string) string {
	b := []byte(wire)
	for range 1 + random.IntN(3) {
		at := random.IntN(len(b))
		end := min(at+1+random.IntN(12), len(b))
		switch random.IntN(5) {
		case 0:
			b[at] = byte(random.IntN(256))
		case 1:
			b = slices.Delete(b, at, end)
		case 2:
			b = slices.Insert(b, at, slices.Clone(b[at:end])...)
		case 3:
			b = slices.Insert(b, at, []byte{'\r', '\n', 0, ':', ' ', '0', 'f', ';'}[random.IntN(8)])
		case 4:
			b = b[:max(at, 1)]
		}
	}
	return string(b)
}
