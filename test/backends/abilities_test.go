package backends_test

import (
	"net/http"
	"strings"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3test"
	"keystile/internal/upstream"
)

// proofs is a set of abilities by name.
func proofs(names string) map[string]bool {
	set := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		set[name] = true
	}
	return set
}

const allChecksums = " keeps_checksums checksum_crc32 checksum_crc32c checksum_crc64nvme checksum_sha1 checksum_sha256 checksum_sha512 checksum_md5 checksum_xxhash64 checksum_xxhash3 checksum_xxhash128 "

// TestAbilities probes servers whose abilities are known.
func TestAbilities(t *testing.T) {
	become := func(c s3test.Character) func(t *testing.T) upstream.Endpoint {
		return func(t *testing.T) upstream.Endpoint {
			s := s3test.New(t)
			s.Become(c)
			return endpointOf(s.URL)
		}
	}
	for _, tt := range []struct {
		name  string
		start func(t *testing.T) upstream.Endpoint
		want  string
	}{
		{"ceph", startCeph, "keeps_keys stores_only_whole checks_digest checks_md5 if_none_match"},
		{"embedded", startEmbedded, "stores_only_whole checks_digest checks_md5 trailers if_none_match if_match conditional_complete complete_if_match delete_if_match no_own_names" + allChecksums},
		{"versitygw as it comes", startVersity, "checks_digest checks_md5 trailers if_none_match if_match conditional_complete complete_if_match delete_if_match no_own_names" + allChecksums},
		{"one that verifies nothing", become(s3test.Character{}), "keeps_checksums keeps_keys stores_only_whole if_none_match no_own_names"},
		{"one that verifies all", become(s3test.Character{Verifies: true}), "keeps_keys stores_only_whole checks_digest checks_md5 trailers if_none_match no_own_names" + allChecksums},
		{"one that refuses and stores", become(s3test.Character{Verifies: true, Lies: true}), "keeps_checksums keeps_keys stores_only_whole if_none_match no_own_names"},
		{"one that stores what arrived", become(s3test.Character{Truncates: true}), "keeps_checksums keeps_keys if_none_match no_own_names"},
		{"one that verifies what arrived", become(s3test.Character{Verifies: true, Truncates: true}), "keeps_keys checks_digest checks_md5 trailers if_none_match no_own_names" + allChecksums},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := tt.start(t)
			registry := registryOf(t, e)
			before, err := registry.Buckets(t.Context(), "prod")
			must(t, err)
			report := registry.Test(t.Context(), e.Backend, keystile.Secret{})
			if !report.OK {
				t.Fatalf("the test failed: %+v", report.Steps)
			}
			want := proofs(tt.want)
			for _, a := range keystile.AllAbilities() {
				f := report.Abilities[a]
				if (f.Verdict == keystile.Yes) != want[a.String()] || f.Verdict == keystile.Unknown {
					t.Errorf("%s: %s (%s)", a, f.Verdict, f.Note)
				}
			}
			after, err := registry.Buckets(t.Context(), "prod")
			must(t, err)
			if tt.name != "ceph" && len(after) != len(before) { // others use the Ceph meanwhile
				t.Errorf("buckets before: %v, after: %v", before, after)
			}
		})
	}
}

// TestProbeGoesOn: what answers the beginning of an upload with what is no answer
// is tried for all else, and nothing is believed of it that was not seen.
func TestProbeGoesOn(t *testing.T) {
	s := s3test.New(t)
	s.Inject(s3test.Answer(200, "<Strange/>").When(func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("uploads") }))
	e := endpointOf(s.URL)
	report := registryOf(t, e).Test(t.Context(), e.Backend, keystile.Secret{})
	for a, want := range map[keystile.Ability]keystile.Verdict{
		keystile.IfNoneMatch: keystile.Yes, keystile.KeepsChecksums: keystile.Yes, keystile.NoOwnNames: keystile.Yes,
		keystile.ConditionalComplete: keystile.Unknown, keystile.ChecksMD5: keystile.Unknown,
	} {
		if f := report.Abilities[a]; f.Verdict != want {
			t.Errorf("%s: %s (%s), want %s", a, f.Verdict, f.Note, want)
		}
	}
}

// TestScratchPrefix probes under a prefix, and leaves nothing there.
func TestScratchPrefix(t *testing.T) {
	for _, tt := range []struct {
		name  string
		start func(t *testing.T) upstream.Endpoint
		want  string
	}{
		{"ceph", startCeph, "keeps_keys stores_only_whole checks_digest checks_md5 if_none_match"},
		{"embedded", startEmbedded, "stores_only_whole checks_digest checks_md5 trailers if_none_match if_match conditional_complete complete_if_match delete_if_match no_own_names" + allChecksums},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := tt.start(t)
			bucket := newBucket(t, registryOf(t, e))
			e.Backend.Scratch = bucket + "/probes/here"
			registry := registryOf(t, e)
			b, _ := registry.Get("prod")
			must(t, putDirect(t, b, bucket, "precious", []byte("mine")))
			report := registry.Test(t.Context(), e.Backend, keystile.Secret{})
			for _, a := range keystile.AllAbilities() {
				if f := report.Abilities[a]; (f.Verdict == keystile.Yes) != proofs(tt.want)[a.String()] {
					t.Errorf("%s: %s (%s)", a, f.Verdict, f.Note)
				}
			}
			if got := listDirect(t, b, bucket); len(got) != 1 || got[0] != "precious" {
				t.Errorf("left in the bucket: %q", got)
			}
			if uploads := uploadsDirect(t, b, bucket); strings.Contains(uploads, "<Upload>") {
				t.Errorf("left uploads: %s", uploads)
			}
		})
	}
}
