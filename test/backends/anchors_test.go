package backends_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"keystile/internal/ship"
	"keystile/internal/sigv4"
	"keystile/internal/upstream"
)

// signed calls an endpoint with its own key.
func signed(t *testing.T, e upstream.Endpoint, method, path, query string, header http.Header) (int, string, http.Header) {
	t.Helper()
	host := strings.TrimPrefix(e.Backend.Endpoint, "http://")
	req, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(e.Backend.Endpoint+path+"?"+query, "?"), nil)
	must(t, err)
	req.Header = header
	must(t, sigv4.NewSigner(e.Backend.AccessKeyID, e.Secret.Reveal(), "us-east-1", "s3").Sign(method, path, query, host, req.Header, emptyHash, time.Now()))
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return res.StatusCode, string(body), res.Header
}

// TestAnAnchorCannotBeRemovedFromALockedBucket sends anchors to real servers. With
// the very key that wrote it, and the right to pass over retention that is not of
// compliance, an anchor's version cannot be deleted; in a bucket without a lock
// none counts as sent.
func TestAnAnchorCannotBeRemovedFromALockedBucket(t *testing.T) {
	for name, start := range map[string]func(*testing.T) upstream.Endpoint{"ceph": startCeph, "versitygw": startVersity} {
		t.Run(name, func(t *testing.T) {
			e := start(t)
			for bucket, lock := range map[string]string{"/anchors-locked": "true", "/anchors-open": "false"} {
				if status, body, _ := signed(t, e, http.MethodPut, bucket, "", http.Header{"X-Amz-Bucket-Object-Lock-Enabled": {lock}}); status != http.StatusOK {
					t.Fatalf("create %s: %d %s", bucket, status, body)
				}
			}
			send := func(bucket string) error {
				sink, err := ship.NewBucket(ship.BucketOptions{
					Endpoint: e.Backend.Endpoint, Region: "us-east-1", PathStyle: true, Bucket: bucket, Prefix: "keystile/", AccessKeyID: e.Backend.AccessKeyID,
					Secret: e.Secret, RetainFor: 24 * time.Hour, Dialer: upstream.NewDialer(), Refused: upstream.ErrRefusedAddress, Now: time.Now,
				})
				must(t, err)
				return sink.Send(t.Context(), []ship.Item{{Journal: "abc", Record: 7, Kind: ship.KindAnchor, JSON: []byte(`{"record":7}`)}})
			}
			if err := send("anchors-open"); err == nil {
				t.Error("an anchor counts as sent to a bucket without a lock")
			}
			must(t, send("anchors-locked"))
			must(t, send("anchors-locked")) // as after a crash
			const key = "/anchors-locked/keystile/abc/00000000000000000007.json"
			status, body, header := signed(t, e, http.MethodGet, key, "", http.Header{})
			if status != http.StatusOK || body != `{"record":7}`+"\n" {
				t.Fatalf("%d %s", status, body)
			}
			query := ""
			if version := header.Get("X-Amz-Version-Id"); version != "" {
				query = "versionId=" + version
			}
			if status, body, _ := signed(t, e, http.MethodDelete, key, query, http.Header{"X-Amz-Bypass-Governance-Retention": {"true"}}); status != http.StatusForbidden {
				t.Errorf("deleting it: %d %s", status, body)
			}
			if status, _, _ := signed(t, e, http.MethodGet, key, query, http.Header{}); status != http.StatusOK {
				t.Errorf("after that it is read with %d", status)
			}
		})
	}
}
