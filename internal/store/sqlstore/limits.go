package sqlstore

import (
	"encoding/json"
	"errors"
	"fmt"

	"keystile/internal/keystile"
)

// limitsRow is how a credential's limits are stored; absent: none.
type limitsRow struct {
	CeilingBytes   *int64                `json:"ceiling_bytes,omitempty"`
	CeilingObjects *int64                `json:"ceiling_objects,omitempty"`
	Allowance      *int64                `json:"allowance,omitempty"`
	Per            keystile.AllowancePer `json:"per,omitempty"`
}

// limitsText scans the limits of a credential; an empty text stands for none.
type limitsText struct{ l **keystile.CredentialLimits }

func encodeLimits(l *keystile.CredentialLimits) (string, error) {
	if l == nil {
		return "", nil
	}
	capOf := func(n int64) *int64 {
		if n == keystile.NoCap {
			return nil
		}
		return &n
	}
	b, err := json.Marshal(limitsRow{capOf(l.Ceiling.Bytes), capOf(l.Ceiling.Objects), capOf(l.Allowance), l.Per})
	return string(b), err
}

// Scan implements sql.Scanner.
func (t limitsText) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("limits are stored as %T, want text", value)
	}
	*t.l = nil
	if text == "" {
		return nil
	}
	var row limitsRow
	if err := json.Unmarshal([]byte(text), &row); err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	capOf := func(n *int64) int64 {
		if n == nil {
			return keystile.NoCap
		}
		return *n
	}
	*t.l = &keystile.CredentialLimits{
		Ceiling:   keystile.Amount{Bytes: capOf(row.CeilingBytes), Objects: capOf(row.CeilingObjects)},
		Allowance: capOf(row.Allowance), Per: row.Per,
	}
	return nil
}

func (t *tx) BoundCredentials() ([]keystile.Credential, error) {
	all, err := list(t, scanCredential, `SELECT `+credentialColumns+` FROM credentials
		WHERE limits <> '' AND revoked_at = 0 ORDER BY access_key_id`)
	return all, about(err, "credentials with limits")
}

func (t *tx) Spent() ([]keystile.Spent, error) {
	all, err := list(t, func(row scanner) (s keystile.Spent, err error) {
		err = row.Scan(&s.AccessKeyID, &s.Per, instant{&s.Since}, &s.Bytes, &s.Recorded)
		return s, err
	}, `SELECT access_key_id, per, since, bytes, recorded FROM credential_spent ORDER BY access_key_id`)
	return all, about(err, "spent allowances")
}

func (t *tx) SaveSpent(s keystile.Spent) error {
	if err := t.hasAllowance(s.AccessKeyID, s.Per); err != nil {
		return err
	}
	_, err := t.exec(`INSERT INTO credential_spent (access_key_id, per, since, bytes, recorded) VALUES ($1, $2, $3, $4, 0)
		ON CONFLICT (access_key_id) DO UPDATE SET per = excluded.per, since = excluded.since, bytes = excluded.bytes,
			recorded = CASE WHEN credential_spent.since = excluded.since THEN credential_spent.recorded ELSE 0 END`,
		s.AccessKeyID, s.Per, micros(s.Since), s.Bytes)
	return about(err, "spent allowance of %s", s.AccessKeyID)
}

func (t *tx) hasAllowance(accessKeyID string, per keystile.AllowancePer) error {
	c, err := t.Credential(accessKeyID)
	if err == nil && (!c.Limits.HasAllowance() || c.Limits.Per != per) {
		return fmt.Errorf("credential %s has no allowance by %s: %w", accessKeyID, per, keystile.ErrNotFound)
	}
	return err
}

// AddSpent begins a span by itself where the store is an older one than the trail: a
// backup that was put back.
func (t *tx) AddSpent(accessKeyID string, s keystile.Spend) error {
	if err := t.hasAllowance(accessKeyID, s.Per); errors.Is(err, keystile.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	_, err := t.exec(`INSERT INTO credential_spent (access_key_id, per, since, bytes, recorded) VALUES ($1, $2, $3, $4, $4)
		ON CONFLICT (access_key_id) DO UPDATE SET
			bytes = CASE WHEN credential_spent.since = excluded.since THEN credential_spent.bytes ELSE excluded.bytes END,
			recorded = CASE WHEN credential_spent.since = excluded.since THEN credential_spent.recorded ELSE 0 END + excluded.recorded,
			since = excluded.since
		WHERE credential_spent.since <= excluded.since`,
		accessKeyID, s.Per, micros(s.Since), s.Bytes)
	return about(err, "recorded allowance of %s", accessKeyID)
}

func (t *tx) RecordLeases() error {
	_, err := t.exec(`UPDATE credential_spent SET recorded = bytes WHERE recorded < bytes`)
	return about(err, "recorded allowances")
}

// dropSpent forgets what was spent of an allowance that is no more.
func (t *tx) dropSpent(c keystile.Credential) error {
	per := keystile.AllowancePer("")
	if c.Limits.HasAllowance() {
		per = c.Limits.Per
	}
	_, err := t.exec(`DELETE FROM credential_spent WHERE access_key_id = $1 AND per <> $2`, c.AccessKeyID, per)
	return about(err, "spent allowance of %s", c.AccessKeyID)
}
