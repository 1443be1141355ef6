package http1

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestAfterEnd: what waits for a request's end runs once, however many wait and
// whenever they begin, and what has stopped waiting does not.
func TestAfterEnd(t *testing.T) {
	why := errors.New("why")
	for name, waiters := range map[string]int{"none": 0, "one": 1, "more than have room in the context": 3} {
		t.Run(name, func(t *testing.T) {
			ctx := newRequestContext(context.Background())
			ran := make(chan int, 10)
			if stop := afterEnd(ctx, func() { ran <- -1 }); !stop() || stop() {
				t.Error("the first stop is the one that counts")
			}
			var stops []func() bool
			for i := range waiters {
				stops = append(stops, afterEnd(ctx, func() { ran <- i }))
			}
			ctx.End(why)
			ctx.End(errors.New("another"))
			stops = append(stops, afterEnd(ctx, func() { ran <- waiters }))
			seen := map[int]int{}
			for range waiters + 1 {
				select {
				case i := <-ran:
					seen[i]++
				case <-time.After(10 * time.Second):
					t.Fatalf("only %v ran", seen)
				}
			}
			for i := range waiters + 1 {
				if seen[i] != 1 {
					t.Errorf("%d ran %d times", i, seen[i])
				}
			}
			for i, stop := range stops {
				if stop() {
					t.Errorf("%d was stopped after it ran", i)
				}
			}
			if got := context.Cause(ctx); !errors.Is(got, why) {
				t.Errorf("the cause is %v", got)
			}
		})
	}
}

// TestAfterEndBesideTheEnd: one that begins to wait while the request ends runs
// too, and one that stops then either runs or was stopped.
func TestAfterEndBesideTheEnd(t *testing.T) {
	for range 2000 {
		ctx := newRequestContext(context.Background())
		go ctx.End(context.Canceled)
		ran := make(chan struct{})
		stop := afterEnd(ctx, func() { close(ran) })
		if stop() {
			select {
			case <-ran:
				t.Fatal("ran and was stopped")
			default:
			}
			continue
		}
		select {
		case <-ran:
		case <-time.After(10 * time.Second):
			t.Fatal("neither ran nor was stopped")
		}
	}
}
