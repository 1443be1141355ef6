package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"keystile/internal/keystile"
)

// console is what the process gives a command: its streams and environment.
type console struct {
	program string // how it was called
	in      io.Reader
	out     io.Writer
	err     io.Writer
	environ map[string]string

	// notReady is why the chosen command cannot run, found while parsing.
	notReady error
}

// isTerminal reports whether a stream is one.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// maxSecretLine bounds a secret on standard input.
const maxSecretLine = 64 << 10

// secretFromStdin reads a secret of one line.
func (c *console) secretFromStdin() (keystile.Secret, error) {
	data, err := io.ReadAll(io.LimitReader(c.in, maxSecretLine+1))
	if err != nil {
		return keystile.Secret{}, fmt.Errorf("read standard input: %w", err)
	}
	line := bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
	switch {
	case len(line) == 0:
		return keystile.Secret{}, errors.New("standard input is empty: a secret of one line is expected there")
	case len(data) > maxSecretLine || bytes.ContainsAny(line, "\r\n\x00"):
		return keystile.Secret{}, errors.New("standard input holds more than one line: a secret of one line is expected there")
	}
	return keystile.NewSecret(string(line)), nil
}

// secretFromPrompt asks at the terminal, without echo.
func (c *console) secretFromPrompt(prompt string) (keystile.Secret, error) {
	f, ok := c.in.(*os.File)
	if !ok || !isTerminal(f) {
		return keystile.Secret{}, errors.New("standard input is not a terminal")
	}
	_, _ = fmt.Fprint(c.err, prompt+": ")
	line, err := term.ReadPassword(int(f.Fd()))
	_, _ = fmt.Fprintln(c.err)
	if err != nil {
		return keystile.Secret{}, fmt.Errorf("read the terminal: %w", err)
	}
	return keystile.NewSecret(string(line)), nil
}

// newPassword reads a new password from standard input, or twice from the
// terminal.
func (c *console) newPassword(fromStdin bool) (keystile.Secret, error) {
	if fromStdin {
		return c.secretFromStdin()
	}
	if !isTerminal(c.in) {
		return keystile.Secret{}, usagef("standard input is not a terminal: give --password-stdin")
	}
	first, err := c.secretFromPrompt("New password")
	if err != nil {
		return keystile.Secret{}, err
	}
	second, err := c.secretFromPrompt("Once more")
	if err != nil {
		return keystile.Secret{}, err
	}
	if !first.Equal(second) {
		return keystile.Secret{}, errors.New("the two passwords differ")
	}
	return first, nil
}

// Confirm is the flag of every command that does harm.
type Confirm struct {
	Yes bool `short:"y" help:"Do not ask. Without a terminal nothing is asked either."`
}

// ask puts a question at a terminal; anything but yes is an error.
func (c Confirm) ask(con *console, question string) error {
	if c.Yes || !isTerminal(con.in) {
		return nil
	}
	_, _ = fmt.Fprintf(con.err, "%s [y/N] ", question)
	line, err := bufio.NewReader(con.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the terminal: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return errors.New("not confirmed: nothing was changed")
}
