// Command report reads what "go test -json" writes and tells it in short: one
// line a package, the whole output of what failed, the name of what was
// skipped, and at the end the counts.
//
// A test with subtests counts as its subtests, so that no case counts twice. It
// exits with 1 if anything failed, did not build or did not finish, and if no
// test passed at all. A line {"Action":"exit"}, which the Makefile adds where go
// test exits with an error, makes sure that no failure is lost.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	ok, err := report(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}

// event is one line of go test -json (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string
	Elapsed    float64
	Output     string
}

// name is a test of a package, or the package itself.
type name struct{ pkg, test string }

type results struct {
	out     io.Writer
	output  map[name][]string
	verdict map[name]string // pass, fail or skip
	parents map[name]bool
	begun   []name // in order
	broken  []string
	exited  bool // go test itself said that something failed
}

func report(in io.Reader, out io.Writer) (ok bool, err error) {
	r := results{out: out, output: map[name][]string{}, verdict: map[name]string{}, parents: map[name]bool{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.line(line)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, err
		}
	}
	return r.close(), nil
}

func (r *results) line(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		_, _ = r.out.Write(line) // a tool's own words
		return
	}
	n := name{e.Package, e.Test}
	switch e.Action {
	case "start", "run":
		r.begin(n)
	case "output":
		r.output[n] = append(r.output[n], e.Output)
	case "build-output":
		r.print("%s", e.Output)
	case "build-fail":
		r.broken = append(r.broken, "did not build: "+e.ImportPath)
	case "exit":
		r.exited = true
	case "pass", "fail", "skip":
		r.verdict[n] = e.Action
		r.end(n, e)
	}
}

func (r *results) begin(n name) {
	r.begun = append(r.begun, n)
	if cut := strings.LastIndexByte(n.test, '/'); cut > 0 {
		r.parents[name{n.pkg, n.test[:cut]}] = true
	}
}

// end tells of a test or package once it is known how it went.
func (r *results) end(n name, e event) {
	switch {
	case e.Action == "fail":
		r.print("--- %s %s FAILED\n%s", n.pkg, n.test, strings.Join(r.output[n], ""))
	case e.Action == "skip" && n.test != "":
		r.print("--- %s %s skipped\n%s", n.pkg, n.test, strings.Join(r.output[n], ""))
	case n.test == "" && e.Action == "pass":
		r.print("ok    %-40s %6.1fs  %d tests\n", n.pkg, e.Elapsed, r.passedIn(n.pkg))
	}
	delete(r.output, n)
}

func (r *results) passedIn(pkg string) (passed int) {
	for n, verdict := range r.verdict {
		if n.pkg == pkg && n.test != "" && verdict == "pass" && !r.parents[n] {
			passed++
		}
	}
	return passed
}

// close prints the counts.
func (r *results) close() (ok bool) {
	var passed, failed, skipped int
	for _, n := range r.begun {
		switch verdict := r.verdict[n]; {
		case verdict == "":
			failed++
			r.print("--- %s %s DID NOT FINISH\n%s", n.pkg, n.test, strings.Join(r.output[n], ""))
		case n.test == "" && verdict == "fail" && !r.hasFailedTest(n.pkg):
			failed++ // the package itself: a panic, a leak, a timeout
		case n.test == "":
		case r.parents[n] && (verdict != "fail" || r.hasFailedChild(n)):
		case verdict == "fail":
			failed++
		case verdict == "skip":
			skipped++
		default:
			passed++
		}
	}
	slices.Sort(r.broken)
	for _, line := range slices.Compact(r.broken) {
		failed++
		r.print("%s\n", line)
	}
	if r.exited && failed == 0 {
		failed++
		r.print("go test failed and did not say what\n")
	}
	r.print("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	return failed == 0 && passed > 0
}

func (r *results) hasFailedTest(pkg string) bool {
	for n, verdict := range r.verdict {
		if n.pkg == pkg && n.test != "" && verdict == "fail" {
			return true
		}
	}
	return false
}

func (r *results) hasFailedChild(parent name) bool {
	for n, verdict := range r.verdict {
		if n.pkg == parent.pkg && verdict == "fail" && strings.HasPrefix(n.test, parent.test+"/") {
			return true
		}
	}
	return false
}

func (r *results) print(format string, args ...any) { _, _ = fmt.Fprintf(r.out, format, args...) }
