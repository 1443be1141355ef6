package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"keystile/internal/audit"
	"keystile/internal/keystile"
	"keystile/internal/store"
)

// confirmTimeout bounds the wait for the gateways. It runs on when the client
// hangs up, so that a revocation is never left half announced.
const confirmTimeout = 10 * time.Second

// effectTimeout bounds what an act does outside the store. It runs on when the
// client hangs up: half an act is worse than one nobody waits for.
const effectTimeout = time.Minute

// recordTimeout bounds the writing of an audit event after its act has ended.
const recordTimeout = 10 * time.Second

// core runs acts: it is what all use cases share.
type core struct {
	store    store.Store
	gateways Gateways
	now      func() time.Time
	trail    Trail
}

// act is one use case.
type act struct {
	action string // of the audit event
	target string // the thing acted on, as far as it is known
	who    who
	// inProject marks an act on a project, or on what it holds, which a token bound
	// to a project may try: do then asks needAccess.
	inProject bool
	// prepare does what must not hold a transaction, after the role was checked:
	// hashing, looking up names. Nil: nothing.
	prepare func(ctx context.Context) error
	// do checks and changes. It runs once.
	do func(ch *change) error
	// ends marks an act that removes the thing. Repeated, it finds nothing; it
	// then still waits for the gateways, so that "not found" means gone.
	ends bool
}

// change is the transaction of an act.
type change struct {
	store.Tx
	now        time.Time
	actor      Actor // as read in this transaction
	event      keystile.Event
	also       []keystile.Event
	generation int64
}

// in is a change as it was begun, in a transaction, which may not be its first.
func (ch change) in(tx store.Tx) *change {
	ch.Tx = tx
	return &ch
}

// mutate runs an act: check, then change and event in one transaction, then the
// confirmation of the gateways.
func (c *core) mutate(ctx context.Context, a Actor, act act) error {
	begun := change{now: c.now(), event: c.newEvent(a, act.action, act.target)}
	ch := &begun
	err := c.admitAndPrepare(ctx, a, act)
	if err == nil {
		err = c.store.Write(urgency(ctx, act.action), func(tx store.Tx) error {
			ch = begun.in(tx)
			if err := ch.admit(a, act.who); err != nil {
				return err
			}
			if err := act.do(ch); err != nil {
				return err
			}
			return tx.AppendEvents(append([]keystile.Event{ch.event}, ch.also...))
		})
	}
	if err != nil && act.ends && errors.Is(err, keystile.ErrNotFound) {
		err = errors.Join(c.confirmLatest(ctx, act.target), err)
	}
	if err != nil {
		return c.refused(ctx, ch.event, err)
	}
	c.trail.Posted()
	return c.confirm(ctx, ch.event.Detail.Target, ch.generation)
}

// urgency lets an act use the space that is kept for a full disk, unless it gives
// something: a key, a right, an account. Those wait until there is room.
func urgency(ctx context.Context, action string) context.Context {
	verb := action[strings.LastIndexByte(action, '.')+1:]
	if gives[verb] {
		return ctx
	}
	return store.Urgent(ctx)
}

// gives are the verbs of acts that take nothing from anybody.
var gives = map[string]bool{"add": true, "adopt": true, "create": true, "enable": true, "rename": true, "test": true, "unlock": true}

func (c *core) admitAndPrepare(ctx context.Context, a Actor, act act) error {
	if err := a.allowed(act.action, act.who, act.inProject); err != nil {
		return err
	}
	if act.prepare == nil {
		return nil
	}
	return act.prepare(ctx)
}

// admit reads the actor anew inside the transaction: an account that was
// disabled, a session that was ended or a token that was revoked meanwhile
// changes nothing any more.
func (ch *change) admit(a Actor, who who) error {
	ch.actor = a
	if a.system {
		return nil
	}
	account, err := liveAccount(ch.Tx, a.Account.ID)
	if err != nil {
		return err
	}
	if a.SessionID != "" {
		if _, err := ch.Session(a.SessionID); err != nil {
			return gone(err)
		}
	}
	if a.TokenID != "" {
		token, err := ch.Token(a.TokenID)
		if err != nil {
			return gone(err)
		}
		if !token.RevokedAt.IsZero() {
			return fmt.Errorf("token revoked: %w", keystile.ErrUnauthenticated)
		}
	}
	if !who(account.Role) {
		return fmt.Errorf("as %s: %w", account.Role, keystile.ErrDenied)
	}
	ch.actor.Account = account
	return nil
}

func liveAccount(tx store.Tx, id string) (keystile.Account, error) {
	account, err := tx.Account(id)
	if err != nil {
		return account, gone(err)
	}
	if !account.DisabledAt.IsZero() {
		return account, fmt.Errorf("account %s is disabled: %w", account.Name, keystile.ErrUnauthenticated)
	}
	return account, nil
}

// gone turns the absence of what authenticates into "not authenticated".
func gone(err error) error {
	if errors.Is(err, keystile.ErrNotFound) {
		return fmt.Errorf("no longer there: %w", keystile.ErrUnauthenticated)
	}
	return err
}

// stamp returns the generation of this transaction's changes; the gateways will
// be asked to confirm it.
func (ch *change) stamp() (int64, error) {
	if ch.generation != 0 {
		return ch.generation, nil
	}
	generation, err := ch.NextGeneration()
	ch.generation = generation
	return generation, err
}

// unchanged asks the gateways again to confirm an act that had been done before:
// the call that did it may have ended unconfirmed.
func (ch *change) unchanged(note string) error {
	ch.event.Detail.Message = note
	generation, err := ch.Generation()
	ch.generation = generation
	return err
}

// changed notes a field's new value, in words, in the event.
func (ch *change) changed(field, format string, args ...any) {
	if ch.event.Detail.Changes == nil {
		ch.event.Detail.Changes = map[string]string{}
	}
	ch.event.Detail.Changes[field] = fmt.Sprintf(format, args...)
}

// along adds the event of a thing that changed because of this act.
func (ch *change) along(action, target string) *keystile.Event {
	event := ch.event
	event.ID = newEventID()
	event.Action = action
	event.Backend, event.Bucket, event.Key = "", "", ""
	event.Detail = keystile.EventDetail{Authenticated: true, Target: target, TokenID: ch.event.Detail.TokenID}
	event.Detail.Message = "with " + ch.event.Action + " " + ch.event.Detail.Target
	ch.also = append(ch.also, event)
	return &ch.also[len(ch.also)-1]
}

// read runs a query. Only refusals of it are audited.
func (c *core) read(ctx context.Context, a Actor, action, target string, who who, fn func(tx store.Tx) error) error {
	return c.readAs(ctx, a, action, target, a.allowed(action, who, false), fn)
}

// readIn is read for what belongs to projects: fn asks needAccess.
func (c *core) readIn(ctx context.Context, a Actor, action, target string, who who, fn func(tx store.Tx) error) error {
	return c.readAs(ctx, a, action, target, a.allowed(action, who, true), fn)
}

func (c *core) readAs(ctx context.Context, a Actor, action, target string, err error, fn func(tx store.Tx) error) error {
	if err == nil {
		err = c.store.Read(ctx, fn)
	}
	if err != nil && Classify(err).Result == keystile.ResultDenied {
		return c.refused(ctx, c.newEvent(a, action, target), err)
	}
	return err
}

// catchUpTimeout bounds the wait of a query for the newest events. Beyond it, as
// after a long trouble of the store, the query finds what is there by then; the
// rest comes by itself.
const catchUpTimeout = 3 * time.Second

// catchUp makes queries of the trail, and of what follows from it, find what
// happened before them.
func (c *core) catchUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, catchUpTimeout)
	defer cancel()
	_ = c.trail.CaughtUp(ctx) // how far the index is behind is among the metrics
}

// outside runs an act whose effect lies outside the store. Its event is durable
// and open before the effect begins, and closed when it has ended.
func (c *core) outside(ctx context.Context, a Actor, act act, effect func(ctx context.Context) error) error {
	return c.around(ctx, a, act, func(ctx context.Context) error {
		running, cancel := context.WithTimeout(context.WithoutCancel(ctx), effectTimeout)
		defer cancel()
		return effect(running)
	})
}

// outsideWhile is outside for an effect that takes as long as its client stays.
func (c *core) outsideWhile(ctx context.Context, a Actor, act act, effect func(ctx context.Context) error) error {
	return c.around(ctx, a, act, effect)
}

func (c *core) around(ctx context.Context, a Actor, act act, effect func(ctx context.Context) error) error {
	begun := change{now: c.now(), event: c.newEvent(a, act.action, act.target)}
	begun.event.Open, begun.event.Result, begun.event.Status = true, keystile.ResultUnknown, 0
	ch := &begun
	err := c.admitAndPrepare(ctx, a, act)
	if err == nil {
		err = c.store.Write(urgency(ctx, act.action), func(tx store.Tx) error {
			ch = begun.in(tx)
			if err := ch.admit(a, act.who); err != nil {
				return err
			}
			if err := act.do(ch); err != nil {
				return err
			}
			return tx.AppendEvents([]keystile.Event{ch.event})
		})
	}
	if err != nil {
		return c.refused(ctx, ch.event, err)
	}
	return c.close(ctx, a, ch.event, effect(ctx))
}

func (c *core) close(ctx context.Context, a Actor, event keystile.Event, err error) error {
	outcome := outcomeOf(a, event, err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	closing := c.store.Write(store.Urgent(ctx), func(tx store.Tx) error { return tx.CloseEvents([]keystile.Outcome{outcome}) })
	c.trail.Posted()
	if closing != nil {
		return &unrecorded{"outcome of " + event.Action, err, closing}
	}
	return err
}

func (c *core) confirm(ctx context.Context, target string, generation int64) error {
	if generation == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), confirmTimeout)
	defer cancel()
	if err := c.gateways.Confirm(ctx, generation); err != nil {
		return &NotConfirmed{target, err}
	}
	return nil
}

func (c *core) confirmLatest(ctx context.Context, target string) error {
	var generation int64
	err := c.store.Read(ctx, func(tx store.Tx) (err error) {
		generation, err = tx.Generation()
		return err
	})
	if err != nil {
		return err
	}
	return c.confirm(ctx, target, generation)
}

// refused records an act that did not happen and returns its error. A refusal
// that can neither be recorded nor counted becomes an internal error: still
// refused, and loud.
func (c *core) refused(ctx context.Context, event keystile.Event, err error) error {
	found := Classify(err)
	event.Result, event.Status, event.Open = found.Result, found.Status, false
	event.Detail.Code, event.Detail.Message = found.Code, message(err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if recording := c.trail.Refuse(event).Wait(ctx); recording != nil && !errors.Is(recording, audit.ErrCounted) {
		return &unrecorded{"refusal of " + event.Action, err, recording}
	}
	return err
}

// unrecorded is an end of an act that could not be recorded. It matches neither
// of its errors, so that clients see an internal one and the log has both.
type unrecorded struct {
	what        string
	end, record error
}

func (e *unrecorded) Error() string {
	return fmt.Sprintf("record the %s (%v): %v", e.what, e.end, e.record)
}

func (c *core) newEvent(a Actor, action, target string) keystile.Event {
	source := ""
	if a.Request.Source.IsValid() {
		source = a.Request.Source.String()
	}
	return keystile.Event{
		ID: newEventID(), Time: c.now(), Action: action, Result: keystile.ResultOK, Status: success(a),
		Account: a.Account.Name, SourceIP: source, RequestID: a.Request.ID,
		UserAgent: printable(a.Request.UserAgent, keystile.MaxUserAgentBytes),
		Detail: keystile.EventDetail{
			Authenticated: a.system || a.Account.ID != "", TokenID: a.TokenID, Target: printable(target, maxTargetBytes),
		},
	}
}

// maxTargetBytes bounds what a client can write into an event as the name of
// the thing it acts on: a bucket pair and a prefix of a key's length fit.
const maxTargetBytes = 2 * keystile.MaxKeyBytes

func success(a Actor) int {
	if a.Request.Success == 0 {
		return http.StatusOK
	}
	return a.Request.Success
}

// newEventID makes a UUIDv7, so that ids sort by time. The random source never
// fails: crypto/rand ends the process instead.
func newEventID() string { return uuid.Must(uuid.NewV7()).String() }

func newID() string { return uuid.Must(uuid.NewRandom()).String() }
