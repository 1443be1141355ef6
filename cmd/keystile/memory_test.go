package main

import "testing"

func TestASmallHeapGrowsByItsRoom(t *testing.T) {
	for _, tt := range []struct {
		live uint64
		want int
	}{{0, 800}, {1 << 20, 800}, {8 << 20, 300}, {12 << 20, 200}, {24 << 20, 100}, {1 << 40, 100}} {
		if got := gcPercent(tt.live); got != tt.want {
			t.Errorf("%d bytes: %d%%, want %d%%", tt.live, got, tt.want)
		}
	}
}
