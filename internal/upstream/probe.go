package upstream

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"keystile/internal/http1"
	"keystile/internal/keystile"
	"keystile/internal/sigv4"
	"keystile/internal/store"
)

// scratchPrefix begins the name of every bucket a probe makes.
const scratchPrefix = "keystile-probe-"

const cleanupTimeout = 30 * time.Second

// What a probe of a backend's keys can find.
type keyVerdict uint8

const (
	keysUnknown keyVerdict = iota
	keysKept
	keysNormalised
)

// fingerprint names what a proof holds for.
func fingerprint(b keystile.Backend) string {
	sum := sha256.Sum256([]byte(string(b.Kind) + "\n" + b.Endpoint))
	return hex.EncodeToString(sum[:])
}

// inForce reports whether a proof holds for this backend now.
func (b *Backend) inForce(p keystile.Probe) bool {
	age := b.now().Sub(p.ProbedAt)
	return p.Fingerprint == fingerprint(b.info) && age < keystile.ProbeTTL && age > -time.Hour
}

// needsProof reports whether a probe is due.
func (b *Backend) needsProof(now time.Time) bool {
	if b.info.Kind == keystile.KindEmbedded {
		return false // known to normalise
	}
	p := b.proof.Load()
	return p == nil || !b.inForce(*p) || now.Sub(p.ProbedAt) > keystile.ProbeTTL-probeAhead
}

// adopt takes the latest of the proofs that hold for this backend.
func (b *Backend) adopt(proofs ...keystile.Probe) {
	for _, p := range proofs {
		have := b.proof.Load()
		if b.inForce(p) && (have == nil || p.ProbedAt.After(have.ProbedAt)) {
			b.proof.Store(&p)
		}
	}
}

// remember keeps what a test proved about a backend that is not in the registry
// yet, for when it is.
func (r *Registry) remember(p keystile.Probe) {
	const most = 256
	r.provenMu.Lock()
	defer r.provenMu.Unlock()
	if len(r.proven) >= most {
		clear(r.proven)
	}
	r.proven[p.BackendID] = p
}

func (r *Registry) remembered(b *Backend) keystile.Probe {
	r.provenMu.Lock()
	defer r.provenMu.Unlock()
	return r.proven[b.info.ID]
}

// saveRemembered saves a proof that came before its backend did.
func (r *Registry) saveRemembered(ctx context.Context, b *Backend) {
	if p := r.remembered(b); b.inForce(p) {
		r.saveProof(ctx, p)
	}
}

// probe proves, or disproves, that b keeps keys, and records it. A probe that
// shows neither leaves what was proven before.
func (r *Registry) probe(ctx context.Context, b *Backend) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	verdict, why := b.probeKeys(ctx)
	r.opts.Log.Info("backend was probed for how it keeps keys", "backend", b.info.ID, "keeps_keys", verdict == keysKept, "finding", why)
	r.record(ctx, b, verdict)
}

// record makes a verdict a proof: in b, in the store if the registry has b, and
// in memory.
func (r *Registry) record(ctx context.Context, b *Backend, verdict keyVerdict) {
	if verdict == keysUnknown {
		return
	}
	p := keystile.Probe{
		BackendID:   b.info.ID,
		Fingerprint: fingerprint(b.info),
		KeepsKeys:   verdict == keysKept,
		ProbedAt:    b.now().UTC(),
	}
	b.adopt(p)
	r.remember(p)
	if known, ok := r.Get(b.info.ID); ok && fingerprint(known.info) == p.Fingerprint {
		known.adopt(p)
		r.saveProof(ctx, p)
	}
}

func (r *Registry) saveProof(ctx context.Context, p keystile.Probe) {
	err := r.opts.Store.Write(ctx, func(tx store.Tx) error { return tx.SaveProbe(p) })
	if err != nil && ctx.Err() == nil {
		r.opts.Log.Warn("the proof about a backend's keys could not be saved", "backend", p.BackendID, "error", err)
	}
}

// probeKeys asks a scratch bucket whether keys with ".", ".." and empty
// segments are kept as they are. It returns what it found, in words for an
// admin.
func (b *Backend) probeKeys(ctx context.Context) (keyVerdict, string) {
	bucket := scratchPrefix + strings.ToLower(rand.Text()[:20])
	if err := b.createBucket(ctx, bucket); err != nil {
		return keysUnknown, "unknown: a scratch bucket could not be made (" + plain(err) + ")"
	}
	defer b.removeScratch(context.WithoutCancel(ctx), bucket)
	verdict, why, err := b.tryKeys(ctx, bucket)
	if err != nil {
		return keysUnknown, "unknown: the probe was not finished (" + plain(err) + ")"
	}
	return verdict, why
}

// scratchKey is the object that odd keys must not lead to.
const scratchKey = "a/b"

func (b *Backend) tryKeys(ctx context.Context, bucket string) (keyVerdict, string, error) {
	if status, err := b.status(ctx, http.MethodPut, bucket, scratchKey); err != nil || status != http.StatusOK {
		return keysUnknown, fmt.Sprintf("unknown: a scratch object could not be made (status %d)", status), err
	}
	if status, err := b.status(ctx, http.MethodHead, bucket, scratchKey); err != nil || status != http.StatusOK {
		return keysUnknown, fmt.Sprintf("unknown: the scratch object was not found (status %d)", status), err
	}
	for _, odd := range []string{"x/../a/b", "a/../a/b", "a/./b", "./a/b", "a//b", "/a/b", "../" + bucket + "/a/b"} {
		status, err := b.status(ctx, http.MethodHead, bucket, odd)
		switch {
		case err != nil:
			return keysUnknown, "", err
		case status == http.StatusOK:
			return keysNormalised, fmt.Sprintf("it takes the key %q for another: such keys are refused", strings.ReplaceAll(odd, bucket, "BUCKET")), nil
		case status != http.StatusNotFound && status != http.StatusBadRequest:
			return keysUnknown, fmt.Sprintf("unknown: an odd key was answered with status %d", status), nil
		}
	}
	return b.tryWrites(ctx, bucket)
}

// tryWrites stores odd keys and wants to see exactly them.
func (b *Backend) tryWrites(ctx context.Context, bucket string) (keyVerdict, string, error) {
	want := []string{scratchKey, "c//d", "c/./e", "c/../f"}
	for _, odd := range want[1:] {
		status, err := b.status(ctx, http.MethodPut, bucket, odd)
		switch {
		case err != nil:
			return keysUnknown, "", err
		case status/100 == 5:
			return keysUnknown, fmt.Sprintf("unknown: an odd key was answered with status %d", status), nil
		case status != http.StatusOK:
			return keysNormalised, fmt.Sprintf("it does not take the key %q: such keys are refused", odd), nil
		}
	}
	got, err := b.scratchKeys(ctx, bucket)
	if err != nil {
		return keysUnknown, "", err
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return keysNormalised, "it stores odd keys under other names: such keys are refused", nil
	}
	return keysKept, "it keeps keys byte by byte", nil
}

// status sends a request for an object of the scratch bucket, past the checks
// of Send: odd keys are the point.
func (b *Backend) status(ctx context.Context, method, bucket, key string) (int, error) {
	r := Request{Method: method, Bucket: bucket, Key: key}
	if method == http.MethodPut {
		body := []byte("keystile\n")
		r.Body, r.ContentLength, r.PayloadHash = bytes.NewReader(body), int64(len(body)), sigv4.HashHex(body)
	}
	answer, err := b.sendSoon(ctx, r)
	if err != nil {
		return 0, err
	}
	drop(answer)
	return answer.Status, nil
}

func (b *Backend) sendSoon(ctx context.Context, r Request) (*http1.Response, error) {
	r.AnswerTimeout = checkTimeout
	return b.send(ctx, r)
}

func (b *Backend) scratchKeys(ctx context.Context, bucket string) ([]string, error) {
	answer, err := b.sendSoon(ctx, Request{Method: http.MethodGet, Bucket: bucket, Query: url.Values{"list-type": {"2"}}})
	if err != nil {
		return nil, err
	}
	defer drop(answer)
	if answer.Status != http.StatusOK {
		return nil, b.refusal(answer)
	}
	var list keyList
	if err := readXML(answer.Body, maxAnswer, "ListBucketResult", &list); err != nil {
		return nil, b.unreadable(err)
	}
	keys := make([]string, len(list.Contents))
	for i, c := range list.Contents {
		keys[i] = c.Key
	}
	return keys, nil
}

// removeScratch deletes the bucket of a probe and all that is in it, also when
// the probe was cut short. What cannot be deleted stays behind, recognisable by
// its name.
func (b *Backend) removeScratch(ctx context.Context, bucket string) {
	ctx, cancel := context.WithTimeout(ctx, cleanupTimeout)
	defer cancel()
	keys, err := b.scratchKeys(ctx, bucket)
	if err != nil {
		keys = []string{scratchKey, "c//d", "c/./e", "c/../f"}
	}
	for _, key := range keys {
		if _, err := b.status(ctx, http.MethodDelete, bucket, key); errors.Is(err, context.DeadlineExceeded) {
			return
		}
	}
	_, _ = b.status(ctx, http.MethodDelete, bucket, "")
}
