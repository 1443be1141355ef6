package s3proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"keystile/internal/payload"
)

// TestWhatIsToldOfChecksums: the declared one, and only where the backend says
// nothing of any.
func TestWhatIsToldOfChecksums(t *testing.T) {
	declared := payload.CRC32.Sum([]byte("hello"))
	for _, tt := range []struct {
		name   string
		answer http.Header
		told   int
	}{
		{"nothing", http.Header{"Etag": {"e"}}, 2},
		{"one of another kind", http.Header{"X-Amz-Checksum-Crc64nvme": {"AAAAAAAAAAA="}}, 1},
		{"another of that kind", http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA=="}}, 1},
		{"only what kind it would be", http.Header{"X-Amz-Checksum-Type": {"FULL_OBJECT"}}, 1},
	} {
		r, err := payload.NewReader(strings.NewReader("hello"), payload.Declared{
			Length: 5, EncodedLength: 5, Checksums: []payload.Checksum{declared}, Compute: payload.CRC64NVME,
		})
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		if err != nil {
			t.Fatal(err)
		}
		before := tt.answer.Clone()
		a := &answer{header: tt.answer}
		(&exchange{vouched: &body{Reader: r}}).tellVerified(a)
		if len(a.header) != tt.told {
			t.Errorf("beside %s: told %v", tt.name, a.header)
		}
		for name := range before {
			if a.header.Get(name) != before.Get(name) {
				t.Errorf("beside %s: %s became %s", tt.name, name, a.header.Get(name))
			}
		}
		if tt.told == 2 && a.header.Get(declared.Algorithm.Header()) != declared.Value {
			t.Errorf("beside %s: told %v, want %s", tt.name, a.header, declared.Value)
		}
	}
}
