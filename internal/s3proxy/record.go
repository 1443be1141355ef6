package s3proxy

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"math"
	"net/http"
	"time"

	"keystile/internal/audit"
	"keystile/internal/keystile"
	"keystile/internal/s3wire"
	"keystile/internal/upstream"
)

// recordTimeout bounds the wait for a record after the client is gone.
const recordTimeout = 20 * time.Second

// intend records that the mutation is about to happen.
func (x *exchange) intend() audit.Pending {
	x.describe()
	x.intended, x.recorded = true, true
	e := x.event
	e.Open = true
	e.Result = keystile.ResultUnknown
	x.intent = x.p.Trail.Append(e)
	return x.intent
}

// describe fills in what the request asks for.
func (x *exchange) describe() {
	if x.event.ID == "" {
		x.event.ID = newEventID()
	}
	x.event.Action = s3wire.UnknownAction
	x.nameEvent()
	if x.req.Op == nil {
		return
	}
	x.event.Action = x.req.Action()
	x.event.Detail.UploadID = clip(x.req.Query.Get("uploadId"), 1024)
	x.event.Detail.PartNumber = partNumber(x.req.Query.Get("partNumber"))
	if version := x.req.Query.Get("versionId"); version != "" {
		x.event.Detail.VersionID = clip(version, 1024)
	}
}

// settle records the outcome that the backend's answer tells.
func (x *exchange) settle(a *answer) error {
	x.event.Detail.ETag = a.header.Get("Etag")
	if version := a.header.Get("X-Amz-Version-Id"); version != "" {
		x.event.Detail.VersionID = clip(version, 1024)
	}
	result := keystile.ResultOK
	if a.err != nil {
		x.event.Detail.Code, x.event.Detail.Message = a.err.Code, clip(a.err.Message, 512)
		result = keystile.ResultError
		if a.err.Status == http.StatusForbidden {
			result = keystile.ResultDenied
		}
	}
	return x.close(result, a.status)
}

// close makes the outcome of an intended mutation durable. The client's going
// away does not keep it from being recorded.
func (x *exchange) close(result keystile.Result, status int) error {
	x.intended = false
	end := time.Now().Add(recordTimeout)
	if err := x.intent.WaitUntil(end); err != nil {
		return err // there is no event to close
	}
	return x.p.Trail.Settle(keystile.Outcome{
		EventID: x.event.ID, Result: result, Status: status, Detail: x.event.Detail,
	}).WaitUntil(end)
}

// refuse records why the request goes no further, and answers it.
func (x *exchange) refuse(err error) {
	e := x.errorOf(err)
	x.log(e, err)
	x.event.Detail.Code, x.event.Detail.Message = e.Code, clip(e.Message, 512)
	if recordErr := x.recordRefusal(e, err); recordErr != nil {
		x.p.Log.LogAttrs(x.r.Context(), slog.LevelError, "the audit trail cannot be written",
			slog.String("request_id", x.id), slog.Any("error", recordErr))
		e = s3wire.ServiceUnavailable.Caused(recordErr)
	}
	if !x.left(err) {
		x.refused, x.broken = refusal(e), x.status != 0 && !x.late
	}
	x.replyError(e)
}

func (x *exchange) recordRefusal(e *s3wire.Error, err error) error {
	result := keystile.ResultError
	switch {
	case mayHaveHappened(err):
		result = keystile.ResultUnknown
	case x.mayBePartial(err):
		result = x.settleCut()
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || e.Code == s3wire.QuotaExceeded.Name:
		result = keystile.ResultDenied
	}
	if x.intended {
		return x.close(result, e.Status)
	}
	if x.recorded || errors.Is(err, context.Canceled) {
		return nil // its outcome could not be written, or nobody waits for one
	}
	if x.req.Op != nil && !x.req.Op.Mutates() && !refusal(e) {
		return nil // a read that found trouble, not a refusal
	}
	x.describe()
	x.recorded = true
	x.event.Result, x.event.Status = result, e.Status
	recordErr := x.p.Trail.Refuse(x.event).WaitUntil(time.Now().Add(recordTimeout))
	if errors.Is(recordErr, audit.ErrCounted) {
		return nil // nothing was done: a full disk does not change what the client is told
	}
	return recordErr
}

// refusal reports whether the error is the gateway's no, rather than the
// backend's trouble.
func refusal(e *s3wire.Error) bool {
	return e.Status < http.StatusInternalServerError || e.Code == s3wire.NotImplemented.Name ||
		e.Code == s3wire.SlowDown.Name || e.Code == s3wire.QuotaExceeded.Name
}

// log says what the client is not told. A refusal is in the trail and needs no
// line here.
func (x *exchange) log(e *s3wire.Error, err error) {
	if e.Status < http.StatusInternalServerError || e.Cause == nil || errors.Is(err, errGone) {
		return
	}
	x.p.Log.LogAttrs(x.r.Context(), slog.LevelWarn, "request failed",
		slog.String("request_id", x.id), slog.String("code", e.Code), slog.Int("status", e.Status),
		slog.String("backend", x.bucket.Backend), slog.String("error", upstream.Detail(err)))
}

// recordRead records a successful read if it is sampled. The choice follows
// from the request id alone. It does not hold up the answer.
func (x *exchange) recordRead(status int) {
	if status >= http.StatusBadRequest || x.p.ReadRate == nil || !sampled(x.id, x.p.ReadRate(x.event.Detail.AccessKeyID, x.bucket)) {
		return
	}
	x.describe()
	x.event.Result, x.event.Status = keystile.ResultOK, status
	x.p.Trail.Append(x.event)
}

func sampled(id string, rate float64) bool {
	if rate <= 0 {
		return false
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return float64(h.Sum64())/math.MaxUint64 < rate
}

// left reports whether err is that the client went away, rather than was sent.
func (x *exchange) left(err error) bool {
	if x.lease != nil && x.lease.Cut() {
		return false
	}
	return errors.Is(err, errGone) || errors.Is(err, context.Canceled)
}

// errGone is a client that left before its answer was whole.
var errGone = errors.New("the client is gone")
