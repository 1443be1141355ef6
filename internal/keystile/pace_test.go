package keystile

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	began := time.Unix(1_800_000_000, 0)
	for _, tt := range []struct {
		name          string
		pace          Pace
		after         time.Duration
		rate          float64
		objects       int64
		left          time.Duration
		hasAnEstimate bool
	}{
		{"half is done", Pace{began, 500, 1000}, 10 * time.Second, 50, 500, 10 * time.Second, true},
		{"nothing is known in the first second", Pace{began, 500, 1000}, 900 * time.Millisecond, 0, 500, 0, false},
		{"nothing deleted yet has no end", Pace{began, 0, 1000}, time.Minute, 0, 1000, 0, false},
		{"uncounted objects have a rate and no end", Pace{began, 500, -1}, 10 * time.Second, 50, -1, 0, false},
		{"more than were counted leaves none", Pace{began, 1200, 1000}, 10 * time.Second, 120, 0, 0, true},
		{"an estimate ends at a year", Pace{began, 1, 1 << 62}, time.Hour, 1.0 / 3600, 1<<62 - 1, maxTimeLeft, true},
		{"a clock that went back knows nothing", Pace{began, 500, 1000}, -time.Minute, 0, 500, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := began.Add(tt.after)
			if rate := tt.pace.PerSecond(now); rate != tt.rate {
				t.Errorf("%v objects a second, want %v", rate, tt.rate)
			}
			if left := tt.pace.Left(); left != tt.objects {
				t.Errorf("%d objects left, want %d", left, tt.objects)
			}
			if left, known := tt.pace.TimeLeft(now); left != tt.left || known != tt.hasAnEstimate {
				t.Errorf("%v left (known: %v), want %v (%v)", left, known, tt.left, tt.hasAnEstimate)
			}
		})
	}
}
