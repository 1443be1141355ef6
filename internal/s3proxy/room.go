package s3proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"keystile/internal/abandoned"
	"keystile/internal/keystile"
	"keystile/internal/quota"
	"keystile/internal/s3wire"
	"keystile/internal/upstream"
)

// room is what a mutation may add to a bucket that is counted, and the places that
// it changes.
type room struct {
	hold *quota.Hold
	// size is that of the object or part that is written.
	size int64
	// late are the places to be put in order when the last piece of the body is
	// there: a slow upload keeps nobody waiting.
	late []placeOrder
	// parts are those of the upload that ends; nil if they are not known.
	parts map[int]int64
	// keys are those of a multi-delete.
	keys   []s3wire.DeleteObject
	upload *abandoned.Write // nil: none is changed
}

type placeOrder struct {
	place  quota.Place
	shared bool
	learn  func(context.Context) (quota.State, error) // what is there; nil: it does not count
}

// quotaHeader warns of a soft cap that is passed.
const quotaHeader = "x-keystile-quota-warning"

// inBooks reports whether the request's bucket is counted.
func (x *exchange) inBooks() bool { return x.p.Quotas != nil && x.p.Quotas.Counts(x.bucket) }

// counts reports whether what the request writes counts somewhere: in its bucket's
// book, or against the credential's own limits.
func (x *exchange) counts() bool {
	return x.p.Quotas != nil && (x.writer().Limits != nil || x.inBooks())
}

// writer is who writes, with the limits of its own.
func (x *exchange) writer() quota.Writer {
	if x.lease == nil || x.lease.Credential == nil {
		return quota.Writer{}
	}
	return quota.Writer{AccessKeyID: x.lease.Credential.AccessKeyID, Limits: x.lease.Credential.Limits}
}

// takeRoom reserves what the mutation may add, before anything of it is recorded
// or sent, and learns what it takes away. Of what counts nowhere it does nothing.
func (x *exchange) takeRoom(out *upstream.Request) error {
	if x.req.Op.Effect == s3wire.EffectNone {
		return nil
	}
	x.beginUpload()
	if !x.counts() {
		return nil
	}
	x.room.size = x.size
	if out.CopySource != nil {
		var err error
		if x.room.size, err = x.sourceSize(out); err != nil {
			return err
		}
	}
	if err := x.reserve(); err != nil {
		return err
	}
	if !x.inBooks() {
		return nil // it counts against an allowance alone, from which nothing is given back
	}
	return x.watch()
}

// need is what the mutation may add.
func (x *exchange) need() keystile.Amount {
	switch x.req.Op.Effect {
	case s3wire.EffectAdds, s3wire.EffectCopies:
		if x.isPart() {
			return keystile.Amount{Bytes: x.room.size}
		}
		return keystile.Amount{Bytes: x.room.size, Objects: 1}
	case s3wire.EffectHolds:
		return keystile.Amount{Bytes: x.room.size}
	case s3wire.EffectReplaces:
		return keystile.Amount{Objects: 1}
	}
	return keystile.Amount{}
}

func (x *exchange) isPart() bool {
	return x.req.Op.Name == s3wire.OpUploadPart || x.req.Op.Name == s3wire.OpUploadPartCopy
}

func (x *exchange) reserve() error {
	hold, err := x.p.Quotas.Reserve(x.context(), x.bucket, x.need(), x.writer())
	var over *quota.OverError
	switch {
	case errors.As(err, &over):
		x.refuseUpload()
		return x.over(over)
	case errors.Is(err, quota.ErrUncounted):
		return s3wire.ServiceUnavailable.With("What this bucket holds is being counted, because it has a new quota. Writes go on when that is done: try again.")
	case err != nil:
		return err
	}
	x.room.hold = hold
	x.event.Detail.Spends = hold.Spend()
	warning := hold.Warning()
	if hold != nil && hold.Crossed {
		x.tellSoftCap(warning)
	}
	if u := x.rgwUser(); warning != "" && (u == nil || !u.Ceph) {
		x.w.Header()[quotaHeader] = []string{warning}
	}
	return nil
}

// over is the refusal of a write that does not fit, in the client's words.
func (x *exchange) over(o *quota.OverError) error {
	if u := x.rgwUser(); u != nil && u.Ceph {
		// Whether this user may know anything of the bucket is for its Ceph to say.
		return s3wire.QuotaExceeded.Err()
	}
	return s3wire.QuotaExceeded.With("%s", overText(x.req.Bucket, o))
}

// overText tells whose limit it is, the limit, what is used of it and what is
// needed. Bucket is the client's name of it.
func overText(bucket string, o *quota.OverError) string {
	limit := fmt.Sprintf("%d objects", o.Cap)
	if o.Unit == "bytes" {
		limit = fmt.Sprintf("%d bytes (%s)", o.Cap, keystile.FormatSize(o.Cap))
	}
	var text string
	switch o.Of {
	case quota.OfOwner:
		text = fmt.Sprintf("The quota of the owner of bucket %s is used up: all buckets of that user together may hold %s", bucket, limit)
	case quota.OfCeiling:
		text = fmt.Sprintf("The quota of this key is used up: it may write while bucket %s holds no more than %s", bucket, limit)
	case quota.OfDay:
		text = fmt.Sprintf("The quota of this key is used up: it may write %s in a day (UTC)", limit)
	case quota.OfAllowance:
		text = fmt.Sprintf("The quota of this key is used up: it may write %s in all", limit)
	default:
		text = fmt.Sprintf("The quota of bucket %s is used up: it may hold %s", bucket, limit)
	}
	return text + fmt.Sprintf(", %d are used or reserved, and this request needs %d more.", o.Used, o.Needed)
}

// tellSoftCap records that the bucket went over a soft cap, once for each time.
func (x *exchange) tellSoftCap(warning string) {
	e := keystile.Event{
		ID: newEventID(), Time: x.began, Action: "quota.soft_exceeded", Result: keystile.ResultOK, Status: http.StatusOK,
		Account: x.event.Account, Backend: x.bucket.Backend, Bucket: x.bucket.Name, SourceIP: x.event.SourceIP,
		UserAgent: x.event.UserAgent, RequestID: x.id,
		Detail: keystile.EventDetail{
			AccessKeyID: x.event.Detail.AccessKeyID, Authenticated: x.event.Detail.Authenticated, Target: x.bucket.String(), Message: warning,
		},
	}
	x.p.Trail.Append(e)
}

// watch puts the changes of the mutation in order and learns what they replace. A
// payload that streams in is put in order when its end is there.
func (x *exchange) watch() error {
	ctx, hold, key := x.context(), x.room.hold, x.real.Key
	switch x.req.Op.Name {
	case s3wire.OpDeleteObjects:
		return x.watchKeys()
	case s3wire.OpDeleteObject:
		version := x.real.Query.Get("versionId")
		return x.watchNow(quota.VersionPlace(key, version), x.learn(key, version))
	case s3wire.OpAbortMultipartUpload:
		return x.watchUpload()
	case s3wire.OpCompleteMultipartUpload:
		if err := x.watchUpload(); err != nil {
			return err
		}
		return x.watchNow(quota.ObjectPlace(key), x.learn(key, ""))
	}
	if x.isPart() {
		id, number := x.real.Query.Get("uploadId"), partNumber(x.real.Query.Get("partNumber"))
		place := quota.PartPlace(id, number)
		learn := x.learnPart(id, number)
		x.room.late = []placeOrder{{quota.UploadPlace(id), true, nil}, {place, false, learn}}
		return hold.Watch(ctx, place, learn)
	}
	learn := x.learn(key, "")
	x.room.late = []placeOrder{{quota.ObjectPlace(key), false, learn}}
	return hold.Watch(ctx, quota.ObjectPlace(key), learn)
}

func (x *exchange) watchNow(place quota.Place, learn func(context.Context) (quota.State, error)) error {
	if err := x.room.hold.Order(x.context(), place, false); err != nil {
		return err
	}
	return x.room.hold.Watch(x.context(), place, learn)
}

// watchUpload keeps parts out of an upload that ends, and learns which it has.
func (x *exchange) watchUpload() error {
	id := x.real.Query.Get("uploadId")
	if err := x.room.hold.Order(x.context(), quota.UploadPlace(id), false); err != nil {
		return err
	}
	parts, err := x.backend.Parts(x.context(), x.bucket.Name, keystile.PendingUpload{Key: x.real.Key, UploadID: id})
	if err == nil {
		x.room.parts = parts
	}
	return x.context().Err() // without them nothing is credited
}

// watchKeys is watch for a multi-delete.
func (x *exchange) watchKeys() error {
	byPlace := map[quota.Place]s3wire.DeleteObject{}
	var places []quota.Place
	for _, o := range x.room.keys {
		place := quota.VersionPlace(o.Key, o.VersionID)
		byPlace[place] = o
		places = append(places, place)
	}
	slices.Sort(places)
	places = slices.Compact(places)
	for _, place := range places {
		if err := x.room.hold.Order(x.context(), place, false); err != nil {
			return err
		}
	}
	return eachOf(places, func(place quota.Place) error {
		o := byPlace[place]
		return x.room.hold.Watch(x.context(), place, x.learn(o.Key, o.VersionID))
	})
}

// orderLate is for the moment before the last piece goes out: what was not put in
// order yet is now. A bucket that came to be counted meanwhile is reserved in.
func (x *exchange) orderLate() error {
	if x.room.hold == nil {
		if x.req.Op.Body != s3wire.Payload || !x.counts() {
			return nil
		}
		x.room.size = x.size
		return x.reserve()
	}
	for _, o := range x.room.late {
		if err := x.room.hold.Order(x.context(), o.place, o.shared); err != nil {
			return fmt.Errorf("changes of one object: %w", err)
		}
		if o.learn == nil {
			continue
		}
		// What was known when the upload began may be no longer.
		if err := x.room.hold.Watch(x.context(), o.place, o.learn); err != nil {
			return err
		}
	}
	return nil
}

// leaveRoom settles what became of the mutation.
func (x *exchange) leaveRoom(a *answer, err error) {
	x.leaveUpload(a, err)
	hold := x.room.hold
	if hold == nil {
		if err == nil && a.err == nil && x.req.Op.Effect != s3wire.EffectNone && x.inBooks() {
			x.p.Quotas.Scan(x.bucket) // it began before its bucket was counted
		}
		return
	}
	switch {
	case err != nil && (mayHaveHappened(err) || x.mayBePartial(err)):
		hold.Lose(x.takesLong(), x.doubt())
	case err != nil: // its last piece was never sent
	case a.err == nil:
		x.noteStored(a)
	case a.err.Code == "NoSuchUpload": // in its backend's words
		hold.Gone()
	case a.err.Status >= http.StatusInternalServerError && a.err.Status != http.StatusNotImplemented && a.err.Status != http.StatusInsufficientStorage:
		hold.Lose(x.takesLong(), x.doubt())
	}
	hold.End()
	x.event.Detail.Spends = hold.Spend()
}

// noteStored notes what a mutation changed that the backend carried out.
func (x *exchange) noteStored(a *answer) {
	hold, key, version := x.room.hold, x.real.Key, a.header.Get("X-Amz-Version-Id")
	id := x.real.Query.Get("uploadId")
	switch x.req.Op.Name {
	case s3wire.OpDeleteObjects:
		x.noteDeleted(a)
	case s3wire.OpDeleteObject:
		hold.Removed(key, x.real.Query.Get("versionId"), a.header.Get("X-Amz-Delete-Marker") == "true")
	case s3wire.OpAbortMultipartUpload:
		hold.Ended(id, x.room.parts)
	case s3wire.OpCompleteMultipartUpload:
		x.noteCompleted(id, version)
	case s3wire.OpUploadPart, s3wire.OpUploadPartCopy:
		hold.WrotePart(id, partNumber(x.real.Query.Get("partNumber")), x.room.size)
	default:
		hold.Wrote(key, x.room.size, version)
	}
}

// noteCompleted asks how large the object became: parts that it was not made of
// are gone.
func (x *exchange) noteCompleted(id, version string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.r.Context()), recordTimeout)
	defer cancel()
	made, err := x.learn(x.real.Key, version)(ctx)
	if err != nil || !made.Exists {
		x.room.hold.Moved(x.real.Key)
		x.room.hold.Ended(id, nil) // its parts are the object: they go on counting
		return
	}
	x.room.hold.Wrote(x.real.Key, made.Size, version)
	x.room.hold.Ended(id, x.room.parts)
}

// noteDeleted notes which keys of a multi-delete are gone.
func (x *exchange) noteDeleted(a *answer) {
	result, err := s3wire.ParseDeleteResult(a.body)
	if err != nil {
		x.room.hold.Lose(true, quota.Doubt{})
		return
	}
	for _, o := range result.Deleted {
		x.room.hold.Removed(o.Key, o.VersionID, o.DeleteMarker == "true")
	}
}
