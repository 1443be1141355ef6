package control

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"keystile/internal/keystile"
)

const day = 24 * time.Hour

// maxSpan bounds a duration that a person writes: a century.
const maxSpan = 100 * 365 * day

// ParseSpan reads a duration: Go's forms ("90m", "24h") and whole days and
// weeks ("30d", "12w"). A negative one, one over a century, or anything else is
// ErrInvalid.
func ParseSpan(s string) (time.Duration, error) {
	d, err := parseSpan(s)
	if err != nil || d < 0 || d > maxSpan {
		return 0, fmt.Errorf("%q is not a duration such as 90m, 24h, 30d or 12w: %w", s, keystile.ErrInvalid)
	}
	return d, nil
}

func parseSpan(s string) (time.Duration, error) {
	for suffix, unit := range map[string]time.Duration{"d": day, "w": 7 * day} {
		if number, ok := strings.CutSuffix(s, suffix); ok {
			n, err := strconv.ParseUint(number, 10, 16)
			return min(time.Duration(n), maxSpan/unit+1) * unit, err
		}
	}
	return time.ParseDuration(s)
}

// Expiry says when something ends: in a span, at a time, or never (zero).
type Expiry struct {
	In string
	At time.Time
}

func (e Expiry) resolve(now time.Time, faults *keystile.Faults) time.Time {
	if e.In == "" {
		if !e.At.IsZero() && !e.At.After(now) {
			faults.Add("expires_at", "the expiry must lie in the future")
		}
		return e.At.UTC().Truncate(time.Microsecond)
	}
	if !e.At.IsZero() {
		faults.Add("expires_at", "give either expires_in or expires_at")
		return time.Time{}
	}
	span, err := ParseSpan(e.In)
	if err != nil || span == 0 {
		faults.Add("expires_in", "must be a duration such as 24h, 30d or 12w")
		return time.Time{}
	}
	return now.Add(span).Truncate(time.Microsecond)
}

// instant writes a time for an event.
func instant(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}
