package s3wire

import "testing"

// TestEveryNameOfALevelHasABit: a uint64 has no room for more, and a row whose name
// had none would be found by every request.
func TestEveryNameOfALevelHasABit(t *testing.T) {
	for level, r := range byLevel {
		seen := map[uint64]string{}
		for name, bit := range r.bit {
			if bit == 0 || bit&(bit-1) != 0 || seen[bit] != "" {
				t.Errorf("%s: %q has %b, and so has %q", Level(level), name, bit, seen[bit])
			}
			seen[bit] = name
		}
		for _, row := range r.list {
			for _, p := range row.op.By {
				if row.by&r.bit[p.Name] == 0 {
					t.Errorf("%s %s lacks %q", Level(level), row.op.Name, p.Name)
				}
			}
		}
	}
}
