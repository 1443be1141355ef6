package keystile

import (
	"encoding/json"
	"slices"
	"time"
)

// MaxSamplingRules bounds how many there are at once.
const MaxSamplingRules = 1000

// SamplingRule has a share of successful reads recorded: of one credential, of one
// bucket, or of all where it names neither.
type SamplingRule struct {
	AccessKeyID string    `json:"access_key_id,omitempty"`
	Bucket      Bucket    `json:"bucket,omitzero"` // its real name
	Rate        float64   `json:"rate"`            // 0 to 1
	Until       time.Time `json:"until,omitzero"`  // it ends then; zero: never
	SetBy       string    `json:"set_by"`
	SetAt       time.Time `json:"set_at"`
}

// Same reports whether two rules are of the same reads.
func (r SamplingRule) Same(o SamplingRule) bool {
	return r.AccessKeyID == o.AccessKeyID && r.Bucket == o.Bucket
}

// Check finds what is wrong with a rule that begins at now.
func (r SamplingRule) Check(now time.Time) error {
	var faults Faults
	if r.AccessKeyID != "" && r.Bucket != (Bucket{}) {
		faults.Add("access_key_id", "a rule is of a credential or of a bucket, not of both")
	}
	if (r.Bucket.Backend == "") != (r.Bucket.Name == "") {
		faults.Add("bucket", "a bucket has a backend and a name")
	}
	if !(r.Rate >= 0 && r.Rate <= 1) {
		faults.Add("rate", "must lie between 0 and 1")
	}
	if !r.Until.IsZero() && !r.Until.After(now) {
		faults.Add("until", "must be in the future")
	}
	return faults.Err()
}

// SamplingRules are those in force; of each kind of reads there is one at most.
type SamplingRules []SamplingRule

// Live are the rules that have not ended.
func (rs SamplingRules) Live(now time.Time) SamplingRules {
	return slices.DeleteFunc(slices.Clone(rs), func(r SamplingRule) bool { return !r.Until.IsZero() && !r.Until.After(now) })
}

// Without are the rules but that of the same reads.
func (rs SamplingRules) Without(rule SamplingRule) SamplingRules {
	return slices.DeleteFunc(slices.Clone(rs), rule.Same)
}

// SamplingSetting is the name of the setting of the store that has the rules, as
// JSON.
const SamplingSetting = "audit_sampling"

// ParseSampling reads what the setting has; "" is no rule.
func ParseSampling(text string) (rules SamplingRules, err error) {
	if text == "" {
		return nil, nil
	}
	err = json.Unmarshal([]byte(text), &rules)
	return rules, err
}
