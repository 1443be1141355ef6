package upstream

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"keystile/internal/keystile"
)

// tryConditions tries what a PutObject and a CompleteMultipartUpload may be
// made to depend on.
func (t *trial) tryConditions(ctx context.Context) error {
	if err := t.tryPutCondition(ctx, keystile.IfNoneMatch, "a PutObject with If-None-Match",
		http.Header{"If-None-Match": {"*"}}, nil); err != nil {
		return err
	}
	if err := t.tryPutCondition(ctx, keystile.IfMatch, "a PutObject with another If-Match",
		http.Header{"If-Match": {anotherETag}}, func(etag string) http.Header {
			return http.Header{"If-Match": {etag}}
		}); err != nil {
		return err
	}
	return t.tryConditionalComplete(ctx)
}

// tryPutCondition wants a condition that does not hold to be heeded, and one
// that holds to let the write through: that of a new key, or with holds the one
// that it makes of the object's ETag.
func (t *trial) tryPutCondition(ctx context.Context, a keystile.Ability, what string, fails http.Header, holds func(etag string) http.Header) error {
	there := &object{t: t, key: "condition"}
	old, next := filled('o', shortBody), filled('n', shortBody)
	out, err := there.put(ctx, hashed(old))
	if err != nil {
		return err
	}
	if !out.accepted() {
		t.conclude(a, keystile.Unknown, "a scratch object could not be made")
		return nil
	}
	there.accept(out, old)
	with := func(h http.Header, data []byte) write {
		w := hashed(data)
		w.header = h
		return w
	}
	free := &object{t: t, key: "new"}
	if _, err := t.send(ctx, http.MethodDelete, free.key, nil, write{}); err != nil {
		return err
	}
	j, err := all(
		func() (judgement, error) { return refuses(ctx, there, what, with(fails, next)) },
		func() (judgement, error) {
			if holds != nil {
				return accepts(ctx, there, "a PutObject whose If-Match holds", with(holds(out.etag), next), next)
			}
			return accepts(ctx, free, "a PutObject whose If-None-Match holds", with(fails, next), next)
		},
	)
	if err == nil {
		t.conclude(a, j.verdict, j.note)
	}
	return err
}

func (t *trial) tryConditionalComplete(ctx context.Context) error {
	condition := http.Header{"If-None-Match": {"*"}}
	complete := func(key string) (*part, outcome, error) {
		s, err := t.newPart(ctx, key, nil)
		if err != nil {
			return nil, outcome{}, err
		}
		data := filled('p', shortBody)
		if j, err := accepts(ctx, s, "a part", hashed(data), data); err != nil || j != fine {
			return s, outcome{}, err
		}
		out, err := t.finish(ctx, key, s.id, s.etag, nil, condition.Clone())
		return s, out, err
	}
	there := &object{t: t, key: "condition"}
	old := filled('o', shortBody)
	if j, err := accepts(ctx, there, "a body", hashed(old), old); err != nil || j != fine {
		return err
	}
	_, onOld, err := complete(there.key)
	if err != nil {
		return err
	}
	kept, err := there.holds(ctx)
	if err != nil {
		return err
	}
	if onOld.accepted() || !kept {
		t.conclude(keystile.ConditionalComplete, keystile.No, "an upload is completed over an object that is there")
		return nil
	}
	free := &object{t: t, key: "new"}
	if _, err := t.send(ctx, http.MethodDelete, free.key, nil, write{}); err != nil {
		return err
	}
	s, onFree, err := complete(free.key)
	if err != nil {
		return err
	}
	free.data = s.data
	made, err := free.holds(ctx)
	switch {
	case err != nil:
		return err
	case onFree.accepted() && made && onOld.status == http.StatusPreconditionFailed:
		t.conclude(keystile.ConditionalComplete, keystile.Yes, "")
	case onFree.refused() || onOld.status == http.StatusNotImplemented:
		t.conclude(keystile.ConditionalComplete, keystile.No, "an upload with a condition is not completed")
	}
	return nil
}

// tryHosts asks for an object by a host's name that begins with the bucket's.
func (t *trial) tryHosts(ctx context.Context) error {
	if t.b.private {
		t.conclude(keystile.VirtualHosts, keystile.No, "it has no address")
		return nil
	}
	want := &object{t: t, key: "object"}
	data := filled('h', shortBody)
	if j, err := accepts(ctx, want, "a body", hashed(data), data); err != nil || j != fine {
		return err
	}
	answer, err := t.b.sendSoon(ctx, Request{Method: http.MethodHead, Bucket: t.bucket, Key: t.prefix + want.key, addressing: byHost})
	if err != nil {
		t.conclude(keystile.VirtualHosts, keystile.No, "a request by the host's name is not answered")
		return ctx.Err()
	}
	drop(answer)
	if answer.Status == http.StatusOK && answer.ContentLength == int64(len(data)) {
		t.conclude(keystile.VirtualHosts, keystile.Yes, "")
	} else {
		t.conclude(keystile.VirtualHosts, keystile.No, "a request by the host's name finds no object")
	}
	return nil
}

// tryOwnNames asks for buckets under reserved names. What is not answered as a
// bucket that does not exist may be the backend's own.
func (t *trial) tryOwnNames(ctx context.Context) error {
	if t.b.private {
		t.conclude(keystile.NoOwnNames, keystile.Yes, "")
		return nil
	}
	var own []string
	for _, name := range keystile.ReservedNames() {
		answer, err := t.b.sendSoon(ctx, Request{Method: http.MethodGet, Bucket: name, Query: url.Values{"max-keys": {"1"}}, addressing: inPath})
		if err != nil {
			return err
		}
		code := errorCode(answer.Body)
		drop(answer)
		if answer.Status != http.StatusNotFound || code != "NoSuchBucket" {
			own = append(own, name)
		}
	}
	if len(own) > 0 {
		t.conclude(keystile.NoOwnNames, keystile.No, "not answered as buckets: "+strings.Join(own, ", "))
		return nil
	}
	t.conclude(keystile.NoOwnNames, keystile.Yes, "")
	return nil
}
