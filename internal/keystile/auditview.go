package keystile

import (
	"slices"
	"time"
)

// AuditView is a filter of the audit trail that an account has named for itself.
type AuditView struct {
	AccountID string
	Name      string            // unique in its account
	Filter    map[string]string // by the names of AuditViewFields
	SavedAt   time.Time
}

// AuditViewFields are what a view may filter by: the parameters of a query of the
// trail. Times may say how long ago ("24h").
var AuditViewFields = []string{
	"access_key_id", "account", "action", "backend", "bucket", "key", "q", "request_id", "result", "since", "until",
}

const (
	// MaxAuditViews is how many an account may have.
	MaxAuditViews         = 50
	maxAuditViewNameRunes = 64
	maxAuditViewValue     = 1024 // bytes: a key may be as long
)

// Check reports every fault of a view, as Faults.
func (v *AuditView) Check() error {
	var faults Faults
	CheckText("name", v.Name, maxAuditViewNameRunes, &faults)
	if len(v.Filter) == 0 {
		faults.Add("filter", "filters by nothing")
	}
	for name, value := range v.Filter {
		switch {
		case !slices.Contains(AuditViewFields, name):
			faults.Add("filter", "%.32q is nothing that the trail is filtered by", name)
		case value == "" || len(value) > maxAuditViewValue:
			faults.Add("filter."+name, "has 1 to %d bytes", maxAuditViewValue)
		}
	}
	return faults.Err()
}
