package s3wire_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keystile/internal/s3wire"
)

func TestMetadataIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header map[string]string
		ok     bool
	}{
		{"the most in one value", map[string]string{"X-Amz-Meta-A": strings.Repeat("v", 2047)}, true},
		{"a byte more", map[string]string{"X-Amz-Meta-A": strings.Repeat("v", 2048)}, false},
		{"the most in one name", map[string]string{"X-Amz-Meta-" + strings.Repeat("N", 2047): "v"}, true},
		{"a byte more in a name", map[string]string{"X-Amz-Meta-" + strings.Repeat("N", 2048): "v"}, false},
		{"the sum of several", map[string]string{"X-Amz-Meta-A": strings.Repeat("v", 1023), "X-Amz-Meta-B": strings.Repeat("v", 1023)}, true},
		{"a byte more in the sum", map[string]string{"X-Amz-Meta-A": strings.Repeat("v", 1023), "X-Amz-Meta-B": strings.Repeat("v", 1024)}, false},
		{"other headers are none", map[string]string{"X-Amz-Website-Redirect-Location": "/" + strings.Repeat("v", 3000)}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPut, "/bucket/key", nil)
			for name, value := range tt.header {
				r.Header.Set(name, value)
			}
			_, err := s3wire.Parse(r)
			var e *s3wire.Error
			if tt.ok && err != nil || !tt.ok && (!errors.As(err, &e) || e.Code != "MetadataTooLarge") {
				t.Errorf("Parse: %v", err)
			}
		})
	}
}
