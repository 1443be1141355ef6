package s3proxy

import (
	"errors"
	"net/http"
	"testing"

	"keystile/internal/http1"
	"keystile/internal/s3wire"
)

// TestACopySourceHasABound: no test has 5 GiB at hand, so the answer is made up.
func TestACopySourceHasABound(t *testing.T) {
	var s copySource
	answer := &http1.Response{Status: http.StatusOK, ContentLength: s3wire.MaxCopySource}
	if err := s.check(answer, s3wire.Transfer{}); err != nil {
		t.Errorf("the largest is refused: %v", err)
	}
	answer.ContentLength++
	var e *s3wire.Error
	if err := s.check(answer, s3wire.Transfer{}); !errors.As(err, &e) || e.Code != "InvalidRequest" {
		t.Errorf("a larger one: %v", err)
	}
}
