package s3proxy_test

import (
	"strings"
	"testing"

	"keystile/internal/keystile"
)

// refusals are all pairs, by what they are about.
func refusals() map[string][]pair {
	return map[string][]pair{
		"scope": scopePairs, "alias": aliasPairs, "host": hostPairs, "address": addressPairs, "permission": permissionPairs, "signature": signaturePairs, "key": keyPairs,
		"presigned": presignedPairs, "chunks": chunkPairs, "query": queryPairs, "header": headerPairs, "body": bodyPairs,
		"administration": administrationPairs(),
	}
}

// enough is how many pairs there are at the least, those not counted that are
// made from the table of operations.
const enough = 150

func TestThereAreEnoughRefusals(t *testing.T) {
	written, made := 0, 0
	seen := map[string]bool{}
	for area, pairs := range refusals() {
		for _, p := range pairs {
			if seen[p.name] {
				t.Errorf("%q stands twice", p.name)
			}
			seen[p.name] = true
		}
		if area == "administration" {
			made += len(pairs)
		} else {
			written += len(pairs)
		}
	}
	t.Logf("%d pairs of an allowed and a refused request, and %d more from the table of operations", written, made)
	if written < enough {
		t.Errorf("there are fewer than %d", enough)
	}
}

func TestRefusals(t *testing.T) {
	for area, pairs := range refusals() {
		for _, p := range pairs {
			t.Run(area+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				p.try(t)
			})
		}
	}
}

func (p pair) try(t *testing.T) {
	g := newGateway(t)
	for _, key := range []string{"a.txt", "in/a.txt", "pub/a.txt", "free/a.txt", "mine/a.txt"} {
		g.backend.PutObject("uploads", key, []byte("hello"))
	}
	g.backend.PutObject("payroll", "a.txt", []byte("secret"))
	for _, key := range []string{"2025/a.txt", "2026/a.txt", "20260/a.txt"} {
		g.backend.PutObject("reports", key, []byte("report"))
	}
	k := g.mint(p.grants...)
	if r := g.do(k, p.allowed); r.status >= 300 {
		t.Fatalf("the allowed request got %d %s %s", r.status, r.code, r.message)
	}
	if g.backend.Count() == 0 {
		t.Fatal("the backend never saw the allowed request")
	}
	g.backend.Reset()
	r := g.do(k, p.forbidden)
	if r.status != p.status || (r.code != p.code && p.forbidden.method != head) {
		t.Errorf("the forbidden request got %d %s %q, want %d %s", r.status, r.code, r.message, p.status, p.code)
	}
	if r.message == "" && p.forbidden.method != head {
		t.Error("the message is empty")
	}
	g.backendSaw(0)
	g.refusalIsRecorded(p.status)
}

// backendSaw fails unless the backend was asked n times since the last Reset.
func (g *gateway) backendSaw(n int) {
	g.t.Helper()
	g.backend.Wait()
	for _, r := range g.backend.Requests() {
		if n == 0 {
			g.t.Errorf("the backend saw %s %s?%s", r.Method, r.Path, r.Query)
		}
	}
	if got := g.backend.Count(); got != n {
		g.t.Errorf("the backend saw %d requests, want %d", got, n)
	}
}

func (g *gateway) refusalIsRecorded(status int) {
	g.t.Helper()
	events := g.events(keystile.EventFilter{ActionPrefix: "s3.proxy."})
	if len(events) == 0 || events[0].Status != status {
		g.t.Fatalf("the refusal is not the newest event: %+v", events)
	}
	if r := events[0].Result; r != keystile.ResultDenied && r != keystile.ResultError {
		g.t.Errorf("the refusal is recorded as %q", r)
	}
	if strings.Contains(events[0].Detail.Message, "\n") || events[0].RequestID == "" || events[0].SourceIP == "" {
		g.t.Errorf("the event is incomplete: %+v", events[0])
	}
}
