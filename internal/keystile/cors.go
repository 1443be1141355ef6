package keystile

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// CORSMode says where a bucket's rules for other origins come from.
type CORSMode string

// The modes.
const (
	CORSOff     CORSMode = "off"     // pages of other origins get nothing
	CORSGateway CORSMode = "gateway" // rules that are kept here
	CORSBackend CORSMode = "backend" // those of the bucket itself, at its backend
)

// CORSRule lets pages of some origins use a bucket (S3 API Reference,
// "CORSRule").
type CORSRule struct {
	ID string `json:"id,omitempty"`
	// AllowedOrigins may each have one "*", which stands for any text.
	AllowedOrigins []string `json:"allowed_origins"`
	AllowedMethods []string `json:"allowed_methods"` // GET, HEAD, PUT, POST, DELETE
	// AllowedHeaders may each have one "*"; case does not matter.
	AllowedHeaders []string `json:"allowed_headers,omitempty"`
	ExposeHeaders  []string `json:"expose_headers,omitempty"`
	MaxAgeSeconds  int      `json:"max_age_seconds,omitempty"` // 0: not said
}

// BucketCORS is what is chosen for one bucket.
type BucketCORS struct {
	Bucket    Bucket
	Mode      CORSMode
	Rules     []CORSRule // in CORSGateway only
	UpdatedAt time.Time
}

// Bounds of a bucket's rules. S3's own is 100 rules in 64 KiB.
const (
	maxCORSRules  = 100
	maxCORSValues = 100
	maxCORSText   = 1024
)

var corsMethods = []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete}

// Check validates a choice.
func (c *BucketCORS) Check() error {
	var faults Faults
	switch {
	case c.Mode != CORSOff && c.Mode != CORSGateway && c.Mode != CORSBackend:
		faults.Add("mode", "must be %q, %q or %q", CORSOff, CORSGateway, CORSBackend)
	case c.Mode == CORSGateway && len(c.Rules) == 0:
		faults.Add("rules", "at least one rule is needed")
	case c.Mode != CORSGateway && len(c.Rules) > 0:
		faults.Add("rules", "rules are kept in mode %q only", CORSGateway)
	case len(c.Rules) > maxCORSRules:
		faults.Add("rules", "at most %d rules are allowed", maxCORSRules)
	}
	for i := range c.Rules {
		c.Rules[i].check(fmt.Sprintf("rules[%d]", i), &faults)
	}
	return faults.Err()
}

func (r *CORSRule) check(at string, faults *Faults) {
	for _, list := range []struct {
		name     string
		values   []string
		required bool
		stars    int
	}{
		{"allowed_origins", r.AllowedOrigins, true, 1},
		{"allowed_methods", r.AllowedMethods, true, 0},
		{"allowed_headers", r.AllowedHeaders, false, 1},
		{"expose_headers", r.ExposeHeaders, false, 0},
	} {
		field := at + "." + list.name
		if list.required && len(list.values) == 0 || len(list.values) > maxCORSValues {
			faults.Add(field, "must have 1 to %d values", maxCORSValues)
		}
		for _, v := range list.values {
			switch {
			case v == "" || len(v) > maxCORSText || !printableASCII(v) || strings.Contains(v, ","):
				faults.Add(field, "values are printable ASCII without blanks and commas, 1 to %d characters", maxCORSText)
			case strings.Count(v, "*") > list.stars:
				faults.Add(field, "%q has too many asterisks: %d is allowed", v, list.stars)
			}
		}
	}
	for _, m := range r.AllowedMethods {
		if !slices.Contains(corsMethods, m) {
			faults.Add(at+".allowed_methods", "%q is not one of %s", m, strings.Join(corsMethods, ", "))
		}
	}
	if r.MaxAgeSeconds < 0 {
		faults.Add(at+".max_age_seconds", "must not be negative")
	}
	if len(r.ID) > 255 {
		faults.Add(at+".id", "must have at most 255 characters")
	}
}

func printableASCII(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// MatchCORS finds the first rule for an origin, a method and the headers that a
// preflight names, in lower case. The allowed origin is "*" or the origin
// itself, as the rule was matched.
func MatchCORS(rules []CORSRule, origin, method string, headers []string) (rule *CORSRule, allowed string) {
	for i := range rules {
		r := &rules[i]
		if !slices.Contains(r.AllowedMethods, method) || !r.allowsHeaders(headers) {
			continue
		}
		for _, pattern := range r.AllowedOrigins {
			if pattern == "*" {
				return r, "*"
			}
			if matchesOneStar(pattern, origin) {
				return r, origin
			}
		}
	}
	return nil, ""
}

func (r *CORSRule) allowsHeaders(headers []string) bool {
	for _, h := range headers {
		if !slices.ContainsFunc(r.AllowedHeaders, func(p string) bool { return matchesOneStar(strings.ToLower(p), h) }) {
			return false
		}
	}
	return true
}

// matchesOneStar compares byte by byte; one "*" in the pattern stands for any
// text, the empty one too.
func matchesOneStar(pattern, text string) bool {
	begin, end, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	return len(text) >= len(begin)+len(end) && strings.HasPrefix(text, begin) && strings.HasSuffix(text, end)
}
