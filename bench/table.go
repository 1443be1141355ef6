package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// series are the figures of one case at one target, one for each round.
type series []float64

func (s series) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// result is what a case took at one target: CPU in the case's unit, and the
// median latency in µs.
type result struct{ cpu, p50 series }

// String is the median with the lowest and highest round.
func (s series) String() string {
	if len(s) == 0 {
		return "–"
	}
	return fmt.Sprintf("%s (%s…%s)", figure(s.median()), figure(slices.Min(s)), figure(slices.Max(s)))
}

func figure(f float64) string {
	if -10 < f && f < 10 {
		return fmt.Sprintf("%.2f", f)
	}
	return fmt.Sprintf("%.0f", f)
}

// table prints a line for each case as soon as it is measured.
type table struct {
	out    io.Writer
	broken int // bounds
}

const row = "%-26s %-10s %-20s %-20s %-20s %-7s %s\n"

func newTable(out io.Writer) *table {
	t := &table{out: out}
	t.print("case", "CPU", nginxName, relayName, gatewayName, "ratio", "bound")
	return t
}

func (t *table) print(cells ...any) {
	line := fmt.Sprintf(row, cells...)
	_, _ = fmt.Fprintln(t.out, strings.TrimRight(line, " \n"))
}

// add judges a case by its medians.
func (t *table) add(c testCase, results map[string]result, hash series) {
	unit := "µs each"
	if c.payload > 0 {
		unit = "s per GiB"
	}
	ratio, bound := "–", "none"
	judged := results[gatewayName].cpu
	if c.recorded {
		judged = results[unrecordedName].cpu
	}
	if base := results[relayName].cpu; len(base) > 0 && c.bound > 0 {
		allowed := c.bound * base.median()
		bound = fmt.Sprintf("%.1f", c.bound)
		if c.hashed {
			allowed += hash.median()
			bound += fmt.Sprintf(" and one SHA-256 (%s s)", figure(hash.median()))
		}
		if c.recorded {
			bound += " without the trail"
		}
		used := judged.median()
		ratio = fmt.Sprintf("%.2f", used/base.median())
		if cmp.Compare(used, allowed) > 0 {
			t.broken++
			bound += ": BROKEN"
		} else {
			bound += ": kept"
		}
	}
	t.print(c.name, unit, results[nginxName].cpu, results[relayName].cpu, results[gatewayName].cpu, ratio, bound)
	if c.recorded {
		t.addTrail(results[gatewayName], results[unrecordedName])
	}
	if c.counted {
		t.addQuota(results[gatewayName], results[countedName])
	}
}

// addQuota tells what a quota of its bucket adds to a write. That is promised to be
// lost in the noise: where the counted one took more in each of the rounds, it is not.
func (t *table) addQuota(without, with result) {
	t.print("  in a counted bucket", "µs each", "", "", with.cpu, "", "")
	adds := with.cpu.minus(without.cpu)
	bound := "within the noise: kept"
	if slices.Min(adds) > 0 {
		t.broken++
		bound = "within the noise: BROKEN"
	}
	t.print("  counting adds", "µs each", "", "", adds, "", bound)
	t.print("  p50, and counted", "µs", "", "", without.p50, "", with.p50)
	t.print("  counting adds to it", "µs", "", "", with.p50.minus(without.p50), "", "")
}

// minus is the difference in each round.
func (s series) minus(other series) series {
	differences := make(series, len(s))
	for i := range s {
		differences[i] = s[i] - other[i]
	}
	return differences
}

// addTrail tells what the audit trail adds to a request.
func (t *table) addTrail(with, without result) {
	t.print("  without the trail", "µs each", "", "", without.cpu, "", "")
	t.print("  the trail adds", "µs each", "", "", figure(with.cpu.median()-without.cpu.median()), "", "")
	t.print("  p50, and without it", "µs", "", "", with.p50, "", without.p50)
	if len(with.p50) > 0 && len(without.p50) > 0 {
		t.print("  the trail adds to p50", "µs", "", "", figure(with.p50.median()-without.p50.median()), "", "")
	}
}

func matches(name, only string) bool { return only == "" || strings.Contains(name, only) }
