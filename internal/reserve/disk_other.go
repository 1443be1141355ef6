//go:build !linux

package reserve

import (
	"math"
	"os"
)

func allocate(f *os.File, from, more int64) error { return fill(f, from, more) }

// available is not known here: the reserve is given up where a write fails.
func available(string) (int64, error) { return math.MaxInt64, nil }

// SameDisk cannot be told here, and is taken to be so: one reserve for both.
func SameDisk(string, string) bool { return true }
