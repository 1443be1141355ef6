package upstream

import (
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keystile/internal/keystile"
)

var doubleSlash = regexp.MustCompile(`//+`)

// Ways in which servers resolve keys.
func cleaned(key string) string { return strings.TrimPrefix(path.Clean("/"+key), "/") }
func merged(key string) string  { return doubleSlash.ReplaceAllString(key, "/") }

func dotless(key string) string {
	return strings.ReplaceAll(strings.TrimPrefix(key, "./"), "/./", "/")
}

func TestProbeKeys(t *testing.T) {
	refuse := func(status int, when func(seen) bool) func(http.ResponseWriter, seen) bool {
		return func(w http.ResponseWriter, s seen) bool {
			if when(s) {
				s3Error(w, status, "Whatever")
				return true
			}
			return false
		}
	}
	odd := func(s seen) bool { return strings.Contains(s.target, "%2E") || strings.Contains(s.target, "//") }
	on := func(method, part string) func(seen) bool {
		return func(s seen) bool { return s.method == method && strings.Contains(s.target, part) }
	}
	tests := []struct {
		name      string
		resolve   func(string) string
		intervene func(http.ResponseWriter, seen) bool
		want      keystile.Verdict
	}{
		{"keeps", nil, nil, keystile.Yes},
		{"cleans paths", cleaned, nil, keystile.No},
		{"merges slashes", merged, nil, keystile.No},
		{"drops dots", dotless, nil, keystile.No},
		{"refuses odd keys", nil, refuse(400, odd), keystile.No},
		{"stores under another name", func(key string) string { return strings.Replace(key, "c//", "c/", 1) }, nil, keystile.No},
		{"denies odd keys", nil, refuse(403, odd), keystile.Unknown},
		{"fails on odd keys", nil, refuse(500, odd), keystile.Unknown},
		{"fails on writing odd keys", nil, refuse(503, on("PUT", "c//d")), keystile.Unknown},
		{"makes no bucket", nil, refuse(403, on("PUT", scratchPrefix)), keystile.Unknown},
		{"stores nothing", nil, refuse(507, on("PUT", "/a/b")), keystile.Unknown},
		{"finds nothing", nil, refuse(404, on("HEAD", "")), keystile.Unknown},
		{"lists nothing", nil, refuse(500, on("GET", "list-type")), keystile.Unknown},
		{"redirects", nil, refuse(307, on("HEAD", "x/%2E%2E")), keystile.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeS3(t)
			f.resolve, f.intervene = tt.resolve, tt.intervene
			finding := f.backend(t, nil).probe(t.Context(), noBook{}, nil).abilities[keystile.KeepsKeys]
			verdict, why := finding.Verdict, finding.Note
			f.noFaults(t)
			if verdict != tt.want || why == "" {
				t.Errorf("verdict %d (%s), want %d", verdict, why, tt.want)
			}
			if strings.Contains(why, scratchPrefix) || finding.At.IsZero() != (tt.want == keystile.Unknown) {
				t.Errorf("finding %q", why)
			}
			if left := f.names(); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// A probe touches nothing but its own bucket (it looks for reserved names), and never sends a dot segment
// decoded.
func TestProbeStaysInItsBucket(t *testing.T) {
	f := newFakeS3(t)
	f.buckets["precious"] = map[string]bool{"a/b": true}
	f.backend(t, nil).probe(t.Context(), noBook{}, nil)
	for _, s := range f.seen() {
		if reads := s.method == http.MethodGet && slices.Contains(keystile.ReservedNames(), strings.TrimSuffix(s.target[1:], "?max-keys=1")); reads {
			continue
		}
		if !strings.HasPrefix(s.target, "/"+scratchPrefix) {
			t.Errorf("sent %+v", s)
		}
		target, _, _ := strings.Cut(s.target, "?")
		if path.Clean(merged(target)) != strings.TrimSuffix(merged(target), "/") {
			t.Errorf("plain dot segment in %s", s.target)
		}
	}
	if !f.buckets["precious"]["a/b"] || len(f.buckets) != 1 {
		t.Errorf("buckets are now %v", f.names())
	}
}

func TestCutShortProbeCleansUp(t *testing.T) {
	f := newFakeS3(t)
	f.intervene = func(w http.ResponseWriter, s seen) bool {
		if s.method == http.MethodHead {
			raw("")(w, nil)
			return true
		}
		return false
	}
	got := f.backend(t, nil).probe(t.Context(), noBook{}, nil)
	if got.complete || got.abilities[keystile.KeepsKeys].Verdict != keystile.Unknown {
		t.Errorf("found %+v", got)
	}
	if left := f.names(); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRunProbesWhatIsNotProven(t *testing.T) {
	f := newFakeS3(t)
	m := newMemStore()
	run(t, newTestRegistry(t, m, f.endpoint("fake")))
	eventually(t, "a saved proof", func() bool { return keeps(m.proof("fake").Abilities) })
	want := fingerprint(f.describe("fake"))
	if got := m.proof("fake"); got.Fingerprint != want {
		t.Errorf("proof %+v", got)
	}
}

func TestRunTrustsAProofInForce(t *testing.T) {
	f := newFakeS3(t)
	f.resolve = cleaned
	m := newMemStore()
	first := newTestRegistry(t, m, f.endpoint("fake"))
	report := first.Test(t.Context(), f.describe("fake"), keystile.Secret{})
	if !report.OK || keeps(report.Abilities) || m.proof("fake").Fingerprint == "" {
		t.Fatalf("report %+v, proof %+v", report, m.proof("fake"))
	}
	before := len(f.seen())
	second := newTestRegistry(t, m, f.endpoint("fake"))
	must(t, second.Sync(t.Context()))
	run(t, second)
	eventually(t, "three checks", func() bool { return len(f.seen()) >= before+3 })
	for _, s := range f.seen()[before:] {
		if s.method != http.MethodGet || s.target != "/" {
			t.Errorf("probed again: %+v", s)
		}
	}
}
