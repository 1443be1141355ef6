package main

import (
	"time"

	"keystile/internal/client"
	"keystile/internal/config"
)

// Expiry is the pair of flags that says when something ends.
type Expiry struct {
	ExpiresIn string `help:"End after a duration: 90m, 24h, 30d; or never." xor:"expiry" placeholder:"DURATION"`
	ExpiresAt string `help:"End at a time: 2027-01-31 (midnight UTC) or RFC 3339; or never." xor:"expiry" placeholder:"TIME"`
}

// parse returns nil when neither flag is given, and an empty expiry for never.
func (e Expiry) parse() (*client.Expiry, error) {
	switch {
	case e.ExpiresIn == "" && e.ExpiresAt == "":
		return nil, nil
	case e.ExpiresIn == "never" || e.ExpiresAt == "never":
		return &client.Expiry{}, nil
	case e.ExpiresIn != "":
		if err := checkDuration("--expires-in", e.ExpiresIn); err != nil {
			return nil, err
		}
		return &client.Expiry{In: e.ExpiresIn}, nil
	}
	t, err := parseTime("--expires-at", e.ExpiresAt)
	return &client.Expiry{At: &t}, err
}

func checkDuration(flag, text string) error {
	d, err := config.ParseDuration(text)
	if err != nil {
		return usagef("%s: %s", flag, err)
	}
	if d <= 0 {
		return usagef("%s: %q is not a positive duration", flag, text)
	}
	return nil
}

// parseTime reads RFC 3339 or a date, which means its midnight in UTC.
func parseTime(flag, text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, usagef("%s: %q is neither a date (2027-01-31) nor a time in RFC 3339 (2027-01-31T12:00:00Z)", flag, text)
}

// parsePast reads a time as parseTime does, or how long ago it was.
func parsePast(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := config.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	t, err := parseTime(flag, text)
	if err != nil {
		return time.Time{}, usagef("%s: %q is neither a date, nor a time in RFC 3339, nor how long ago (15m, 24h, 7d)", flag, text)
	}
	return t, nil
}
