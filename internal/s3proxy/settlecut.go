package s3proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"keystile/internal/http1"
	"keystile/internal/keystile"
	"keystile/internal/upstream"
)

const (
	// cutSettles is how long a backend gets to notice that an upload was cut off
	// before it is asked what became of it.
	cutSettles = 500 * time.Millisecond
	// cutTimeout bounds that question.
	cutTimeout = 10 * time.Second
	// clockGrain is what times in HTTP, which are cut to seconds, may be off by.
	clockGrain = 2 * time.Second
)

// mayBePartial reports whether a part of the payload may have become an object,
// though the request was never completed.
func (x *exchange) mayBePartial(err error) bool {
	var e *http1.Error
	return x.partial && errors.As(err, &e) && e.Sent && !e.Complete
}

// settleCut finds out whether the part of an upload that arrived was stored. It
// was not if there is no object, or one that was there before, or one that is
// longer than what was sent. Any other is left alone, for it may be somebody
// else's: of what a backend took of a cut body neither length nor ETag is known.
// That is told aloud: nothing else shows that an object was lost. Of a part of a
// multipart upload the same holds.
func (x *exchange) settleCut() keystile.Result {
	untouched, what := x.lookAtCut()
	if untouched {
		return keystile.ResultError
	}
	x.event.Detail.Message = clip(x.event.Detail.Message+" The upload was cut off: "+what+".", 512)
	x.p.Log.LogAttrs(x.r.Context(), slog.LevelError, "an upload was cut off, and its backend may have stored the part that arrived",
		slog.String("request_id", x.id), slog.String("backend", x.bucket.Backend), slog.String("bucket", x.bucket.Name), slog.String("found", what))
	return keystile.ResultUnknown
}

const notTold = "the backend did not tell what is there"

// lookAtCut asks for the object, or the part. No right of the caller's is used for
// that, so whoever takes it away need not wait.
func (x *exchange) lookAtCut() (untouched bool, what string) {
	x.lease.Release()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.r.Context()), cutSettles+cutTimeout)
	defer cancel()
	time.Sleep(cutSettles)
	sent, took := x.in, func() time.Duration { return x.p.Now().Sub(x.began) }
	if x.req.Source != nil {
		sent = x.size // what a copy reads is no client's: all of it may be there
	}
	if x.isPart() {
		upload := keystile.PendingUpload{Key: x.real.Key, UploadID: x.real.Query.Get("uploadId")}
		part, there, err := x.backend.Part(ctx, x.bucket.Name, upload, partNumber(x.real.Query.Get("partNumber")))
		if err != nil {
			return false, notTold
		}
		return judgeCutPart(part, there, sent, took())
	}
	got, err := x.backend.Send(ctx, upstream.Request{Method: http.MethodHead, Bucket: x.bucket.Name, Key: x.real.Key})
	if err != nil {
		return false, notTold
	}
	_ = got.Body.Close()
	return judgeCut(got, sent, took())
}

// judgeCutPart is judgeCut for a part of an upload.
func judgeCutPart(part upstream.StoredPart, there bool, sent int64, took time.Duration) (untouched bool, what string) {
	if !there || part.Size > sent || part.Age > took+clockGrain {
		return true, ""
	}
	return false, fmt.Sprintf("a part of %d bytes is there, written since it began", part.Size)
}

// judgeCut tells from an answer to HEAD whether the object cannot be a part of
// the so many bytes that were sent in the time before. Both of the answer's times
// are of one clock.
func judgeCut(got *http1.Response, sent int64, took time.Duration) (untouched bool, what string) {
	switch {
	case got.Status == http.StatusNotFound:
		return true, ""
	case got.Status != http.StatusOK:
		return false, notTold
	case got.ContentLength > sent:
		return true, ""
	}
	modified, noTime := http.ParseTime(got.Header.Get("Last-Modified"))
	date, noDate := http.ParseTime(got.Header.Get("Date"))
	if noTime == nil && noDate == nil && date.Sub(modified) > took+clockGrain {
		return true, ""
	}
	return false, fmt.Sprintf("an object of %d bytes is there, written since it began", got.ContentLength)
}
