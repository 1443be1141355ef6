package upstream

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"keystile/internal/keystile"
)

// subjectKeys are the keys that bodies are tried on.
var subjectKeys = []string{
	"object", "parts", "condition", "new", "cut-object-1", "cut-object-2", "cut-object-3", "cut-new-1", "cut-new-2", "cut-new-3",
}

// subject is something that a body is written over again and again: an object,
// or the part of an upload.
type subject interface {
	// put sends a write over it.
	put(ctx context.Context, w write) (outcome, error)
	// holds reports whether it is still what was last accepted.
	holds(ctx context.Context) (bool, error)
	// accept notes what a write that was accepted made of it.
	accept(o outcome, data []byte)
}

// object is a subject written by PutObject.
type object struct {
	t    *trial
	key  string
	data []byte // nil: there is none
}

func (s *object) put(ctx context.Context, w write) (outcome, error) {
	return s.t.send(ctx, http.MethodPut, s.key, nil, w)
}

func (s *object) holds(ctx context.Context) (bool, error) {
	got, _, err := s.t.read(ctx, s.key, nil)
	return bytes.Equal(got, s.data) && (got == nil) == (s.data == nil), err
}

func (s *object) accept(_ outcome, data []byte) { s.data = data }

// part is a subject written by UploadPart. What a part holds can only be read
// by completing its upload; until then its ETag stands for it.
type part struct {
	t       *trial
	key, id string
	etag    string
	data    []byte
}

func (t *trial) newPart(ctx context.Context, key string, header http.Header) (*part, error) {
	id, err := t.begin(ctx, key, header)
	return &part{t: t, key: key, id: id}, err
}

func (s *part) put(ctx context.Context, w write) (outcome, error) {
	return s.t.send(ctx, http.MethodPut, s.key, url.Values{"partNumber": {"1"}, "uploadId": {s.id}}, w)
}

func (s *part) accept(o outcome, data []byte) { s.etag, s.data = o.etag, data }

func (s *part) holds(ctx context.Context) (bool, error) {
	answer, err := s.t.b.sendSoon(ctx, Request{
		Method: http.MethodGet, Bucket: s.t.bucket, Key: s.t.prefix + s.key, Query: url.Values{"uploadId": {s.id}},
	})
	if err != nil {
		return false, err
	}
	defer drop(answer)
	if answer.Status != http.StatusOK {
		return false, s.t.b.refusal(answer)
	}
	var list struct {
		Part []struct {
			PartNumber int
			ETag       string
			Size       int
		}
	}
	if err := readXML(answer.Body, maxAnswer, &list, "ListPartsResult"); err != nil {
		return false, s.t.b.unreadable(err)
	}
	if s.data == nil {
		return len(list.Part) == 0, nil
	}
	return len(list.Part) == 1 && list.Part[0].PartNumber == 1 && list.Part[0].Size == len(s.data) &&
		unquoted(list.Part[0].ETag) == unquoted(s.etag), nil
}

func unquoted(etag string) string { return strings.Trim(etag, `"`) }

// complete completes the upload and reports whether the object is what was
// accepted last. Whether the backend completes at all is told apart.
func (s *part) complete(ctx context.Context, sum map[string]string) (completed, right bool, err error) {
	out, err := s.t.finish(ctx, s.key, s.id, s.etag, sum, nil)
	if err != nil || !out.accepted() {
		return false, false, err
	}
	made := object{t: s.t, key: s.key, data: s.data}
	right, err = made.holds(ctx)
	return true, right, err
}

// judgement is a verdict and why.
type judgement struct {
	verdict keystile.Verdict
	note    string
}

var fine = judgement{verdict: keystile.Yes}

// accepts wants a right write to be taken.
func accepts(ctx context.Context, s subject, what string, w write, data []byte) (judgement, error) {
	out, err := s.put(ctx, w)
	if err != nil {
		return judgement{}, err
	}
	if !out.accepted() {
		if out.status/100 == 5 && out.status != http.StatusNotImplemented {
			return judgement{keystile.Unknown, fmt.Sprintf("%s was answered with status %d", what, out.status)}, nil
		}
		return judgement{keystile.No, what + " is not taken"}, nil
	}
	s.accept(out, data)
	ok, err := s.holds(ctx)
	if err != nil {
		return judgement{}, err
	}
	if !ok {
		return judgement{keystile.No, what + " is not stored as it was sent"}, nil
	}
	return fine, nil
}

// refuses wants a wrong write to be refused and to leave what was there.
func refuses(ctx context.Context, s subject, what string, w write) (judgement, error) {
	out, err := s.put(ctx, w)
	if err != nil {
		return judgement{}, err
	}
	kept, err := s.holds(ctx)
	switch {
	case err != nil:
		return judgement{}, err
	case out.accepted():
		return judgement{keystile.No, what + " is taken"}, nil
	case !kept:
		return judgement{keystile.No, what + " is refused, but replaces what was there"}, nil
	case !out.refused():
		return judgement{keystile.Unknown, fmt.Sprintf("%s was answered with status %d", what, out.status)}, nil
	}
	return fine, nil
}

// all takes steps up to the first that is not fine.
func all(steps ...func() (judgement, error)) (judgement, error) {
	for _, step := range steps {
		if j, err := step(); err != nil || j != fine {
			return j, err
		}
	}
	return fine, nil
}
