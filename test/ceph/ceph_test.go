package ceph_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"keystile/internal/sigv4"
	"keystile/test/ceph"
)

// TestCluster makes sure that it is a Ceph that checks keys: a request with the
// user's key is answered, one with another secret is not.
func TestCluster(t *testing.T) {
	c := ceph.Start(t)
	for _, tt := range []struct {
		name, path, query, secret string
		want                      int
	}{
		{"S3 with the key", "/", "", c.SecretAccessKey, http.StatusOK},
		{"S3 with another secret", "/", "", "not the secret", http.StatusForbidden},
		{"Admin Ops with the key", "/admin/user", "format=json&uid=" + c.AdminUID, c.SecretAccessKey, http.StatusOK},
		{"Admin Ops with another secret", "/admin/user", "format=json&uid=" + c.AdminUID, "not the secret", http.StatusForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.Endpoint+tt.path+"?"+tt.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			signer := sigv4.NewSigner(c.AccessKeyID, tt.secret, "us-east-1", "s3")
			host := strings.TrimPrefix(c.Endpoint, "http://")
			if err := signer.Sign(req.Method, tt.path, tt.query, host, req.Header, sigv4.EmptySHA256, time.Now()); err != nil {
				t.Fatal(err)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != tt.want {
				t.Errorf("status %d, want %d: %s", res.StatusCode, tt.want, body)
			}
		})
	}
}
