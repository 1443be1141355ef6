// Command keystile is the gateway, its administration and its client in one
// binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"keystile/internal/config"
	"keystile/internal/keystile"
)

// Exit codes, a stable interface.
const (
	exitDone   = 0
	exitFailed = 1 // refused or failed
	exitUsage  = 2 // wrong usage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args, os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// usageError is a wrong use that the parser could not know of.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// plain is an error's text without the sentinel's name behind it.
func plain(err error) string {
	return strings.TrimSuffix(err.Error(), ": "+keystile.ErrInvalid.Error())
}

// run is the whole program but the process: it reads nothing else and returns
// the exit code. The first of args is how the program was called.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	con := &console{program: args[0], in: stdin, out: stdout, err: stderr, environ: environMap(environ)}
	helped := false
	parser, err := newParser(con, func(int) { helped = true })
	if err != nil {
		return con.fail(err)
	}
	command, err := parser.Parse(args[1:])
	if helped {
		return exitDone
	}
	if err != nil {
		return con.fail(err)
	}
	if con.notReady != nil {
		return con.fail(con.notReady)
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return con.fail(command.Run())
}

// fail prints an error, if there is one, and returns its exit code.
func (c *console) fail(err error) int {
	if err == nil {
		return exitDone
	}
	var wrong usageError
	var parse *kong.ParseError
	_, _ = fmt.Fprintln(c.err, "keystile: "+message(err))
	switch {
	case errors.As(err, &parse):
		_, _ = fmt.Fprintf(c.err, "Try: %s --help\n", commandPath(parse.Context))
		return exitUsage
	case errors.As(err, &wrong):
		return exitUsage
	}
	return exitFailed
}

// message is an error in words; a configuration's faults come one a line.
func message(err error) string {
	var faults config.Faults
	if !errors.As(err, &faults) {
		return err.Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration has %d fault(s):", len(faults))
	for _, f := range faults {
		b.WriteString("\n  " + f.String())
	}
	return b.String()
}

// commandPath is the part of the command that was understood.
func commandPath(ctx *kong.Context) string {
	path := []string{"keystile"}
	if ctx != nil {
		for _, p := range ctx.Path {
			if p.Command != nil {
				path = append(path, p.Command.Name)
			}
		}
	}
	return strings.Join(path, " ")
}

func environMap(environ []string) map[string]string {
	m := make(map[string]string, len(environ))
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		m[name] = value
	}
	return m
}
