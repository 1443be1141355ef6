package upstream

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"keystile/internal/http1"
	"keystile/internal/keystile"
	"keystile/internal/sigv4"
)

// scratchPrefix begins the name of every bucket a probe makes, and of every key
// where it is given a prefix.
const scratchPrefix = "keystile-probe-"

const cleanupTimeout = 30 * time.Second

// found is what a probe found.
type found struct {
	abilities keystile.Abilities
	complete  bool   // it ran to its end
	trouble   string // why not, in words for an admin
}

// trial is one probe under way. Every finding rests on what an object is
// afterwards, never on a status alone.
type trial struct {
	b *Backend
	// Where it writes: a bucket of its own, or under a prefix in another's.
	bucket, prefix string
	own            bool
	uploads        map[string]string // key by upload id, to be aborted
	cuts           int               // rounds of cut uploads so far
	found          keystile.Abilities
	trouble        string // what the backend refused to let the probe do, if anything
}

// probe tries everything, and tells after each step what was found so far: what
// is proven need not wait for what takes long. It leaves nothing behind, also
// when it is cut short; what a killed process leaves is in the book.
func (b *Backend) probe(ctx context.Context, notes book, tell func(found)) found {
	t := b.newTrial()
	place := scratch{Backend: b.info.ID, Fingerprint: fingerprint(b.info), Bucket: t.bucket, Prefix: t.prefix, At: b.now().UTC()}
	err := notes.begins(ctx, place)
	if err == nil && t.own {
		err = b.createBucket(ctx, t.bucket)
		var refused *Refused
		if errors.As(err, &refused) { // else it may have been made all the same
			notes.ended(ctx, place)
		}
	}
	if err != nil {
		f := found{trouble: "a scratch bucket could not be made (" + plain(err) + "): a scratch prefix may be named instead"}
		for i := range f.abilities {
			f.abilities[i].Note = f.trouble
		}
		return f
	}
	defer func() {
		if t.remove(context.WithoutCancel(ctx)) {
			notes.ended(ctx, place)
		}
	}()
	err = t.run(ctx, tell)
	f := t.sofar()
	f.complete = err == nil
	if err != nil {
		f.trouble = "the probe was not finished (" + plain(err) + ")"
	}
	for i := range f.abilities {
		if f.abilities[i].Verdict == keystile.Unknown && f.abilities[i].Note == "" {
			f.abilities[i].Note = f.trouble
		}
	}
	return f
}

// sofar is what has been found, as of now.
func (t *trial) sofar() found {
	f := found{abilities: t.found, trouble: t.trouble}
	now := t.b.now().UTC()
	for i := range f.abilities {
		if f.abilities[i].Verdict != keystile.Unknown {
			f.abilities[i].At = now
		}
	}
	return f
}

// run takes one step after the other, up to the first in which the backend is
// in trouble. What requests are refused for without a proof comes first, then
// the cuts, so that the end shows what came of them later.
func (t *trial) run(ctx context.Context, tell func(found)) error {
	for _, step := range []func(context.Context) error{
		t.tryKeys, t.tryConditions, t.tryCompleteMatch, t.tryCopyConditions, t.tryDeleteConditions, t.tryMD5, t.tryCuts, t.tryDigests, t.tryTrailers, t.tryChecksums, t.tryKeepsChecksums,
		t.tryHosts, t.tryOwnNames, t.lookAgain,
	} {
		err := step(ctx)
		var refused *Refused
		switch {
		case errors.As(err, &refused) && (refused.Status < 500 || refused.Status == http.StatusNotImplemented), errors.Is(err, ErrBadAnswer):
			// What one step could not try, or was answered with what is no answer,
			// says nothing of the others.
			t.trouble = "the backend did not let it be tried (" + plain(err) + ")"
		case err != nil:
			return err
		}
		if tell != nil {
			tell(t.sofar())
		}
	}
	return ctx.Err()
}

func (t *trial) conclude(a keystile.Ability, v keystile.Verdict, note string) {
	t.found[a] = keystile.Finding{Verdict: v, Note: note}
}

// newTrial chooses where the probe writes.
func (b *Backend) newTrial() *trial {
	t := &trial{b: b, uploads: map[string]string{}}
	name := scratchPrefix + strings.ToLower(rand.Text()[:20])
	if bucket, prefix := b.info.ScratchPlace(); bucket != "" {
		t.bucket, t.prefix = bucket, prefix+name+"/"
		return t
	}
	t.bucket, t.own = name, true
	return t
}

// write is one body as it is sent.
type write struct {
	hash   string // x-amz-content-sha256
	header http.Header
	wire   []byte
	// cutAt breaks the body off after so many bytes; 0: it is sent whole.
	cutAt int
	// source is the key of the object that is to be copied in the body's place.
	source string
	// inOrder ends the connection of a cut body in order instead of resetting it.
	inOrder bool
}

// outcome is how a write was answered; status 0 is no answer at all.
type outcome struct {
	status int
	etag   string
}

func (o outcome) accepted() bool { return o.status/100 == 2 }
func (o outcome) refused() bool  { return o.status/100 == 4 }

var errCut = errors.New("the probe cuts this body")

// send writes to a key, past the checks of Send. That the connection is lost is
// an outcome, not an error: some servers hang up on what they refuse.
func (t *trial) send(ctx context.Context, method, key string, query url.Values, w write) (outcome, error) {
	var body io.Reader = bytes.NewReader(w.wire)
	if w.cutAt > 0 {
		body = io.MultiReader(bytes.NewReader(w.wire[:w.cutAt]), broken{})
	}
	r := Request{
		Method: method, Bucket: t.bucket, Key: t.prefix + key, Query: query, Header: w.header.Clone(),
		PayloadHash: w.hash, Body: body, ContentLength: int64(len(w.wire)),
	}
	if w.source != "" {
		r.CopySource = &Object{Bucket: t.bucket, Key: t.prefix + w.source}
	}
	if w.inOrder {
		return outcome{}, t.b.hangUp(ctx, r, w.wire[:w.cutAt])
	}
	answer, err := t.b.sendSoon(ctx, r)
	switch {
	case errors.Is(err, errCut), errors.Is(err, http1.ErrConnLost):
		return outcome{}, nil
	case err != nil:
		return outcome{}, err
	}
	drop(answer)
	return outcome{answer.Status, answer.Header.Get("Etag")}, nil
}

// broken is the end of a cut body.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errCut }

// hashed is a write of data with its digest.
func hashed(data []byte) write { return write{hash: sigv4.HashHex(data), wire: data} }

func (b *Backend) sendSoon(ctx context.Context, r Request) (*http1.Response, error) {
	r.AnswerTimeout = checkTimeout
	return b.send(ctx, r)
}

// read returns what the object of a key is now; nil if there is none.
func (t *trial) read(ctx context.Context, key string, header http.Header) ([]byte, http.Header, error) {
	answer, err := t.b.sendSoon(ctx, Request{Method: http.MethodGet, Bucket: t.bucket, Key: t.prefix + key, Header: header})
	if err != nil {
		return nil, nil, err
	}
	defer drop(answer)
	switch answer.Status {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, nil, nil
	default:
		return nil, nil, t.b.refusal(answer)
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxScratchObject+1))
	if err != nil {
		return nil, nil, classify(t.b.info.ID, err)
	}
	return data, answer.Header, nil
}

// maxScratchObject is longer than any object of a probe.
const maxScratchObject = 8 << 20

// keys lists what there is in the scratch place, without the prefix.
func (t *trial) keys(ctx context.Context) ([]string, error) {
	query := url.Values{"list-type": {"2"}}
	if t.prefix != "" {
		query.Set("prefix", t.prefix)
	}
	answer, err := t.b.sendSoon(ctx, Request{Method: http.MethodGet, Bucket: t.bucket, Query: query})
	if err != nil {
		return nil, err
	}
	defer drop(answer)
	if answer.Status != http.StatusOK {
		return nil, t.b.refusal(answer)
	}
	var list keyList
	if err := readXML(answer.Body, maxAnswer, &list, "ListBucketResult"); err != nil {
		return nil, t.b.unreadable(err)
	}
	var keys []string
	for _, c := range list.Contents {
		if key, ok := strings.CutPrefix(c.Key, t.prefix); ok {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// begin starts a multipart upload of a key.
func (t *trial) begin(ctx context.Context, key string, header http.Header) (id string, err error) {
	answer, err := t.b.sendSoon(ctx, Request{
		Method: http.MethodPost, Bucket: t.bucket, Key: t.prefix + key, Query: url.Values{"uploads": {""}}, Header: header,
	})
	if err != nil {
		return "", err
	}
	defer drop(answer)
	if answer.Status != http.StatusOK {
		return "", t.b.refusal(answer)
	}
	var begun struct{ UploadId string }
	if err := readXML(answer.Body, maxAnswer, &begun, "InitiateMultipartUploadResult"); err != nil {
		return "", t.b.unreadable(err)
	}
	t.uploads[begun.UploadId] = key
	return begun.UploadId, nil
}

// finish completes an upload of one part.
func (t *trial) finish(ctx context.Context, key, id, etag string, sum map[string]string, header http.Header) (outcome, error) {
	part := xmlPart{PartNumber: 1, ETag: etag}
	for name, value := range sum {
		part.Checksums = append(part.Checksums, xmlChecksum{xml.Name{Local: name}, value})
	}
	body, err := xml.Marshal(xmlComplete{Part: part})
	if err != nil {
		return outcome{}, fmt.Errorf("completing an upload: %w", err)
	}
	w := hashed(body)
	w.header = header
	out, err := t.send(ctx, http.MethodPost, key, url.Values{"uploadId": {id}}, w)
	if err == nil && out.accepted() {
		delete(t.uploads, id)
	}
	return out, err
}

type xmlComplete struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUpload"`
	Part    xmlPart
}

type xmlPart struct {
	Checksums  []xmlChecksum
	ETag       string
	PartNumber int
}

type xmlChecksum struct {
	XMLName xml.Name
	Value   string `xml:",chardata"`
}

// remove deletes all that the probe made, and reports whether nothing is left.
func (t *trial) remove(ctx context.Context) (gone bool) {
	ctx, cancel := context.WithTimeout(ctx, cleanupTimeout)
	defer cancel()
	for id, key := range t.uploads {
		_, _ = t.send(ctx, http.MethodDelete, key, url.Values{"uploadId": {id}}, write{})
	}
	keys, err := t.keys(ctx)
	if err != nil {
		keys = append([]string{scratchKey, "c//d", "c/./e", "c/../f"}, subjectKeys...)
	}
	for _, key := range keys {
		if _, err := t.send(ctx, http.MethodDelete, key, nil, write{}); errors.Is(err, context.DeadlineExceeded) {
			return false
		}
	}
	if t.own {
		out, err := t.send(ctx, http.MethodDelete, "", nil, write{})
		return err == nil && (out.accepted() || out.status == http.StatusNotFound)
	}
	keys, err = t.keys(ctx)
	return err == nil && len(keys) == 0
}
