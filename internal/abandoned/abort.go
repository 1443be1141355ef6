package abandoned

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"keystile/internal/keystile"
	"keystile/internal/quota"
	"keystile/internal/sigv4"
	"keystile/internal/store"
	"keystile/internal/upstream"
)

// Action is that of the event which tells of an upload's end.
const Action = "quota.abort_upload"

const (
	// abortsAtOnce bounds the uploads that are being aborted.
	abortsAtOnce = 4
	// abortTimeout bounds one abort.
	abortTimeout = time.Minute
	// recordTimeout bounds the wait for a record of the audit trail.
	recordTimeout = 20 * time.Second
	// leastPause and mostPause bound the time to the next try where one failed, and
	// refusedPause is that where the backend has refused it.
	leastPause   = time.Minute
	mostPause    = time.Hour
	refusedPause = 24 * time.Hour
	// giveUpAfter is how long it is tried.
	giveUpAfter = 7 * 24 * time.Hour
)

// Run ends uploads that are abandoned, and keeps in the store which were refused,
// until ctx ends. Call Flush after the last request.
func (k *Keeper) Run(ctx context.Context) {
	var keeping sync.WaitGroup
	defer keeping.Wait()
	keeping.Go(func() { k.keepUp(ctx) })
	ticker := time.NewTicker(k.opts.Pace)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			k.sweep(ctx)
		}
	}
}

// sweep aborts what is due, some at a time.
func (k *Keeper) sweep(ctx context.Context) {
	var aborting sync.WaitGroup
	defer aborting.Wait()
	slots := make(chan struct{}, abortsAtOnce)
	for _, r := range k.due() {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		aborting.Go(func() {
			defer func() { <-slots }()
			k.settle(r, k.abort(ctx, r))
		})
	}
}

// due are the uploads that are to be aborted now.
func (k *Keeper) due() (due []keystile.RefusedUpload) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.opts.Now()
	for _, u := range k.uploads {
		if u.abandoned(now, k.opts.After) {
			due = append(due, *u.refused)
		}
		if u.changed {
			k.change(u)
		}
	}
	return due
}

func (u *upload) abandoned(now time.Time, after time.Duration) bool {
	return u.refused != nil && u.writing == 0 && now.Sub(u.refused.HeardAt) >= after && !now.Before(u.next)
}

// errAlive: somebody writes to the upload after all.
var errAlive = errors.New("the upload goes on")

// settle takes over what came of an abort.
func (k *Keeper) settle(r keystile.RefusedUpload, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	u, now := k.uploads[idOf(r)], k.opts.Now()
	if u == nil || u.refused == nil || errors.Is(err, errAlive) {
		return
	}
	if err == nil {
		k.forget(u)
		return
	}
	log := k.opts.Log.With("bucket", r.Bucket.String(), "upload_id", r.UploadID, "error", upstream.Detail(err))
	if now.Sub(r.HeardAt) >= k.opts.After+giveUpAfter {
		log.Warn("an upload that a quota refused and nobody went on with cannot be aborted: its parts stay")
		k.forget(u)
		return
	}
	if u.tries == 0 {
		log.Warn("an upload that a quota refused and nobody went on with cannot be aborted; trying again")
	}
	u.next = now.Add(pause(u.tries, err))
	u.tries++
}

// pause is how long to wait after a try that failed.
func pause(tries int, err error) time.Duration {
	var refused *upstream.Refused
	if errors.As(err, &refused) && refused.Status < http.StatusInternalServerError {
		return refusedPause
	}
	return min(leastPause<<min(tries, 10), mostPause)
}

// abort aborts an upload, in order with what else changes it, once its intent is
// durable. It returns nil if the upload is gone.
func (k *Keeper) abort(ctx context.Context, r keystile.RefusedUpload) error {
	ctx, cancel := context.WithTimeout(ctx, abortTimeout)
	defer cancel()
	caller, err := k.caller(ctx, r)
	if err != nil {
		return err
	}
	hold, err := k.opts.Quotas.Reserve(ctx, r.Bucket, keystile.Amount{}, quota.Writer{})
	if err != nil {
		return err
	}
	defer hold.End()
	if err := hold.Order(ctx, quota.UploadPlace(r.UploadID), false); err != nil {
		return err
	}
	parts, err := caller.Parts(ctx, r.Bucket.Name, r.PendingUpload)
	if err != nil {
		return err
	}
	if parts == nil {
		hold.Gone()
		return nil
	}
	if !k.still(r) {
		return errAlive
	}
	return k.carryOut(ctx, caller, hold, r, parts)
}

// still reports whether the upload is as abandoned as it was.
func (k *Keeper) still(r keystile.RefusedUpload) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	u := k.uploads[idOf(r)]
	return u != nil && u.abandoned(k.opts.Now(), k.opts.After)
}

// caller sends as those did whose upload it is.
func (k *Keeper) caller(ctx context.Context, r keystile.RefusedUpload) (c upstream.Caller, err error) {
	b, ok := k.opts.Backends.Get(r.Bucket.Backend)
	if !ok {
		return c, fmt.Errorf("backend %q: %w", r.Bucket.Backend, keystile.ErrUnavailable)
	}
	if r.UserID == "" {
		return b.Caller(nil), nil
	}
	var signer *sigv4.Signer
	err = k.opts.Store.Read(ctx, func(tx store.Tx) error {
		user, err := tx.RGWUser(r.UserID)
		if err != nil {
			return err
		}
		secrets, err := tx.RGWSecrets(r.UserID)
		signer = sigv4.NewSigner(user.AccessKeyID, secrets.Current.Reveal(), b.Info().Region, "s3")
		return err
	})
	return b.Caller(signer), err
}

// carryOut aborts, and records that it does and what came of it.
func (k *Keeper) carryOut(ctx context.Context, c upstream.Caller, hold *quota.Hold, r keystile.RefusedUpload, parts map[int]int64) error {
	e := k.event(r, parts)
	// However this ends, what is recorded as begun gets its outcome too.
	if err := k.opts.Trail.Append(e).WaitUntil(time.Now().Add(recordTimeout)); err != nil {
		return err
	}
	err := c.AbortUpload(ctx, r.Bucket.Name, r.PendingUpload)
	o := keystile.Outcome{EventID: e.ID, Result: keystile.ResultOK, Status: http.StatusNoContent, Detail: e.Detail}
	var refused *upstream.Refused
	switch {
	case err == nil:
		hold.Ended(r.UploadID, parts)
	case errors.Is(err, keystile.ErrNotFound):
		hold.Gone() // somebody else was faster
		o.Result, o.Status, o.Detail.Code, o.Detail.Message, err = keystile.ResultError, http.StatusNotFound, "NoSuchUpload", err.Error(), nil
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		o.Result, o.Status, o.Detail.Code, o.Detail.Message = keystile.ResultDenied, refused.Status, refused.Code, refused.Error()
	default:
		hold.Lose(false, quota.Doubt{Key: r.Key, UploadID: r.UploadID, Parts: parts})
		o.Result, o.Status, o.Detail.Message = keystile.ResultUnknown, http.StatusBadGateway, err.Error()
	}
	hold.End()
	// What was done is recorded also where the process is about to stop.
	if recordErr := k.opts.Trail.Settle(o).WaitUntil(time.Now().Add(recordTimeout)); recordErr != nil {
		k.opts.Log.Error("the audit trail cannot be written", "event", e.ID, "error", recordErr)
	}
	return err
}

// event is the intent.
func (k *Keeper) event(r keystile.RefusedUpload, parts map[int]int64) keystile.Event {
	var size int64
	for _, part := range parts {
		size += part
	}
	return keystile.Event{
		ID: uuid.Must(uuid.NewV7()).String(), Time: k.opts.Now(), Action: Action, Result: keystile.ResultUnknown, Open: true,
		Backend: r.Bucket.Backend, Bucket: r.Bucket.Name, Key: r.Key,
		Detail: keystile.EventDetail{
			AccessKeyID: r.AccessKeyID, Authenticated: true, Bytes: size, UploadID: r.UploadID, Target: r.Bucket.String(),
			Message: fmt.Sprintf("A quota refused a write to this upload at %s, and nobody went on with it. Parts: %d, %s in all.",
				r.RefusedAt.UTC().Format(time.RFC3339), len(parts), keystile.FormatSize(size)),
		},
	}
}
