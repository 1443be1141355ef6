package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"
)

type runCommand struct {
	Keystile   string `default:"bin/keystile" help:"The gateway's binary." type:"existingfile"`
	Unrecorded string `default:"bin/keystile-unrecorded" help:"The same, built with the tag unrecorded: it keeps no audit trail." type:"existingfile"`
	Rounds     int    `default:"5" help:"How often each case is measured at each target."`
	Small      int    `default:"2000" help:"Small requests of one measurement."`
	Large      int    `default:"8" help:"Large requests of one measurement."`
	Only       string `help:"Measure only the cases whose name has this in it."`
}

// Run measures, prints a table and fails if a bound is broken.
func (cmd runCommand) Run(ctx context.Context) error {
	if _, err := exec.LookPath("nginx"); err != nil {
		return fmt.Errorf("nginx is what the gateway is compared with: %w", err)
	}
	l, err := newLab(ctx, cmd.Keystile, cmd.Unrecorded)
	if err != nil {
		return err
	}
	defer l.Close()
	fmt.Printf("%s/%s, %d cores, %s; %d rounds, %d small requests each, %d at once, and %d large ones, %d at once\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), cmd.Rounds,
		cmd.Small, smallAtOnce, cmd.Large, largeAtOnce)
	table := newTable(os.Stdout)
	for _, c := range cases() {
		if !matches(c.name, cmd.Only) {
			continue
		}
		results, hash, err := cmd.measure(ctx, l, c)
		if err != nil {
			return err
		}
		table.add(c, results, hash)
	}
	if matches("audit trail", cmd.Only) {
		if err := measureTrail(ctx, os.Stdout); err != nil {
			return err
		}
	}
	if broken := table.broken; broken > 0 {
		return fmt.Errorf("%d bounds are broken", broken)
	}
	return nil
}

// skips tells that a target is not measured: where a relay has no such request,
// the trail no such record, or a quota nothing to count.
func (c testCase) skips(t *target) bool {
	switch t.name {
	case gatewayName:
		return false
	case countedName:
		return !c.counted
	case unrecordedName:
		return !c.recorded
	}
	return c.alone
}

// measure interleaves the targets, so that a neighbour's noise falls on all, and turns
// their order round by round, so that none always comes after the same other.
func (cmd runCommand) measure(ctx context.Context, l *lab, c testCase) (map[string]result, series, error) {
	count := cmd.Small
	unit := float64(time.Microsecond) * float64(count)
	if c.payload > 0 {
		count = cmd.Large
		unit = float64(time.Second) * float64(count) * float64(c.payload) / gib
	}
	results := map[string]result{}
	var hashes series
	for round := range cmd.Rounds + 1 {
		for i := range l.targets {
			t := l.targets[i]
			if round%2 == 1 {
				t = l.targets[len(l.targets)-1-i]
			}
			if c.skips(t) {
				continue
			}
			used, err := t.measure(ctx, c, count)
			if err != nil {
				return nil, nil, err
			}
			if round > 0 { // the first one warms up
				r := results[t.name]
				results[t.name] = result{append(r.cpu, float64(used.cpu)/unit), append(r.p50, float64(used.p50)/float64(time.Microsecond))}
			}
		}
		if c.hashed && round > 0 {
			used, err := hashPass(os.Getpid())
			if err != nil {
				return nil, nil, err
			}
			hashes = append(hashes, used.Seconds())
		}
	}
	if len(results[gatewayName].cpu) == 0 {
		return nil, nil, errors.New("nothing was measured")
	}
	return results, hashes, nil
}
