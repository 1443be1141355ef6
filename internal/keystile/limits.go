package keystile

import (
	"fmt"
	"strings"
	"time"
)

// CredentialLimits bound what a credential writes below what its buckets may hold.
type CredentialLimits struct {
	// Ceiling is how much each bucket of the credential may hold, whoever wrote it,
	// for the credential to write into it; NoCap in a field stands for none.
	Ceiling Amount
	// Allowance is how many bytes the credential may write, whatever becomes of them
	// later; NoCap: no bound.
	Allowance int64
	Per       AllowancePer // empty without an allowance
}

// AllowancePer says when an allowance begins anew.
type AllowancePer string

// The spans of allowances.
const (
	PerDay   AllowancePer = "day"   // of UTC
	PerTotal AllowancePer = "total" // never
)

// Begin is when the span began that now belongs to; zero for the one span that is
// all time.
func (p AllowancePer) Begin(now time.Time) time.Time {
	if p != PerDay {
		return time.Time{}
	}
	return now.UTC().Truncate(24 * time.Hour)
}

// HasCeiling reports whether the limits bound what buckets may hold.
func (l *CredentialLimits) HasCeiling() bool {
	return l != nil && (l.Ceiling.Bytes != NoCap || l.Ceiling.Objects != NoCap)
}

// HasAllowance reports whether the limits bound what is written.
func (l *CredentialLimits) HasAllowance() bool { return l != nil && l.Allowance != NoCap }

// Check validates the limits.
func (l *CredentialLimits) Check(faults *Faults) {
	for _, c := range []struct {
		name string
		n    int64
	}{{"quota.ceiling_bytes", l.Ceiling.Bytes}, {"quota.ceiling_objects", l.Ceiling.Objects}, {"quota.allowance_bytes", l.Allowance}} {
		if c.n < NoCap {
			faults.Add(c.name, "must not be negative")
		}
	}
	switch {
	case l.Allowance == NoCap && l.Per != "":
		faults.Add("quota.allowance_per", "needs an allowance")
	case l.Allowance != NoCap && l.Per != PerDay && l.Per != PerTotal:
		faults.Add("quota.allowance_per", "must be day or total")
	}
}

// AsWide reports whether l allows everything that other does. Nil limits nothing.
func (l *CredentialLimits) AsWide(other *CredentialLimits) bool {
	if l == nil {
		return true
	}
	none := CredentialLimits{Ceiling: Amount{NoCap, NoCap}, Allowance: NoCap}
	if other == nil {
		other = &none
	}
	above := func(wide, narrow int64) bool { return wide == NoCap || narrow != NoCap && wide >= narrow }
	return above(l.Ceiling.Bytes, other.Ceiling.Bytes) && above(l.Ceiling.Objects, other.Ceiling.Objects) &&
		(l.Allowance == NoCap || l.Per == other.Per && above(l.Allowance, other.Allowance))
}

// Spent is how much of a credential's allowance the store knows to be used up.
// While a process runs, what it lets be written never goes beyond Bytes.
type Spent struct {
	AccessKeyID string
	Per         AllowancePer
	Since       time.Time // the span's beginning
	Bytes       int64
	// Recorded is the sum of what the audit trail tells was spent in the span. Of
	// writes under way, and of those it has not indexed yet, it knows nothing.
	Recorded int64
}

// Spend is what one write takes of its credential's allowance.
type Spend struct {
	Bytes int64        `json:"bytes"`
	Per   AllowancePer `json:"per"`
	Since time.Time    `json:"since"` // when the span began that it is taken of
}

// ParseAllowance reads an allowance: a size, or a size and "/day".
func ParseAllowance(text string) (bytes int64, per AllowancePer, err error) {
	size, daily := strings.CutSuffix(strings.TrimSpace(text), "/day")
	if bytes, err = ParseSize(size); err != nil {
		return 0, "", err
	}
	if daily {
		return bytes, PerDay, nil
	}
	return bytes, PerTotal, nil
}

// String writes the limits for people.
func (l *CredentialLimits) String() string {
	if l == nil {
		return "inherits the bucket's"
	}
	var words []string
	if l.Ceiling.Bytes != NoCap {
		words = append(words, "writes while the bucket holds at most "+FormatSize(l.Ceiling.Bytes))
	}
	if l.Ceiling.Objects != NoCap {
		words = append(words, fmt.Sprintf("writes while the bucket holds at most %d objects", l.Ceiling.Objects))
	}
	switch {
	case l.Allowance != NoCap && l.Per == PerDay:
		words = append(words, "writes at most "+FormatSize(l.Allowance)+" a day")
	case l.Allowance != NoCap:
		words = append(words, "writes at most "+FormatSize(l.Allowance)+" in all")
	}
	return strings.Join(words, "; ")
}
