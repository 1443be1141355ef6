package main

import (
	"fmt"

	"keystile/internal/client"
	"keystile/internal/keystile"
)

// Limits are the flags of a credential's own limits.
type Limits struct {
	Ceiling        string `help:"It writes while a bucket holds no more than this, whoever wrote it." placeholder:"SIZE"`
	CeilingObjects *int64 `help:"It writes while a bucket holds no more objects than this." placeholder:"N"`
	Allowance      string `help:"What it may write in all, or in a day (UTC): 5GiB, 1GiB/day." placeholder:"SIZE[/day]"`
}

// parse is nil where no flag is given.
func (l Limits) parse() (*client.CredentialLimits, error) {
	if l.Ceiling == "" && l.CeilingObjects == nil && l.Allowance == "" {
		return nil, nil
	}
	limits := &client.CredentialLimits{CeilingObjects: l.CeilingObjects}
	if l.CeilingObjects != nil && *l.CeilingObjects < 0 {
		return nil, usagef("--ceiling-objects: %d is below 0", *l.CeilingObjects)
	}
	if l.Ceiling != "" {
		n, err := keystile.ParseSize(l.Ceiling)
		if err != nil {
			return nil, usagef("--ceiling: %s", plain(err))
		}
		limits.CeilingBytes = &n
	}
	if l.Allowance != "" {
		n, per, err := keystile.ParseAllowance(l.Allowance)
		if err != nil {
			return nil, usagef("--allowance: %s", plain(err))
		}
		limits.AllowanceBytes, limits.AllowancePer = &n, string(per)
	}
	return limits, nil
}

// quotaFields tell a credential's quota, and what is used of it.
func quotaFields(f *fields, q *client.Quota) {
	if q == nil {
		return
	}
	f.add("Quota", q.Text)
	if q.FullestBytes != nil {
		f.add("Fullest bucket", fmt.Sprintf("%s (%d bytes), %d objects", keystile.FormatSize(*q.FullestBytes), *q.FullestBytes, *q.FullestObjects))
	}
	if q.AllowanceUsedBytes != nil {
		f.add("Written", fmt.Sprintf("%s (%d bytes) of the allowance", keystile.FormatSize(*q.AllowanceUsedBytes), *q.AllowanceUsedBytes))
	}
}
