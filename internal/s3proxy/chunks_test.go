package s3proxy_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"keystile/internal/sigv4"
)

// chunkSignature signs one chunk by the book (S3 API Reference, "Transferring
// payload in multiple chunks"). It derives its own key, so that the gateway is
// not tested against its own arithmetic.
func chunkSignature(t *testing.T, secret string, auth sigv4.Authorization, previous, chunk string) string {
	t.Helper()
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	scope := auth.Scope
	key := mac([]byte("AWS4"+secret), scope.Date)
	for _, part := range []string{scope.Region, scope.Service, "aws4_request"} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, strings.Join([]string{
		"AWS4-HMAC-SHA256-PAYLOAD", auth.Time.UTC().Format("20060102T150405Z"),
		strings.Join([]string{scope.Date, scope.Region, scope.Service, "aws4_request"}, "/"),
		previous, hashOf(""), hashOf(chunk),
	}, "\n")))
}
