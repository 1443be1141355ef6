package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// How long what a backend says of a bucket's CORS rules is believed.
const (
	corsFresh   = time.Minute
	corsRetry   = 5 * time.Second // after a question that got no answer
	corsTimeout = 5 * time.Second // for one
	maxCORSXML  = 64 << 10        // S3's own bound
)

// corsTable is what is chosen for buckets, and what their backends said. It is
// replaced whole, so that it never holds more than was chosen.
type corsTable struct {
	buckets map[keystile.Bucket]*corsEntry
	byName  map[string][]keystile.Bucket
}

// corsEntry is one bucket's choice. The rules of a backend are asked for by one
// request at a time.
type corsEntry struct {
	choice keystile.BucketCORS

	asking sync.Mutex
	mu     sync.Mutex
	rules  []keystile.CORSRule
	until  time.Time
}

func newCORSTable(choices []keystile.BucketCORS, old *corsTable) *corsTable {
	t := &corsTable{buckets: map[keystile.Bucket]*corsEntry{}, byName: map[string][]keystile.Bucket{}}
	for _, c := range choices {
		e := &corsEntry{choice: c}
		if have := old.buckets[c.Bucket]; have != nil && have.choice.Mode == c.Mode && have.choice.UpdatedAt.Equal(c.UpdatedAt) {
			e = have
		}
		t.buckets[c.Bucket] = e
		t.byName[c.Bucket.Name] = append(t.byName[c.Bucket.Name], c.Bucket)
	}
	return t
}

// syncCORS takes over what the store says of CORS.
func (r *Registry) syncCORS(ctx context.Context) error {
	var choices []keystile.BucketCORS
	err := r.opts.Store.Read(ctx, func(tx store.Tx) (err error) {
		choices, err = tx.AllBucketCORS()
		return err
	})
	if err != nil {
		return fmt.Errorf("CORS of buckets: %w", err)
	}
	r.cors.Store(newCORSTable(choices, r.cors.Load()))
	return nil
}

// CORSNamed lists the buckets of that real name, on any backend, that have CORS
// switched on.
func (r *Registry) CORSNamed(name string) []keystile.Bucket { return r.cors.Load().byName[name] }

// CORS returns the rules of a bucket; false where CORS is off. Rules of a
// backend are asked for with its admin key and kept for a minute. While it does
// not answer, those of before hold; without any, none.
func (r *Registry) CORS(ctx context.Context, bucket keystile.Bucket) ([]keystile.CORSRule, bool) {
	e := r.cors.Load().buckets[bucket]
	if e == nil {
		return nil, false
	}
	if e.choice.Mode == keystile.CORSGateway {
		return e.choice.Rules, true
	}
	now := r.opts.Now()
	if rules, fresh := e.known(now); fresh {
		return rules, true
	}
	e.asking.Lock()
	defer e.asking.Unlock()
	if rules, fresh := e.known(now); fresh {
		return rules, true
	}
	rules, err := r.askCORS(ctx, bucket)
	if ctx.Err() != nil {
		known, _ := e.known(now)
		return known, true
	}
	return e.keep(rules, err, r.opts.Now()), true
}

func (e *corsEntry) known(now time.Time) (rules []keystile.CORSRule, fresh bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.rules, now.Before(e.until)
}

func (e *corsEntry) keep(rules []keystile.CORSRule, err error, now time.Time) []keystile.CORSRule {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		e.until = now.Add(corsRetry)
		return e.rules
	}
	e.rules, e.until = rules, now.Add(corsFresh)
	return rules
}

func (r *Registry) askCORS(ctx context.Context, bucket keystile.Bucket) ([]keystile.CORSRule, error) {
	b, ok := r.Get(bucket.Backend)
	if !ok {
		return nil, keystile.ErrNotFound
	}
	ctx, cancel := context.WithTimeout(ctx, corsTimeout)
	defer cancel()
	answer, err := b.Send(ctx, Request{Method: http.MethodGet, Bucket: bucket.Name, Query: url.Values{"cors": {""}}, AnswerTimeout: corsTimeout})
	if err != nil {
		return nil, err
	}
	defer drop(answer)
	answer.Limit(corsTimeout)
	if answer.Status == http.StatusNotFound {
		return nil, nil // NoSuchCORSConfiguration, or no bucket
	}
	if answer.Status != http.StatusOK {
		return nil, b.refusal(answer)
	}
	var found corsAnswer
	if err := readXML(answer.Body, maxCORSXML, &found, "CORSConfiguration"); err != nil {
		return nil, b.unreadable(err)
	}
	return found.rules()
}

// corsAnswer is a bucket's configuration (S3 API Reference, "GetBucketCors").
type corsAnswer struct {
	Rules []struct {
		ID            string
		AllowedOrigin []string
		AllowedMethod []string
		AllowedHeader []string
		ExposeHeader  []string
		MaxAgeSeconds int
	} `xml:"CORSRule"`
}

// rules takes the configuration over, whole or not at all: half of it could
// allow what its first rules were to forbid.
func (a corsAnswer) rules() ([]keystile.CORSRule, error) {
	var rules []keystile.CORSRule
	for _, r := range a.Rules {
		rules = append(rules, keystile.CORSRule{
			ID: r.ID, AllowedOrigins: r.AllowedOrigin, AllowedMethods: r.AllowedMethod,
			AllowedHeaders: r.AllowedHeader, ExposeHeaders: r.ExposeHeader, MaxAgeSeconds: r.MaxAgeSeconds,
		})
	}
	if len(rules) == 0 {
		return nil, nil
	}
	whole := keystile.BucketCORS{Mode: keystile.CORSGateway, Rules: rules}
	if err := whole.Check(); err != nil {
		return nil, errors.Join(ErrBadAnswer, err)
	}
	return rules, nil
}
