package clients

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// toolsDir is where the install script builds clients from source.
var toolsDir = func() string {
	dir, err := filepath.Abs("../../.tools")
	if err != nil {
		panic(err)
	}
	return dir
}()

// program finds a client: in .tools, at a path, or on PATH.
func program(t *testing.T, name string) string {
	t.Helper()
	if !strings.Contains(name, "/") {
		if path := filepath.Join(toolsDir, name); executable(path) {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name)
	}
	return path
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o100 != 0
}

// command runs a client's program once.
type command struct {
	program string
	env     []string
	dir     string
	stdin   string // file
	fails   func(stdout, stderr string) error
}

// timeLimit bounds one run of a client.
const timeLimit = 2 * time.Minute

// run gives what it printed. That it failed becomes an error by fails.
func (c command) run(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Env, cmd.Dir, cmd.WaitDelay = c.env, c.dir, time.Second
	if c.stdin != "" {
		file, err := os.Open(c.stdin)
		if err != nil {
			return "", err
		}
		defer file.Close()
		cmd.Stdin = file
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", errors.New("did not end in time: " + strings.Join(args, " "))
	}
	if err == nil {
		return stdout.String(), nil
	}
	if failed := c.fails(stdout.String(), stderr.String()); failed != nil {
		return "", failed
	}
	return "", errors.New(err.Error() + ": " + strings.TrimSpace(stdout.String()+stderr.String()))
}

// codes are the names of S3's errors in what a program prints.
var codes = regexp.MustCompile(`\b(AccessDenied|BadDigest|InvalidDigest|NoSuchKey|NoSuchBucket|PreconditionFailed|NotFound|Not Found|NotImplemented|InvalidAccessKeyId|SignatureDoesNotMatch|QuotaExceeded|SlowDown|ServiceUnavailable|MethodNotAllowed|InvalidArgument|InvalidRequest|NoSuchVersion|KeyTooLongError|InvalidURI|BadRequest|Bad Request|XAmzContentSHA256Mismatch)\b|\b(400|401|403|404|405|409|411|412|500|501|503|507)\b`)

// refused finds the S3 error in what a program printed.
func refused(_, stderr string) error {
	if code := codes.FindString(stderr); code != "" {
		return &refusal{code: code, said: strings.TrimSpace(stderr)}
	}
	return nil
}
