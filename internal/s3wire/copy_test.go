package s3wire_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"keystile/internal/s3wire"
)

func TestTransferSplitsTheHeadersOfACopy(t *testing.T) {
	req := s3wire.Request{Op: find(t, s3wire.OpCopyObject)}
	h := http.Header{}
	for name, value := range map[string]string{
		"X-Amz-Copy-Source-If-Match": `"e"`, "X-Amz-Copy-Source-If-Unmodified-Since": "d", "X-Amz-Storage-Class": "GLACIER",
		"X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key": "theirs", "X-Amz-Server-Side-Encryption-Customer-Key": "mine",
		"X-Amz-Metadata-Directive": "REPLACE", "X-Amz-Tagging-Directive": "COPY", "X-Amz-Checksum-Algorithm": "CRC32",
		"X-Amz-Request-Payer": "requester", "If-None-Match": "*", "Range": "bytes=0-0", "If-Modified-Since": "d",
	} {
		h.Set(name, value)
	}
	got, err := req.Transfer(h)
	if err != nil {
		t.Fatal(err)
	}
	want := s3wire.Transfer{
		KeepTags: true,
		Read: http.Header{
			"If-Match": {`"e"`}, "If-Unmodified-Since": {"d"}, "X-Amz-Server-Side-Encryption-Customer-Key": {"theirs"},
			"X-Amz-Checksum-Mode": {"ENABLED"}, "X-Amz-Request-Payer": {"requester"},
		},
		Write: http.Header{
			"X-Amz-Storage-Class": {"GLACIER"}, "X-Amz-Server-Side-Encryption-Customer-Key": {"mine"},
			"X-Amz-Request-Payer": {"requester"}, "If-None-Match": {"*"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func find(t *testing.T, name string) *s3wire.Operation {
	t.Helper()
	for _, op := range s3wire.Operations() {
		if op.Name == name {
			return &op
		}
	}
	t.Fatalf("no row %s", name)
	return nil
}

// TestTransfersWriteOnlyWhatTheirRowLists: the two requests of a copy must be
// ones that the table describes.
func TestTransfersWriteOnlyWhatTheirRowLists(t *testing.T) {
	for copying, writing := range map[string]string{s3wire.OpCopyObject: "PutObject", s3wire.OpUploadPartCopy: s3wire.OpUploadPart} {
		req := s3wire.Request{Op: find(t, copying)}
		h := http.Header{}
		for _, name := range req.Op.Headers {
			if name != "x-amz-copy-source" && !strings.HasSuffix(name, "-directive") && name != "x-amz-copy-source-range" {
				h.Set(name, "v")
			}
		}
		transfer, err := req.Transfer(h)
		if err != nil {
			t.Fatal(err)
		}
		for header, row := range map[*http.Header]string{&transfer.Read: s3wire.OpGetObject, &transfer.Write: writing} {
			for name := range *header {
				listed := strings.Join(find(t, row).Headers, " ") + " " + strings.Join(find(t, row).Standard, " ")
				// The owner's headers are taken out before.
				if !strings.Contains(" "+strings.ToLower(listed)+" ", " "+strings.ToLower(name)+" ") && !strings.Contains(name, "Expected-Bucket-Owner") {
					t.Errorf("%s sends %s to %s", copying, name, row)
				}
			}
		}
	}
}

func TestSourceChecksumsHoldForTheWholeObject(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer http.Header
		want   string
	}{
		{"none", http.Header{}, ""},
		{"of the whole", http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA=="}, "X-Amz-Checksum-Type": {"FULL_OBJECT"}}, "X-Amz-Checksum-Crc32"},
		{"of a backend that tells no type", http.Header{"X-Amz-Checksum-Sha256": {"AA=="}}, "X-Amz-Checksum-Sha256"},
		{"of its parts", http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA=="}, "X-Amz-Checksum-Type": {"COMPOSITE"}}, ""},
		{"of its parts, by their count", http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA==-3"}}, ""},
	} {
		if name, _ := s3wire.SourceChecksum(tt.answer); name != tt.want {
			t.Errorf("%s: %q", tt.name, name)
		}
	}
}

func TestTagsBecomeAHeader(t *testing.T) {
	got, err := s3wire.TaggingHeader([]byte(`<Tagging><TagSet><Tag><Key>a b</Key><Value>&amp;=</Value></Tag><Tag><Key>c</Key><Value></Value></Tag></TagSet></Tagging>`))
	if err != nil || got != "a+b=%26%3D&c=" {
		t.Errorf("%q %v", got, err)
	}
	for _, body := range []string{"", "<Tagging", "<Other/>"} {
		if _, err := s3wire.TaggingHeader([]byte(body)); err == nil {
			t.Errorf("%q is taken for tags", body)
		}
	}
}

func TestCopyResults(t *testing.T) {
	req := s3wire.Request{Op: find(t, s3wire.OpUploadPartCopy)}
	got := string(req.CopyResult(http.Header{"Etag": {`"e"`}, "X-Amz-Checksum-Crc64nvme": {"c"}}, time.Unix(0, 0)))
	want := `<LastModified>1970-01-01T00:00:00.000Z</LastModified><ETag>&#34;e&#34;</ETag><ChecksumCRC64NVME>c</ChecksumCRC64NVME></CopyPartResult>`
	if !strings.HasSuffix(got, want) {
		t.Errorf("%s", got)
	}
}
