package s3wire_test

import (
	"strings"
	"testing"

	"keystile/internal/s3wire"
)

func TestWithoutPartChecksums(t *testing.T) {
	canonical, err := s3wire.CanonicalComplete(complete(
		part("1", "&quot;e&quot;", "<ChecksumCRC32>one</ChecksumCRC32><ChecksumSHA256>two</ChecksumSHA256>") + part("7", "f", "")))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		drop string
		want string
	}{
		{"none", "", string(canonical)},
		{"one kind", "CRC32", strings.Replace(string(canonical), "<ChecksumCRC32>one</ChecksumCRC32>", "", 1)},
		{"a kind whose name begins another's", "CRC32C", string(canonical)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s3wire.WithoutPartChecksums(canonical, func(part int, algorithm string) bool { return part == 1 && algorithm == tt.drop })
			if err != nil || string(got) != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}
