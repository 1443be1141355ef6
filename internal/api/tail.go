package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

func (h trail) mountTail(r *router, tag string) {
	register(r, operation{method: http.MethodGet, path: "/api/audit/tail", id: "tailEvents", tag: tag,
		summary: "Follow the audit trail as it grows",
		description: "Server-sent events: `audit` has an event as JSON, first while it is in progress and again with its outcome, where that takes longer; " +
			"know repetitions by the id. A comment comes every few seconds. `end` says with a code why the server ends it: `slow`, `unavailable`, " +
			"`unauthenticated` or `denied`. What was recorded while nobody followed is in the list.",
		media: "text/event-stream"}, h.tail)
}

// tailPatience bounds the wait for a client to take what it is sent.
const tailPatience = 15 * time.Second

func (h trail) tail(ctx context.Context, in *EventSelection) (*huma.StreamResponse, error) {
	tail, err := h.audit.Follow(ctx, actorOf(ctx), in.filter())
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer tail.Close()
		_, w := humago.Unwrap(out)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no") // of nginx
		follow(ctx, w, tail)
	}}, nil
}

// follow writes what comes until one side ends it.
func follow(ctx context.Context, w http.ResponseWriter, tail *control.Tail) {
	connection := http.NewResponseController(w)
	send := func(text string) error {
		if err := connection.SetWriteDeadline(time.Now().Add(tailPatience)); err != nil {
			return err
		}
		if _, err := fmt.Fprint(w, text); err != nil {
			return err
		}
		return connection.Flush()
	}
	// The time for reading a request does not bound how long somebody follows.
	if err := connection.SetReadDeadline(time.Time{}); err != nil {
		return
	}
	for err := send(": following\n\n"); err == nil; {
		var events []keystile.Event
		if events, err = tail.Next(ctx); err != nil {
			if ctx.Err() == nil {
				_ = send(farewell(exchangeOf(ctx), err)) // it may have gone
			}
			return
		}
		if len(events) == 0 {
			err = send(": nothing new\n\n")
		}
		for _, e := range events {
			var data []byte
			if data, err = json.Marshal(eventView(e)); err == nil {
				err = send("event: audit\nid: " + e.ID + "\ndata: " + string(data) + "\n\n")
			}
			if err != nil {
				return
			}
		}
	}
}

// farewell says why it ends.
func farewell(x *exchange, err error) string {
	var end Error
	switch {
	case errors.Is(err, control.ErrTooSlow):
		end = Error{Code: "slow", Message: "events came faster than they were taken: look at the list, and follow again"}
	case errors.Is(err, control.ErrTailsEnded):
		end = Error{Code: "unavailable", Message: "the server ends: follow again"}
	default:
		end = newProblem(x, err).body.Error
	}
	data, err := json.Marshal(end)
	if err != nil {
		return ""
	}
	return "event: end\ndata: " + string(data) + "\n\n"
}
