package clients

import (
	"context"
	"errors"
	"os"
	"strings"
)

// commandLine is a client that is a program with commands of its own rather
// than S3's operations. An operation that args does not know it cannot do.
type commandLine struct {
	command command
	to      target
	// args are the arguments of a call; nil: there is no such command.
	args func(c call) []string
	// read takes from what was printed.
	read func(c call, printed string) (reply, error)
	// toFile tells the calls whose output is the object.
	toFile func(c call) bool
}

func (s *commandLine) do(ctx context.Context, c call) (reply, error) {
	args := s.args(c)
	if args == nil || c.ContentMD5 != "" || c.IfMatch != "" || c.IfNoneMatch != "" || c.Version != "" || c.Checksum != "" {
		return reply{}, errCannot
	}
	command := s.command
	if c.Op == opStream {
		command.stdin = c.Path
	}
	printed, err := command.run(ctx, args...)
	if errors.Is(err, errEmpty) && c.Op == opList {
		return reply{}, nil
	}
	if err != nil {
		return reply{}, err
	}
	if s.toFile != nil && s.toFile(c) {
		return reply{}, os.WriteFile(c.Path, []byte(printed), 0o600)
	}
	if s.read == nil || c.Op == opStream {
		return reply{}, nil
	}
	return s.read(c, printed)
}

// lines are those that are not empty.
func lines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			all = append(all, line)
		}
	}
	return all
}
