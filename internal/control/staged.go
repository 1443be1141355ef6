package control

import (
	"context"
	"net/http"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// staged is an act that changes the store, then something outside of it, then
// the store again. What the first change says is enough to repair what is cut
// off between the steps.
type staged struct {
	act
	// effect does what lies outside. It runs on when the client hangs up.
	effect func(ctx context.Context) error
	// settle makes the effect known to the store.
	settle func(ch *change) error
	// undo takes the first change back after an effect that failed. Nil: it stays
	// for the repair.
	undo func(ch *change, err error) error
}

// stage runs an act in its steps. Its event is durable and open before the
// effect begins and closes with the last change.
func (c *core) stage(ctx context.Context, a Actor, s staged) error {
	begun := change{now: c.now(), event: c.newEvent(a, s.action, s.target)}
	begun.event.Open, begun.event.Result, begun.event.Status = true, keystile.ResultUnknown, 0
	ch := &begun
	err := c.admitAndPrepare(ctx, a, s.act)
	if err == nil {
		err = c.store.Write(urgency(ctx, s.action), func(tx store.Tx) error {
			ch = begun.in(tx)
			if err := ch.admit(a, s.who); err != nil {
				return err
			}
			if err := s.do(ch); err != nil {
				return err
			}
			return tx.AppendEvents([]keystile.Event{ch.event})
		})
	}
	if err != nil {
		return c.refused(ctx, ch.event, err)
	}
	running, cancel := context.WithTimeout(context.WithoutCancel(ctx), effectTimeout)
	defer cancel()
	err = s.effect(running)
	next := s.settle
	if err != nil {
		next = func(*change) error { return nil }
		if s.undo != nil {
			next = func(ch *change) error { return s.undo(ch, err) }
		}
	}
	return c.settle(ctx, a, ch, err, next)
}

// settle makes the last change and closes the act's event in one transaction.
func (c *core) settle(ctx context.Context, a Actor, begun *change, err error, next func(*change) error) error {
	first := change{now: c.now(), actor: begun.actor, event: begun.event}
	ch := &first
	recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	failed := c.store.Write(store.Urgent(recording), func(tx store.Tx) error {
		ch = first.in(tx)
		if err := next(ch); err != nil {
			return err
		}
		return tx.CloseEvents([]keystile.Outcome{outcomeOf(a, ch.event, err)})
	})
	if failed != nil {
		return &unrecorded{"outcome of " + begun.event.Action, err, failed}
	}
	c.trail.Posted()
	confirming := c.confirm(ctx, begun.event.Detail.Target, max(ch.generation, begun.generation))
	if err != nil {
		return err
	}
	return confirming
}

// outcomeOf is how an act ended, for its event.
func outcomeOf(a Actor, event keystile.Event, err error) keystile.Outcome {
	outcome := keystile.Outcome{EventID: event.ID, Result: keystile.ResultOK, Status: success(a), Detail: event.Detail}
	if err == nil {
		return outcome
	}
	found := Classify(err)
	outcome.Result, outcome.Status = found.Result, found.Status
	if found.Status >= http.StatusInternalServerError {
		// No clear answer came back: the effect may have happened.
		outcome.Result = keystile.ResultUnknown
	}
	outcome.Detail.Code, outcome.Detail.Message = found.Code, message(err)
	return outcome
}
