package control

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"keystile/internal/keystile"
)

func TestThrottle(t *testing.T) {
	clock := &fakeClock{at: time.Unix(1_800_000_000, 0)}
	th := newThrottle(clock.now)
	here, there := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("198.51.100.7")
	guess := func(from netip.Addr, account string) time.Duration {
		var throttled *Throttled
		if err := th.begin(from, account); errors.As(err, &throttled) {
			if !errors.Is(err, keystile.ErrThrottled) {
				t.Errorf("%v is not ErrThrottled", err)
			}
			return throttled.Wait
		}
		return 0
	}
	for i := range 5 {
		if wait := guess(here, "root"); wait != 0 {
			t.Fatalf("guess %d waits %v", i, wait)
		}
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512} {
		wait := guess(here, "root")
		if wait > want*time.Second || wait == 0 {
			t.Fatalf("waits %v, want at most %v", wait, want*time.Second)
		}
		clock.pass(wait - time.Nanosecond)
		if guess(here, "root") == 0 {
			t.Fatal("a guess passed too early")
		}
		clock.pass(time.Nanosecond)
		if guess(here, "root") != 0 {
			t.Fatal("a guess is refused after its wait")
		}
	}
	if guess(there, "root") != 0 {
		t.Error("the account is locked for everybody")
	}
	clock.pass(24 * time.Hour)
	if guess(here, "root") != 0 {
		t.Error("a day does not forgive")
	}
}

// Over a day, however patient, one source gets few guesses at one password.
func TestThrottleSustained(t *testing.T) {
	clock := &fakeClock{at: time.Unix(1_800_000_000, 0)}
	th := newThrottle(clock.now)
	passed := 0
	for range 24 * 60 * 60 {
		if th.begin(netip.MustParseAddr("203.0.113.9"), "root") == nil {
			passed++
		}
		clock.pass(time.Second)
	}
	if passed > 200 {
		t.Errorf("%d guesses in a day", passed)
	}
}

// Guesses sent at once do not all pass before the first is known to be wrong.
func TestThrottleAtOnce(t *testing.T) {
	th := newThrottle(time.Now)
	var passed sync.Map
	var wait sync.WaitGroup
	for i := range 100 {
		wait.Go(func() {
			if th.begin(netip.MustParseAddr("203.0.113.9"), "root") == nil {
				passed.Store(i, true)
			}
		})
	}
	wait.Wait()
	n := 0
	passed.Range(func(any, any) bool { n++; return true })
	if n != 5 {
		t.Errorf("%d guesses passed, want the 5 free ones", n)
	}
}

// A person with an account of their own cannot use it to clear the count of
// their guesses at others'.
func TestThrottleIsNotResetByTheOwnAccount(t *testing.T) {
	clock := &fakeClock{at: time.Unix(1_800_000_000, 0)}
	th := newThrottle(clock.now)
	here := netip.MustParseAddr("203.0.113.9")
	passed := 0
	for i := range 100 {
		if th.begin(here, "mallory") == nil {
			th.right(here, "mallory")
		}
		if th.begin(here, fmt.Sprintf("victim%d", i)) == nil {
			passed++
		}
	}
	if passed > 20 {
		t.Errorf("%d guesses at others' passwords passed at once", passed)
	}
}

func TestThrottleUnanswered(t *testing.T) {
	th := newThrottle(time.Now)
	here := netip.MustParseAddr("203.0.113.9")
	for range 100 {
		must(t, th.begin(here, "root"))
		th.unanswered(here, "root")
	}
}

func TestThrottleMemoryIsBounded(t *testing.T) {
	clock := &fakeClock{at: time.Unix(1_800_000_000, 0)}
	th := newThrottle(clock.now)
	addr := netip.MustParseAddr("2001:db8::")
	for i := range 3 * maxGuessKeys {
		b := addr.As16()
		b[2], b[3], b[4], b[5] = byte(i>>24), byte(i>>16), byte(i>>8), byte(i)
		must(t, th.begin(netip.AddrFrom16(b), "root"))
	}
	if len(th.pairs.failed) > maxGuessKeys || len(th.all.failed) > maxGuessKeys {
		t.Errorf("%d pairs and %d sources are kept", len(th.pairs.failed), len(th.all.failed))
	}
}
