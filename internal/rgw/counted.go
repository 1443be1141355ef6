package rgw

import (
	"context"
	"errors"
	"io"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
	"keystile/internal/quota"
)

// Rooms keeps what is stored within quotas.
type Rooms interface {
	Reserve(ctx context.Context, bucket keystile.Bucket, need keystile.Amount, by quota.Writer) (*quota.Hold, error)
}

// Counted are homes whose objects count: what is stored in a bucket with a quota is
// reserved as it comes in, before any of it goes to the backend.
type Counted struct {
	*Homes
	rooms Rooms
}

var _ control.RGWHomes = (*Counted)(nil)

// Count makes what is stored at the homes count.
func Count(h *Homes, r Rooms) *Counted { return &Counted{h, r} }

// settleTimeout bounds the question what became of an upload.
const settleTimeout = 20 * time.Second

func (c *Counted) reserve(ctx context.Context, as control.RGWSigner, bucket string, need keystile.Amount) (*quota.Hold, error) {
	hold, err := c.rooms.Reserve(ctx, keystile.Bucket{Backend: as.User.BackendID, Name: bucket}, need, quota.Writer{})
	return hold, quotaError(err)
}

// learn asks what a key holds.
func (c *Counted) learn(as control.RGWSigner, bucket, key string) func(context.Context) (quota.State, error) {
	return func(ctx context.Context) (quota.State, error) {
		found, err := c.Head(ctx, as, bucket, key)
		if errors.Is(err, keystile.ErrNotFound) {
			return quota.State{}, nil
		}
		return quota.State{Exists: true, Size: found.Size, Version: found.VersionID}, err
	}
}

// Put implements control.RGWHomes.
func (c *Counted) Put(ctx context.Context, as control.RGWSigner, bucket string, o control.NewObject) (info control.ObjectInfo, err error) {
	hold, err := c.reserve(ctx, as, bucket, keystile.Amount{Objects: 1})
	if err != nil {
		return info, err
	}
	defer hold.End()
	learn := c.learn(as, bucket, o.Key)
	if err := hold.Watch(ctx, quota.ObjectPlace(o.Key), learn); err != nil {
		return info, err
	}
	body := &reserving{ctx: ctx, from: o.Body, hold: hold, place: quota.ObjectPlace(o.Key)}
	o.Body = body
	info, err = c.Homes.Put(ctx, as, bucket, o)
	if err != nil {
		if !undone(err) {
			hold.Lose(true, quota.Doubt{}) // in parts, which nothing names
		}
		if body.refusal != nil {
			return info, quotaError(body.refusal)
		}
		return info, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if made, err := learn(ctx); err == nil && made.Exists {
		hold.Wrote(o.Key, made.Size, made.Version)
	} else {
		hold.Lose(false, quota.Doubt{Key: o.Key, Stores: true, Size: hold.Need().Bytes})
	}
	return info, nil
}

// DeleteObject implements control.RGWHomes.
func (c *Counted) DeleteObject(ctx context.Context, as control.RGWSigner, bucket, key string) error {
	hold, err := c.reserve(ctx, as, bucket, keystile.Amount{})
	if err != nil {
		return err
	}
	defer hold.End()
	place := quota.ObjectPlace(key)
	if err := hold.Order(ctx, place, false); err != nil {
		return err
	}
	if err := hold.Watch(ctx, place, c.learn(as, bucket, key)); err != nil {
		return err
	}
	marker, err := c.deleteObject(ctx, as, bucket, key)
	switch {
	case err == nil:
		hold.Removed(key, "", marker)
	case !undone(err):
		hold.Lose(false, quota.Doubt{Key: key})
	}
	return err
}

// undone reports whether err tells that nothing was changed, or nothing is left of
// it. A backend that gave no clear answer to one step of it does not.
func undone(err error) bool {
	said := errors.Is(err, keystile.ErrInvalid) || errors.Is(err, keystile.ErrDenied) || errors.Is(err, keystile.ErrNotFound)
	return said && !errors.Is(err, keystile.ErrUnavailable)
}

func quotaError(err error) error {
	var over *quota.OverError
	switch {
	case errors.As(err, &over):
		return &control.Explained{Message: "the quota is used up: " + over.Error(), Err: keystile.ErrDenied}
	case errors.Is(err, quota.ErrUncounted):
		return &control.Explained{Message: "what the user's buckets hold is being counted: try again", Err: keystile.ErrUnavailable}
	}
	return err
}

// reserving is a body of unknown length that is reserved before it is handed out.
// Other changes of its place wait from its end on.
type reserving struct {
	ctx     context.Context //nolint:containedctx // of the one upload that reads it
	from    io.Reader
	hold    *quota.Hold
	place   quota.Place
	refusal error
}

func (r *reserving) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if n > 0 {
		if r.refusal = r.hold.Grow(r.ctx, keystile.Amount{Bytes: int64(n)}); r.refusal != nil {
			return 0, r.refusal
		}
	}
	if errors.Is(err, io.EOF) {
		if err := r.hold.Order(r.ctx, r.place, false); err != nil {
			return n, err
		}
	}
	return n, err
}
