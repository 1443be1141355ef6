package s3proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"keystile/internal/http1"
	"keystile/internal/payload"
	"keystile/internal/s3wire"
	"keystile/internal/upstream"
)

// copiesAcross reports whether the gateway has to read what is copied: from
// another backend, which neither can do by itself, and for a part from a key that
// backends read in different ways. Ceph RGW 16 decodes the source of a part twice
// and looks for a version behind the first time: what it would copy is another
// object, maybe one outside the scope, and no spelling is right for both kinds.
func (x *exchange) copiesAcross() bool {
	if x.req.Source == nil {
		return false
	}
	return x.source.Backend != x.bucket.Backend ||
		x.req.Op.Name == s3wire.OpUploadPartCopy && strings.ContainsAny(x.real.SourceKey, "%?")
}

// copyAcross carries out a copy by itself, mostly between backends: the source is
// read, and written to the destination as it comes. What holds for an upload holds
// here: the intent is durable before the last piece goes out, and that piece goes
// only when the source was read to its end and its checksum, if it has one, is
// right.
func (p *Proxy) copyAcross(x *exchange) error {
	ctx, cancel := context.WithCancel(x.context())
	defer cancel()
	out := x.outbound()
	source := copySource{x, ctx, *out.CopySource}
	out.CopySource, out.AbortBody = nil, cancel
	transfer, err := x.req.Transfer(out.Header)
	if err != nil {
		return err
	}
	got, err := source.open(transfer)
	if err != nil {
		return err
	}
	defer func() { _ = got.Body.Close() }()
	if err := source.fill(&out, transfer, got); err != nil {
		return err
	}
	a, err := x.carryOut(out)
	if err != nil {
		return err
	}
	if err := x.settle(a); err != nil {
		return err
	}
	if a.err == nil {
		x.showCopy(a, source.object.VersionID)
	}
	return x.reply(a)
}

// copySource is what a copy between backends reads.
type copySource struct {
	x      *exchange
	ctx    context.Context // ends when the source is no longer wanted
	object upstream.Object
}

// open begins to read the source. The conditions of the copy are for its
// backend to judge.
func (s *copySource) open(t s3wire.Transfer) (*http1.Response, error) {
	got, err := s.get("", t.Read)
	if err != nil {
		return nil, err
	}
	if err := s.check(got, t); err != nil {
		_ = got.Body.Close()
		return nil, err
	}
	if s.object.VersionID == "" {
		s.object.VersionID = got.Header.Get("X-Amz-Version-Id")
	}
	return got, nil
}

// get sends a GET for the object or one of its subresources.
func (s *copySource) get(subresource string, header http.Header) (*http1.Response, error) {
	query := url.Values{}
	if subresource != "" {
		query.Set(subresource, "")
	}
	if s.object.VersionID != "" {
		query.Set("versionId", s.object.VersionID)
	}
	out := upstream.Request{
		Method: http.MethodGet, Bucket: s.object.Bucket, Key: s.object.Key, Query: query, Header: header,
	}
	s.x.sign(&out, s.x.sourceBackend)
	got, err := s.x.sourceBackend.Send(s.ctx, out)
	if err != nil {
		return nil, s.fault(err)
	}
	return got, nil
}

func (s *copySource) check(got *http1.Response, t s3wire.Transfer) error {
	want := http.StatusOK
	if t.Range {
		want = http.StatusPartialContent
	}
	switch {
	case got.Status == http.StatusNotModified:
		return s3wire.PreconditionFailed.Err()
	case got.Status >= http.StatusMultipleChoices:
		data, err := s.x.readSmall(s.x.sourceBackend, got)
		if err != nil {
			return s.fault(err)
		}
		return s.x.backendError(s.x.sourceBackend, got.Status, data)
	case t.Range && !coversRange(got, t):
		return s3wire.InvalidArgument.With("The range is not within the copy source.")
	case got.Status != want || got.ContentLength < 0:
		return fmt.Errorf("the copy source was answered with %d: %w", got.Status, upstream.ErrBadAnswer)
	case got.ContentLength > s3wire.MaxCopySource:
		return s3wire.InvalidRequest.With("The copy source is larger than the largest that may be copied at once: %d bytes.", int64(s3wire.MaxCopySource))
	}
	return nil
}

// coversRange reports whether the answer is the range that was asked for: a
// backend may cut it to what there is, or send the whole object.
func coversRange(got *http1.Response, t s3wire.Transfer) bool {
	if got.Status != http.StatusPartialContent {
		return false
	}
	want := fmt.Sprintf("bytes %d-%d/", t.First, t.Last)
	return strings.HasPrefix(got.Header.Get("Content-Range"), want) && got.ContentLength == t.Last-t.First+1
}

// fill makes the answer about the source the request that writes the copy.
func (s *copySource) fill(out *upstream.Request, t s3wire.Transfer, got *http1.Response) error {
	t.Take(got.Header)
	if t.KeepTags {
		tags, err := s.tags()
		if err != nil {
			return err
		}
		t.Write.Del("X-Amz-Tagging")
		if tags != "" {
			t.Write.Set("X-Amz-Tagging", tags)
		}
	}
	declared := payload.Declared{Length: got.ContentLength, EncodedLength: got.ContentLength}
	if name, value := s3wire.SourceChecksum(got.Header); name != "" && !t.Range {
		var err error
		declared, err = payload.Declare(payload.Source{Header: http.Header{name: {value}}, ContentLength: got.ContentLength})
		if err != nil {
			return s.fault(err)
		}
		t.Write.Set(name, value)
	}
	// What the source says of itself is verified here, so that its fault is told
	// from the destination's.
	how := s.x.entrust(&declared, t.Write, true)
	reader, err := payload.NewReader(got.Body, declared)
	if err != nil {
		return err
	}
	out.Header, s.x.partial, s.x.size = t.Write, how.partial, got.ContentLength
	return how.load(out, sourceBody{reader, s}, got.ContentLength)
}

// tags reads the tags of the source as the header has them. A backend that
// knows no tags has none.
func (s *copySource) tags() (string, error) {
	got, err := s.get("tagging", nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = got.Body.Close() }()
	data, err := s.x.readSmall(s.x.sourceBackend, got)
	if err != nil {
		return "", s.fault(err)
	}
	e, _ := s3wire.ParseError(data)
	switch {
	case got.Status == http.StatusNotImplemented || e.Code == "NoSuchTagSet":
		return "", nil
	case got.Status != http.StatusOK:
		return "", s.x.backendError(s.x.sourceBackend, got.Status, data)
	}
	tags, err := s3wire.TaggingHeader(data)
	if err != nil {
		return "", fmt.Errorf("%w: %w", upstream.ErrBadAnswer, err)
	}
	return tags, nil
}

// showCopy turns the answer to the write into that to the copy.
func (x *exchange) showCopy(a *answer, version string) {
	modified, err := http.ParseTime(a.date)
	if err != nil {
		modified = x.p.Now()
	}
	a.body = x.req.CopyResult(a.header, modified)
	a.header.Del("Etag")
	a.header.Set("Content-Type", "application/xml")
	if version != "" {
		a.header.Set("X-Amz-Copy-Source-Version-Id", version)
	}
}

// fault names what went wrong with the source. The cause is told in words alone:
// it is not a fault of the client's, and says nothing about the write.
func (s *copySource) fault(err error) error {
	if s.ctx.Err() != nil {
		return fmt.Errorf("reading the copy source: %w", context.Cause(s.ctx))
	}
	s.x.p.Observer.BackendFailed(s.x.source.Backend)
	kind := upstream.ErrBadAnswer
	var trouble *upstream.Error
	switch {
	case errors.As(err, &trouble):
		kind = trouble.Kind
	case errors.Is(err, http1.ErrIdleTimeout):
		kind = upstream.ErrTimeout
	case errors.Is(err, http1.ErrConnLost), errors.Is(err, payload.ErrIncomplete):
		kind = upstream.ErrUnreachable
	}
	if trouble == nil {
		_ = s.x.sourceBackend.Broken(s.object.Bucket, s.object.Key, err) // for its health; the error has another text
	}
	return fmt.Errorf("the copy source: %w: %s", kind, upstream.Detail(err))
}

// sourceBody reads what is copied.
type sourceBody struct {
	*payload.Reader
	source *copySource
}

func (s sourceBody) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = s.source.fault(err)
	}
	return n, err
}
