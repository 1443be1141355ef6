package payload

import (
	"encoding/base64"
	"encoding/hex"
	"testing"
)

// TestXXHashVectors: the sums of "" and "abc" as xxHash publishes them, in the
// canonical order of their bytes, which is that of the base64 in S3's headers.
func TestXXHashVectors(t *testing.T) {
	for _, tt := range []struct {
		a     Algorithm
		data  string
		plain string
	}{
		{XXHASH64, "", "ef46db3751d8e999"},
		{XXHASH64, "abc", "44bc2cf5ad770999"},
		{XXHASH3, "", "2d06800538d394c2"},
		{XXHASH3, "abc", "78af5f94892f3950"},
		{XXHASH128, "", "99aa06d3014798d86001c324468d497f"},
		{XXHASH128, "abc", "06b05ab6733a618578af5f94892f3950"},
	} {
		sum, err := hex.DecodeString(tt.plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := tt.a.Sum([]byte(tt.data)).Value, base64.StdEncoding.EncodeToString(sum); got != want {
			t.Errorf("%s of %q is %s, want %s", tt.a, tt.data, got, want)
		}
	}
}

// TestEveryAlgorithmIsWhole: each has a hash of the length that is decoded.
func TestEveryAlgorithmIsWhole(t *testing.T) {
	for _, a := range Algorithms() {
		h := a.newHash()
		if h == nil || h.Size() != a.size() || len(h.Sum(nil)) != a.size() {
			t.Errorf("%s: %v, size %d", a, h, a.size())
		}
		if found, ok := AlgorithmOf(a.Header()); !ok || found != a {
			t.Errorf("%s is not found by %s", a, a.Header())
		}
	}
}
