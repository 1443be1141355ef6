package upstream

import (
	"context"
	"net/http"
	"testing"

	"keystile/internal/keystile"
)

// What a backend answers that is asked for the parts of an upload: that there is no
// such upload is known only where it says so.
func TestPartsOfAnUploadThatIsGone(t *testing.T) {
	f := newFakeS3(t)
	r := newTestRegistry(t, newMemStore(), f.endpoint("fake"))
	b, _ := r.Get("fake")
	for _, tt := range []struct {
		name   string
		status int
		body   string
		known  bool
		parts  int // -1: there is no such upload
	}{
		{"its parts", 200, `<ListPartsResult><Part><PartNumber>3</PartNumber><Size>7</Size></Part></ListPartsResult>`, true, 1},
		{"none yet", 200, `<ListPartsResult></ListPartsResult>`, true, 0},
		{"no such upload", 404, `<Error><Code>NoSuchUpload</Code></Error>`, true, -1},
		{"no such upload, as Ceph 16 says it", 404, `<Error><Code>NoSuchKey</Code></Error>`, true, -1},
		{"no such bucket", 404, `<Error><Code>NoSuchBucket</Code></Error>`, false, 0},
		{"nothing there, without a word", 404, "", false, 0},
		{"denied", 403, `<Error><Code>AccessDenied</Code></Error>`, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.change(func() {
				f.intervene = func(w http.ResponseWriter, _ seen) bool {
					w.WriteHeader(tt.status)
					_, _ = w.Write([]byte(tt.body))
					return true
				}
			})
			upload := keystile.PendingUpload{Key: "k", UploadID: "u"}
			parts, err := b.Parts(context.Background(), "pics", upload)
			if known := err == nil; known != tt.known || (parts == nil) != (tt.parts < 0 || !tt.known) || len(parts) != max(tt.parts, 0) {
				t.Errorf("got %v, %v", parts, err)
			}
			part, there, err := b.Part(context.Background(), "pics", upload, 3)
			if known := err == nil; known != tt.known || there != (tt.parts > 0) || there && part.Size != 7 {
				t.Errorf("got %+v, %v, %v", part, there, err)
			}
		})
	}
}
