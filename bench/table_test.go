package main

import (
	"strings"
	"testing"
)

func TestBoundsAreJudgedByMedians(t *testing.T) {
	base := series{1, 9, 2}
	for _, tt := range []struct {
		name    string
		gateway series
		bound   float64
		hash    series
		broken  int
	}{
		{"below", series{2.1, 0, 100}, 1.1, nil, 0},
		{"above", series{2.3, 2.3, 0}, 1.1, nil, 1},
		{"above, but for one pass of SHA-256", series{2.7}, 1.1, series{0.6}, 0},
		{"above that too", series{2.9}, 1.1, series{0.6}, 1},
		{"nothing promised", series{100}, 0, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			table := newTable(&out)
			c := testCase{name: tt.name, bound: tt.bound, hashed: tt.hash != nil}
			table.add(c, map[string]result{relayName: {cpu: base}, gatewayName: {cpu: tt.gateway}}, tt.hash)
			if table.broken != tt.broken || strings.Contains(out.String(), "BROKEN") != (tt.broken > 0) {
				t.Errorf("%d broken, want %d:\n%s", table.broken, tt.broken, out.String())
			}
		})
	}
}

// What keeping the trail costs is told, and not counted against the bound.
func TestTheTrailIsToldApart(t *testing.T) {
	var out strings.Builder
	table := newTable(&out)
	c := testCase{name: "PUT", bound: 1.2, recorded: true}
	table.add(c, map[string]result{
		relayName: {cpu: series{40}}, gatewayName: {cpu: series{90}, p50: series{700}}, unrecordedName: {cpu: series{47}, p50: series{500}},
	}, nil)
	table.add(c, map[string]result{relayName: {cpu: series{40}}, gatewayName: {cpu: series{90}}, unrecordedName: {cpu: series{49}}}, nil)
	for _, want := range []string{"1.18", "kept", "1.23", "BROKEN", "43", "700", "500", "adds to p50", "200"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing:\n%s", want, out.String())
		}
	}
	if table.broken != 1 {
		t.Errorf("%d broken, want 1", table.broken)
	}
}

// A quota may cost no more than the noise hides: rounds are compared in pairs.
func TestWhatAQuotaAddsIsLostInTheNoise(t *testing.T) {
	for _, tt := range []struct {
		name    string
		counted series
		want    string
		broken  int
	}{
		{"more in some rounds, less in others", series{104, 97, 102}, "2.00 (-13…4.00)", 0},
		{"more in every round", series{131, 111, 120}, "20 (1.00…31)", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			table := newTable(&out)
			p50 := series{700, 700, 700}
			table.add(testCase{name: "PUT", alone: true, counted: true}, map[string]result{
				gatewayName: {cpu: series{100, 110, 100}, p50: p50}, countedName: {cpu: tt.counted, p50: series{900, 900, 900}},
			}, nil)
			for _, want := range []string{"100", "adds", tt.want, "700", "900", "200"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is missing:\n%s", want, out.String())
				}
			}
			if table.broken != tt.broken || strings.Contains(out.String(), "BROKEN") != (tt.broken > 0) {
				t.Errorf("%d broken, want %d:\n%s", table.broken, tt.broken, out.String())
			}
		})
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		s    series
		want float64
	}{{series{3}, 3}, {series{5, 1, 3}, 3}, {series{4, 1, 3, 2}, 2.5}} {
		if got := tt.s.median(); got != tt.want {
			t.Errorf("%v: %v, want %v", []float64(tt.s), got, tt.want)
		}
	}
}
