package sqlstore

import (
	"encoding/json"

	"keystile/internal/keystile"
)

func scanAuditView(row scanner) (keystile.AuditView, error) {
	var v keystile.AuditView
	var filter string
	if err := row.Scan(&v.AccountID, &v.Name, &filter, instant{&v.SavedAt}); err != nil {
		return v, err
	}
	return v, json.Unmarshal([]byte(filter), &v.Filter)
}

func (t *tx) AuditViews(accountID string) ([]keystile.AuditView, error) {
	all, err := list(t, scanAuditView, `SELECT account_id, name, filter, saved_at FROM audit_views WHERE account_id = $1 ORDER BY name`, accountID)
	return all, about(err, "audit views")
}

func (t *tx) SaveAuditView(v keystile.AuditView) error {
	filter, err := json.Marshal(v.Filter)
	if err == nil {
		_, err = t.exec(`INSERT INTO audit_views (account_id, name, filter, saved_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (account_id, name) DO UPDATE SET filter = excluded.filter, saved_at = excluded.saved_at`,
			v.AccountID, v.Name, string(filter), micros(v.SavedAt))
	}
	return about(err, "audit view %s", v.Name)
}

func (t *tx) DeleteAuditView(accountID, name string) error {
	return about(t.execOne(`DELETE FROM audit_views WHERE account_id = $1 AND name = $2`, accountID, name), "audit view %s", name)
}
