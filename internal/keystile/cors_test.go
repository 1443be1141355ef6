package keystile

import (
	"errors"
	"strings"
	"testing"
)

func TestMatchCORS(t *testing.T) {
	rules := []CORSRule{
		{ID: "app", AllowedOrigins: []string{"https://app.example", "https://*.example.org"}, AllowedMethods: []string{"GET", "PUT"}, AllowedHeaders: []string{"Content-Type", "x-amz-*"}},
		{ID: "all", AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET"}},
		{ID: "late", AllowedOrigins: []string{"https://app.example"}, AllowedMethods: []string{"DELETE"}, AllowedHeaders: []string{"*"}},
	}
	for _, tt := range []struct {
		name, origin, method, headers string
		rule, allowed                 string
	}{
		{"the origin itself", "https://app.example", "PUT", "", "app", "https://app.example"},
		{"a wildcard within", "https://a.b.example.org", "PUT", "", "app", "https://a.b.example.org"},
		{"a wildcard is nothing too", "https://.example.org", "PUT", "", "app", "https://.example.org"},
		{"another scheme", "http://app.example", "PUT", "", "", ""},
		{"another port", "https://app.example:8443", "PUT", "", "", ""},
		{"an origin that only ends alike", "https://evil-app.example", "PUT", "", "", ""},
		{"the pattern's two sides do not overlap", "https://example.org", "PUT", "", "", ""},
		{"any origin", "https://elsewhere.example", "GET", "", "all", "*"},
		{"the first rule wins", "https://app.example", "GET", "", "app", "https://app.example"},
		{"a null origin is one", "null", "GET", "", "all", "*"},
		{"another method", "https://elsewhere.example", "PUT", "", "", ""},
		{"methods have their case", "https://app.example", "put", "", "", ""},
		{"a later rule for the method", "https://app.example", "DELETE", "anything", "late", "https://app.example"},
		{"headers in any case", "https://app.example", "PUT", "content-type x-amz-date", "app", "https://app.example"},
		{"one header too many", "https://app.example", "PUT", "content-type authorization", "", ""},
		{"no header is allowed where none is named", "https://elsewhere.example", "GET", "range", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rule, allowed := MatchCORS(rules, tt.origin, tt.method, strings.Fields(tt.headers))
			got := ""
			if rule != nil {
				got = rule.ID
			}
			if got != tt.rule || allowed != tt.allowed {
				t.Errorf("rule %q allows %q, want %q and %q", got, allowed, tt.rule, tt.allowed)
			}
		})
	}
}

func TestBucketCORSCheck(t *testing.T) {
	rule := CORSRule{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET"}}
	with := func(change func(*CORSRule)) BucketCORS {
		r := rule
		change(&r)
		return BucketCORS{Mode: CORSGateway, Rules: []CORSRule{r}}
	}
	for _, tt := range []struct {
		name  string
		cors  BucketCORS
		field string // of the fault; empty: none
	}{
		{"off", BucketCORS{Mode: CORSOff}, ""},
		{"the backend's", BucketCORS{Mode: CORSBackend}, ""},
		{"a rule", with(func(*CORSRule) {}), ""},
		{"no mode", BucketCORS{}, "mode"},
		{"no rule", BucketCORS{Mode: CORSGateway}, "rules"},
		{"rules that nobody asks", BucketCORS{Mode: CORSOff, Rules: []CORSRule{rule}}, "rules"},
		{"too many rules", BucketCORS{Mode: CORSGateway, Rules: make([]CORSRule, 101)}, "rules"},
		{"no origin", with(func(r *CORSRule) { r.AllowedOrigins = nil }), "rules[0].allowed_origins"},
		{"two wildcards", with(func(r *CORSRule) { r.AllowedOrigins = []string{"https://*.*"} }), "rules[0].allowed_origins"},
		{"a line end in an origin", with(func(r *CORSRule) { r.AllowedOrigins = []string{"a\r\nb"} }), "rules[0].allowed_origins"},
		{"no method", with(func(r *CORSRule) { r.AllowedMethods = nil }), "rules[0].allowed_methods"},
		{"another method", with(func(r *CORSRule) { r.AllowedMethods = []string{"PATCH"} }), "rules[0].allowed_methods"},
		{"a wildcard among exposed headers", with(func(r *CORSRule) { r.ExposeHeaders = []string{"x-amz-*"} }), "rules[0].expose_headers"},
		{"a comma in a header", with(func(r *CORSRule) { r.AllowedHeaders = []string{"a,b"} }), "rules[0].allowed_headers"},
		{"a negative age", with(func(r *CORSRule) { r.MaxAgeSeconds = -1 }), "rules[0].max_age_seconds"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.cors.Check()
			var faults Faults
			errors.As(err, &faults)
			if tt.field == "" && err != nil || tt.field != "" && (len(faults) == 0 || faults[0].Field != tt.field) {
				t.Errorf("got %v, want a fault of %q", err, tt.field)
			}
		})
	}
}
