package keystile

import (
	"testing"
	"time"
)

func limits(ceiling, allowance int64, per AllowancePer) *CredentialLimits {
	return &CredentialLimits{Ceiling: Amount{Bytes: ceiling, Objects: NoCap}, Allowance: allowance, Per: per}
}

func TestLimitsAsWide(t *testing.T) {
	for _, tt := range []struct {
		name       string
		wide, than *CredentialLimits
		want       bool
	}{
		{"none is as wide as any", nil, limits(1, 1, PerDay), true},
		{"any is narrower than none", limits(1, NoCap, ""), nil, false},
		{"limits that bound nothing are as wide as none", limits(NoCap, NoCap, ""), nil, true},
		{"the same", limits(5, 5, PerDay), limits(5, 5, PerDay), true},
		{"a lower ceiling", limits(4, NoCap, ""), limits(5, NoCap, ""), false},
		{"a higher ceiling", limits(6, NoCap, ""), limits(5, NoCap, ""), true},
		{"a new allowance", limits(5, 5, PerTotal), limits(5, NoCap, ""), false},
		{"a lower allowance", limits(NoCap, 4, PerDay), limits(NoCap, 5, PerDay), false},
		{"an allowance of another span", limits(NoCap, 9, PerTotal), limits(NoCap, 5, PerDay), false},
		{"an allowance taken away", limits(5, NoCap, ""), limits(5, 5, PerDay), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.wide.AsWide(tt.than); got != tt.want {
				t.Errorf("%v as wide as %v: %v", tt.wide, tt.than, got)
			}
		})
	}
}

func TestLimitsCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		l      *CredentialLimits
		faults int
	}{
		{"all", limits(0, 0, PerDay), 0},
		{"none", limits(NoCap, NoCap, ""), 0},
		{"below nothing", limits(-2, -2, PerDay), 2},
		{"an allowance without a span", limits(NoCap, 1, ""), 1},
		{"an allowance per week", limits(NoCap, 1, "week"), 1},
		{"a span without an allowance", limits(1, NoCap, PerDay), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var faults Faults
			if tt.l.Check(&faults); len(faults) != tt.faults {
				t.Errorf("faults %v", faults)
			}
		})
	}
}

func TestParseAllowance(t *testing.T) {
	for text, want := range map[string]CredentialLimits{
		"5GiB": {Allowance: 5 << 30, Per: PerTotal}, " 1MB/day": {Allowance: 1e6, Per: PerDay}, "0": {Per: PerTotal},
	} {
		if n, per, err := ParseAllowance(text); err != nil || n != want.Allowance || per != want.Per {
			t.Errorf("%q: %d %q %v", text, n, per, err)
		}
	}
	for _, text := range []string{"", "/day", "1GiB/week", "-1"} {
		if _, _, err := ParseAllowance(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestDaysBeginAtMidnightUTC(t *testing.T) {
	east := time.FixedZone("", 5*3600)
	if got := PerDay.Begin(time.Date(2026, 3, 14, 3, 0, 0, 0, east)); !got.Equal(time.Date(2026, 3, 13, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("it began at %v", got)
	}
	if got := PerTotal.Begin(time.Now()); !got.IsZero() {
		t.Errorf("all time began at %v", got)
	}
}
