package s3proxy

import (
	"net/http"
	"testing"
	"time"

	"keystile/internal/http1"
	"keystile/internal/upstream"
)

// TestWhatACutUploadLeft: only what cannot be the part that arrived settles it.
func TestWhatACutUploadLeft(t *testing.T) {
	date := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	written := func(before time.Duration) http.Header {
		return http.Header{"Date": {date.Format(http.TimeFormat)}, "Last-Modified": {date.Add(-before).Format(http.TimeFormat)}}
	}
	const sent, took = 1000, 10 * time.Second
	for _, tt := range []struct {
		name      string
		status    int
		length    int64
		header    http.Header
		untouched bool
	}{
		{"no object", 404, 0, nil, true},
		{"an object from before", 200, 10, written(13 * time.Second), true},
		{"an object that is longer than what was sent", 200, 1001, written(0), true},
		{"an object written meanwhile", 200, 10, written(5 * time.Second), false},
		{"an object written when it began, by a clock of seconds", 200, 10, written(11 * time.Second), false},
		{"an object of what was sent", 200, 1000, written(0), false},
		{"an object without a time", 200, 10, http.Header{"Date": {date.Format(http.TimeFormat)}}, false},
		{"an answer without a date", 200, 10, http.Header{"Last-Modified": {date.Add(-time.Hour).Format(http.TimeFormat)}}, false},
		{"a refusal", 403, 0, nil, false},
		{"trouble", 503, 0, nil, false},
	} {
		got := &http1.Response{Status: tt.status, ContentLength: tt.length, Header: tt.header}
		if untouched, what := judgeCut(got, sent, took); untouched != tt.untouched || untouched != (what == "") {
			t.Errorf("%s: %v %q, want %v", tt.name, untouched, what, tt.untouched)
		}
	}
}

// TestWhatACutPartLeft: the same for a part of a multipart upload.
func TestWhatACutPartLeft(t *testing.T) {
	const sent, took = 1000, 10 * time.Second
	for _, tt := range []struct {
		name      string
		part      upstream.StoredPart
		there     bool
		untouched bool
	}{
		{"no part", upstream.StoredPart{}, false, true},
		{"a part from before", upstream.StoredPart{Size: 10, Age: 13 * time.Second}, true, true},
		{"a part that is longer than what was sent", upstream.StoredPart{Size: 1001}, true, true},
		{"a part written meanwhile", upstream.StoredPart{Size: 10, Age: 5 * time.Second}, true, false},
		{"a part written when it began, by a clock of seconds", upstream.StoredPart{Size: 10, Age: 11 * time.Second}, true, false},
		{"a part of what was sent", upstream.StoredPart{Size: 1000}, true, false},
		{"a part without a time", upstream.StoredPart{Size: 10, Age: -1}, true, false},
	} {
		if untouched, what := judgeCutPart(tt.part, tt.there, sent, took); untouched != tt.untouched || untouched != (what == "") {
			t.Errorf("%s: %v %q, want %v", tt.name, untouched, what, tt.untouched)
		}
	}
}
