// Package clients drives real S3 clients, each directly against a backend and
// through the gateway in front of it. What works directly must work through
// it; the run tells the difference and fails on any.
//
//	go test ./test/clients           each client once at each backend, without the slow cases
//	KEYSTILE_CLIENTS=full go test …  everything, both ways, over HTTP and HTTPS
package clients

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"keystile/internal/embedded"
)

// embeddedArg makes this binary the child that serves the embedded backend.
const embeddedArg = "serve-embedded-backend"

// binary is the program under test, built once for all tests.
var binary string

// full says whether everything runs.
var full = os.Getenv("KEYSTILE_CLIENTS") == "full"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == embeddedArg {
		if err := embedded.Serve(context.Background(), os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "keystile-clients")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "keystile")
	build := exec.Command("go", "build", "-o", binary, "keystile/cmd/keystile")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return 1
	}
	if err := adoptOrphans(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if left := leftRunning(); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "left running:\n%s\n", strings.Join(left, "\n"))
		return 1
	}
	return code
}
