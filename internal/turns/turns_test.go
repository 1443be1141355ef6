package turns_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"keystile/internal/turns"
)

func TestOneAtATimeActsOnAName(t *testing.T) {
	var all turns.Turns
	var wg sync.WaitGroup
	count := 0 // under the turn alone
	for range 50 {
		wg.Go(func() {
			back, err := all.Take(t.Context(), "one")
			if err != nil {
				t.Error(err)
				return
			}
			defer back()
			count++
		})
	}
	wg.Wait()
	if count != 50 {
		t.Errorf("%d acts, want 50", count)
	}
}

func TestATurnIsWaitedForNoLongerThanAsked(t *testing.T) {
	var all turns.Turns
	back, err := all.Take(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := all.Take(ended, "one"); !errors.Is(err, context.Canceled) {
		t.Errorf("a taken turn: %v", err)
	}
	if _, ok := all.TryTake("one"); ok {
		t.Error("a taken turn was taken")
	}
	other, ok := all.TryTake("another")
	if !ok {
		t.Fatal("another name has its own turn")
	}
	other()
	back()
	if back, ok = all.TryTake("one"); !ok {
		t.Fatal("the turn was not given back")
	}
	back()
}
