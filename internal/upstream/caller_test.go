package upstream

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/sigv4"
)

// TestCallerRefusals: what an S3 error amounts to, for the backend's own key and
// for a user's.
func TestCallerRefusals(t *testing.T) {
	f := newFakeS3(t)
	r := newTestRegistry(t, newMemStore(), f.endpoint("fake"))
	b, _ := r.Get("fake")
	user := sigv4.NewSigner("AKIAUSER", "the-users-own-secret", testRegion, "s3")
	const root = "DeleteResult"
	for _, tt := range []struct {
		name      string
		status    int
		body      string
		own, user error // of the backend's key, and of a user's
	}{
		{"a success", 200, "<DeleteResult></DeleteResult>", nil, nil},
		{"an error within a 200", 200, "<Error><Code>NoSuchUpload</Code></Error>", keystile.ErrNotFound, keystile.ErrNotFound},
		{"another document", 200, "<html></html>", ErrBadAnswer, ErrBadAnswer},
		{"nothing", 200, "", ErrBadAnswer, ErrBadAnswer},
		{"denied", 403, "<Error><Code>AccessDenied</Code></Error>", ErrRefused, keystile.ErrDenied},
		{"denied without a word", 403, "", ErrRefused, keystile.ErrDenied},
		{"over a quota", 403, "<Error><Code>QuotaExceeded</Code></Error>", keystile.ErrDenied, keystile.ErrDenied},
		{"full", 409, "<Error><Code>BucketNotEmpty</Code></Error>", keystile.ErrNotEmpty, keystile.ErrNotEmpty},
		{"a range that there is not", 416, "<Error><Code>InvalidRange</Code></Error>", keystile.ErrRange, keystile.ErrRange},
		{"a range that there is not, without a word", 416, "", keystile.ErrRange, keystile.ErrRange},
		{"gone without a word", 404, "", keystile.ErrNotFound, keystile.ErrNotFound},
		{"not known", 501, "<Error><Code>NotImplemented</Code></Error>", keystile.ErrInvalid, keystile.ErrInvalid},
		{"in trouble", 503, "<Error><Code>SlowDown</Code></Error>", keystile.ErrUnavailable, keystile.ErrUnavailable},
		{"a code nobody knows", 400, "<Error><Code>Weird</Code></Error>", keystile.ErrUnavailable, keystile.ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.change(func() {
				f.intervene = func(w http.ResponseWriter, _ seen) bool {
					w.WriteHeader(tt.status)
					_, _ = w.Write([]byte(tt.body))
					return true
				}
			})
			for who, c := range map[string]Caller{"own": b.Caller(nil), "user": b.Caller(user)} {
				want := tt.own
				if who == "user" {
					want = tt.user
				}
				request := Request{Method: http.MethodPost, Bucket: "pics", Query: url.Values{"delete": {""}}}
				var v struct{}
				err := c.Read(context.Background(), request, []byte("<Delete></Delete>"), &v, root)
				if !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", who, err, want)
				}
				if tt.status != 200 || want == nil {
					if err := c.Do(context.Background(), request, nil); !errors.Is(err, want) {
						t.Errorf("%s, without reading: %v, want %v", who, err, want)
					}
				}
			}
		})
	}
}
