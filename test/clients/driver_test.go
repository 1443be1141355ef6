package clients

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"testing"
)

// driver is a library in another language: a program that reads calls and
// writes replies, one JSON a line.
type driver struct {
	in      io.Writer
	answers chan []byte // closed when it has ended
	owed    int         // answers that nobody waits for any more
	err     *bytes.Buffer
}

// startDriver runs it until the test ends.
func startDriver(t *testing.T, to target, env []string, name string, args ...string) *driver {
	t.Helper()
	cmd := exec.Command(name, append(args, to.Endpoint, to.Region)...)
	cmd.Env, cmd.Dir = env, to.Home
	stderr := &bytes.Buffer{}
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, startBound(cmd))
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	d := &driver{in: in, answers: make(chan []byte, 16), err: stderr}
	go d.read(bufio.NewReader(out))
	return d
}

// read hands over what the program answers, line by line, until it ends.
func (d *driver) read(out *bufio.Reader) {
	defer close(d.answers)
	for {
		line, err := out.ReadBytes('\n')
		if err != nil {
			return
		}
		d.answers <- line
	}
}

// answer waits for the answer of the last call; those that earlier ones did not
// wait for come before it.
func (d *driver) answer(ctx context.Context) ([]byte, error) {
	for {
		select {
		case line := <-d.answers:
			if d.owed == 0 || line == nil {
				return line, nil
			}
			d.owed--
		case <-ctx.Done():
			d.owed++
			return nil, errors.New("did not answer in time")
		}
	}
}

func (d *driver) do(ctx context.Context, c call) (reply, error) {
	line, err := json.Marshal(c)
	if err != nil {
		return reply{}, err
	}
	if _, err := d.in.Write(append(line, '\n')); err != nil {
		return reply{}, fmt.Errorf("%w\n%s", err, d.err)
	}
	if line, err = d.answer(ctx); err != nil {
		return reply{}, err
	}
	var answer struct {
		reply
		Cannot bool   `json:"cannot"`
		Code   string `json:"code"`
		Error  string `json:"error"`
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		return reply{}, fmt.Errorf("printed %q: %w\n%s", line, err, d.err)
	}
	switch {
	case answer.Cannot:
		return reply{}, errCannot
	case answer.Code != "":
		return reply{}, &refusal{code: answer.Code, said: answer.Error}
	case answer.Error != "":
		return reply{}, errors.New(answer.Error)
	}
	return answer.reply, nil
}
