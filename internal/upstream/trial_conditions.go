package upstream

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"keystile/internal/keystile"
	"keystile/internal/payload"
	"keystile/internal/sigv4"
)

// anotherETag is that of no object of a probe.
const anotherETag = `"00000000000000000000000000000000"`

// tryCompleteMatch tries If-Match with CompleteMultipartUpload.
func (t *trial) tryCompleteMatch(ctx context.Context) error {
	there := &object{t: t, key: "condition"}
	complete := func(match string) (*part, outcome, error) {
		s, err := t.newPart(ctx, there.key, nil)
		if err != nil {
			return nil, outcome{}, err
		}
		data := filled('q', shortBody)
		if j, err := accepts(ctx, s, "a part", hashed(data), data); err != nil || j != fine {
			return s, outcome{}, err
		}
		out, err := t.finish(ctx, there.key, s.id, s.etag, nil, http.Header{"If-Match": {match}})
		return s, out, err
	}
	etag, j, err := t.renew(ctx, there)
	if err != nil || j != fine {
		return err
	}
	_, wrong, err := complete(anotherETag)
	if err != nil {
		return err
	}
	kept, err := there.holds(ctx)
	if err != nil {
		return err
	}
	if wrong.accepted() || !kept {
		t.conclude(keystile.CompleteIfMatch, keystile.No, "an upload is completed over another object")
		return nil
	}
	s, right, err := complete(etag)
	if err != nil {
		return err
	}
	there.data = s.data
	made, err := there.holds(ctx)
	switch {
	case err != nil:
		return err
	case right.accepted() && made && wrong.status == http.StatusPreconditionFailed:
		t.conclude(keystile.CompleteIfMatch, keystile.Yes, "")
	case right.refused() || wrong.status == http.StatusNotImplemented:
		t.conclude(keystile.CompleteIfMatch, keystile.No, "an upload with a condition is not completed")
	}
	return nil
}

// tryCopyConditions tries what a CopyObject may be made to depend on.
func (t *trial) tryCopyConditions(ctx context.Context) error {
	source := &object{t: t, key: "object"}
	data := filled('s', shortBody)
	if j, err := accepts(ctx, source, "a body", hashed(data), data); err != nil || j != fine {
		return err
	}
	copied := func(h http.Header) write { return write{header: h, source: source.key} }
	there, free := &object{t: t, key: "condition"}, &object{t: t, key: "new"}
	if _, err := t.send(ctx, http.MethodDelete, free.key, nil, write{}); err != nil {
		return err
	}
	for _, try := range []struct {
		ability keystile.Ability
		name    string
		fails   string // its value that does not hold of there
		over    *object
		holds   func(etag string) string
	}{
		{keystile.CopyIfNoneMatch, "If-None-Match", "*", free, func(string) string { return "*" }},
		{keystile.CopyIfMatch, "If-Match", anotherETag, there, func(etag string) string { return etag }},
	} {
		etag, j, err := t.renew(ctx, there)
		if err != nil || j != fine {
			return err
		}
		j, err = all(
			func() (judgement, error) {
				return refuses(ctx, there, "a copy whose "+try.name+" does not hold", copied(http.Header{try.name: {try.fails}}))
			},
			func() (judgement, error) {
				return accepts(ctx, try.over, "a copy whose "+try.name+" holds", copied(http.Header{try.name: {try.holds(etag)}}), data)
			},
		)
		if err != nil {
			return err
		}
		t.conclude(try.ability, j.verdict, j.note)
	}
	return nil
}

// renew puts a fresh object, and returns its ETag. Where that cannot be done, the
// judgement is not fine.
func (t *trial) renew(ctx context.Context, s *object) (etag string, j judgement, err error) {
	data := filled('o', shortBody)
	out, err := s.put(ctx, hashed(data))
	if err != nil {
		return "", j, err
	}
	if !out.accepted() {
		return "", judgement{}, nil
	}
	s.accept(out, data)
	kept, err := s.holds(ctx)
	if err != nil || !kept {
		return "", judgement{}, err
	}
	return out.etag, fine, nil
}

// tryDeleteConditions tries what a DeleteObject and an entry of a DeleteObjects
// may be made to depend on.
func (t *trial) tryDeleteConditions(ctx context.Context) error {
	one := func(key, etag string) (outcome, error) {
		return t.send(ctx, http.MethodDelete, key, nil, write{header: http.Header{"If-Match": {etag}}})
	}
	if err := t.tryDeletion(ctx, keystile.DeleteIfMatch, one); err != nil {
		return err
	}
	return t.tryDeletion(ctx, keystile.DeletesIfMatch, func(key, etag string) (outcome, error) {
		body := []byte(`<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>` + t.prefix + key + `</Key><ETag>` +
			strings.ReplaceAll(etag, `"`, "&#34;") + `</ETag></Object></Delete>`)
		return t.deleteMany(ctx, body)
	})
}

func (t *trial) deleteMany(ctx context.Context, body []byte) (outcome, error) {
	answer, err := t.b.sendSoon(ctx, Request{
		Method: http.MethodPost, Bucket: t.bucket, Query: url.Values{"delete": {""}},
		Header:      http.Header{"Content-Md5": {payload.MD5.Sum(body).Value}},
		PayloadHash: sigv4.HashHex(body), Body: bytes.NewReader(body), ContentLength: int64(len(body)),
	})
	if err != nil {
		return outcome{}, err
	}
	defer drop(answer)
	var result struct {
		Error []struct{ Code string }
	}
	if answer.Status == http.StatusOK && readXML(answer.Body, maxAnswer, &result, "DeleteResult") == nil && len(result.Error) > 0 {
		return outcome{status: http.StatusPreconditionFailed}, nil
	}
	return outcome{status: answer.Status}, nil
}

// tryDeletion wants an object to stay when another's ETag is named, and to go
// when its own is.
func (t *trial) tryDeletion(ctx context.Context, a keystile.Ability, remove func(key, etag string) (outcome, error)) error {
	there := &object{t: t, key: "condition"}
	etag, j, err := t.renew(ctx, there)
	if err != nil || j != fine {
		return err
	}
	wrong, err := remove(there.key, anotherETag)
	if err != nil {
		return err
	}
	kept, err := there.holds(ctx)
	if err != nil {
		return err
	}
	if wrong.accepted() || !kept {
		t.conclude(a, keystile.No, "another object than was named is deleted")
		return nil
	}
	right, err := remove(there.key, etag)
	if err != nil {
		return err
	}
	there.data = nil
	gone, err := there.holds(ctx)
	switch {
	case err != nil:
		return err
	case right.accepted() && gone && wrong.refused():
		t.conclude(a, keystile.Yes, "")
	case right.refused() || wrong.status == http.StatusNotImplemented:
		t.conclude(a, keystile.No, "a deletion with a condition is not carried out")
	}
	return nil
}
