package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// ErrTailEnded is the end of a tail that the server ended, or that broke off.
// Following again may help, unless it says that it may not.
var ErrTailEnded = errors.New("the tail ended")

// tailPatience is how long nothing may come: the server says every few seconds
// that it is there.
const tailPatience = 45 * time.Second

// Tail calls begun once it follows the trail, and then yield for each event that
// the trail has got since. One whose outcome comes later comes again, with it. Tail
// returns when ctx ends, begun or yield fails, the server refuses, or, as
// ErrTailEnded, the tail ends.
func (c *Client) Tail(ctx context.Context, f EventFilter, begun func() error, yield func(Event) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := c.request(ctx, http.MethodGet, "/api/audit/tail", f.query(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	patience := time.AfterFunc(tailPatience, cancel)
	defer patience.Stop()
	unbounded := *c.http
	unbounded.Timeout = 0
	resp, err := unbounded.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
		if err != nil {
			return c.unreachable(err)
		}
		return refusal(resp, body)
	}
	if err := begun(); err != nil {
		return err
	}
	return readTail(bufio.NewReader(resp.Body), func() { patience.Reset(tailPatience) }, yield)
}

// readTail reads server-sent events (WHATWG HTML, section 9.2) as our server
// writes them: each has its data in one line.
func readTail(in *bufio.Reader, alive func(), yield func(Event) error) error {
	kind := ""
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return fmt.Errorf("%w: %w", ErrTailEnded, err)
		}
		alive()
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch {
		case name == "event":
			kind = value
		case name == "data" && kind == "audit":
			var e Event
			if err := json.Unmarshal([]byte(value), &e); err != nil {
				return fmt.Errorf("%w: what came is no event", ErrTailEnded)
			}
			if err := yield(e); err != nil {
				return err
			}
		case name == "data" && kind == "end":
			var end struct{ Code, Message string }
			if err := json.Unmarshal([]byte(value), &end); err != nil {
				return fmt.Errorf("%w: for a reason that cannot be read", ErrTailEnded)
			}
			return fmt.Errorf("%w: %s (%s)", ErrTailEnded, end.Message, end.Code)
		case line == "\n":
			kind = ""
		}
	}
}
