package upstream

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// scratch is where a probe writes: a bucket of its own, or under a prefix in
// another's. It is noted in the store before anything is made there, so that what
// a killed process left behind is known to be ours, and removed.
type scratch struct {
	Backend     string    `json:"backend"`
	Fingerprint string    `json:"fingerprint"`
	Bucket      string    `json:"bucket"`
	Prefix      string    `json:"prefix,omitempty"`
	Process     string    `json:"process"`
	At          time.Time `json:"at"`
}

const (
	// scratchSetting keeps the places that are in use, or were left behind.
	scratchSetting = "probes.scratch"
	// maxScratch bounds them. The oldest are forgotten, and stay where they are.
	maxScratch = 100
	// scratchLife is longer than any probe: by then another replica's has ended.
	scratchLife = 3 * testTimeout
)

// newProcessName tells the places of this process from others'.
func newProcessName() string { return strings.ToLower(rand.Text()[:12]) }

// book notes where probes write.
type book interface {
	// begins notes a place before it is made. On an error it must not be.
	begins(ctx context.Context, s scratch) error
	// ended forgets a place of which nothing is left.
	ended(ctx context.Context, s scratch)
}

var _ book = (*Registry)(nil)

func (r *Registry) begins(ctx context.Context, s scratch) error {
	s.Process = r.process
	return r.changeScratch(ctx, func(list []scratch) []scratch {
		list = append(list, s)
		return list[max(0, len(list)-maxScratch):]
	})
}

func (r *Registry) ended(ctx context.Context, s scratch) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	err := r.changeScratch(ctx, func(list []scratch) []scratch {
		return slices.DeleteFunc(list, func(o scratch) bool { return o.Bucket == s.Bucket && o.Prefix == s.Prefix })
	})
	if err != nil {
		r.opts.Log.Warn("that a probe's scratch place is gone could not be noted", "backend", s.Backend, "error", err)
	}
}

func (r *Registry) changeScratch(ctx context.Context, change func([]scratch) []scratch) error {
	return r.opts.Store.Write(ctx, func(tx store.Tx) error {
		list, err := readScratch(tx)
		if err != nil {
			return err
		}
		text, err := json.Marshal(change(list))
		if err != nil {
			return err
		}
		return tx.SetSetting(scratchSetting, string(text))
	})
}

func readScratch(tx store.Tx) (list []scratch, err error) {
	text, err := tx.Setting(scratchSetting)
	if errors.Is(err, keystile.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return list, json.Unmarshal([]byte(text), &list)
}

// leftovers lists what earlier processes noted of the backend and never forgot.
func (r *Registry) leftovers(ctx context.Context, b *Backend) (left []scratch) {
	err := r.opts.Store.Read(ctx, func(tx store.Tx) error {
		list, err := readScratch(tx)
		for _, s := range list {
			if s.Backend == b.info.ID && s.Fingerprint == fingerprint(b.info) && s.Process != r.process {
				left = append(left, s)
			}
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		r.opts.Log.Warn("what probes left behind could not be looked up", "backend", b.info.ID, "error", err)
	}
	return left
}

// sweep removes leftovers, and returns those that another replica may still be
// at work on.
func (r *Registry) sweep(ctx context.Context, b *Backend, left []scratch) []scratch {
	return slices.DeleteFunc(left, func(s scratch) bool {
		if !r.opts.Alone && b.now().Sub(s.At) < scratchLife {
			return false
		}
		t := &trial{b: b, bucket: s.Bucket, prefix: s.Prefix, own: s.Prefix == "", uploads: map[string]string{}}
		t.findUploads(ctx)
		gone := t.remove(ctx)
		r.opts.Log.Info("what a probe of an earlier process left behind was removed", "backend", b.info.ID, "bucket", s.Bucket, "all", gone)
		if gone {
			r.ended(ctx, s)
		}
		return true
	})
}

// findUploads looks for uploads that were begun in the scratch place. Without a
// list, whatever it is for, the backend removes them with the bucket or keeps it.
func (t *trial) findUploads(ctx context.Context) {
	query := url.Values{"uploads": {""}}
	if t.prefix != "" {
		query.Set("prefix", t.prefix)
	}
	answer, err := t.b.sendSoon(ctx, Request{Method: http.MethodGet, Bucket: t.bucket, Query: query})
	if err != nil {
		return
	}
	defer drop(answer)
	var list struct {
		Upload []struct{ Key, UploadId string }
	}
	if answer.Status != http.StatusOK || readXML(answer.Body, maxAnswer, &list, "ListMultipartUploadsResult") != nil {
		return
	}
	for _, u := range list.Upload {
		if key, ok := strings.CutPrefix(u.Key, t.prefix); ok {
			t.uploads[u.UploadId] = key
		}
	}
}
