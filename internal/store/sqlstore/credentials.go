package sqlstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

const credentialColumns = `access_key_id, description, grants, owner, created_by, created_at, updated_at,
	expires_at, disabled_at, disabled_by, revoked_at, rotated_at, overlap_until, last_used_at, generation, limits`

// grantRow is a grant as it is stored. Permissions are kept by name, so that the
// order of their bits may change.
type grantRow struct {
	Backend     string              `json:"backend"`
	Bucket      string              `json:"bucket"`
	Permissions keystile.Permission `json:"permissions"`
	Prefix      string              `json:"prefix,omitempty"`
	Alias       string              `json:"alias,omitempty"`
}

// grantList stores a credential's grants as JSON, in their order: a million
// credentials are then read as a million rows and no more.
type grantList []keystile.Grant

func (g grantList) encode() (string, error) {
	rows := make([]grantRow, len(g))
	for i, x := range g {
		rows[i] = grantRow{x.Bucket.Backend, x.Bucket.Name, x.Permission, x.Prefix, x.Alias}
	}
	b, err := json.Marshal(rows)
	return string(b), err
}

// Scan implements sql.Scanner.
func (g *grantList) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("grants are stored as %T, want text", value)
	}
	var rows []grantRow
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return fmt.Errorf("grants: %w", err)
	}
	*g = nil
	for _, r := range rows {
		*g = append(*g, keystile.Grant{Bucket: keystile.Bucket{Backend: r.Backend, Name: r.Bucket},
			Permission: r.Permissions, Prefix: r.Prefix, Alias: r.Alias})
	}
	return nil
}

// credentialFields are the places to scan credentialColumns into.
func credentialFields(c *keystile.Credential) []any {
	return []any{&c.AccessKeyID, &c.Description, (*grantList)(&c.Grants), &c.Owner, &c.CreatedBy,
		instant{&c.CreatedAt}, instant{&c.UpdatedAt}, instant{&c.ExpiresAt}, instant{&c.DisabledAt}, &c.DisabledBy,
		instant{&c.RevokedAt}, instant{&c.RotatedAt}, instant{&c.OverlapUntil}, instant{&c.LastUsedAt}, &c.Generation,
		limitsText{&c.Limits}}
}

func scanCredential(row scanner) (keystile.Credential, error) {
	var c keystile.Credential
	err := row.Scan(credentialFields(&c)...)
	return c, err
}

func (t *tx) CreateCredential(c keystile.Credential, s keystile.CredentialSecrets) error {
	grants, err := grantList(c.Grants).encode()
	if err != nil {
		return about(err, "credential %s", c.AccessKeyID)
	}
	limits, err := encodeLimits(c.Limits)
	if err != nil {
		return about(err, "credential %s", c.AccessKeyID)
	}
	current, previous := t.sealBoth(c.AccessKeyID, s)
	_, err = t.exec(`INSERT INTO credentials (`+credentialColumns+`, description_low, secret_current, secret_previous)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		c.AccessKeyID, c.Description, grants, c.Owner, c.CreatedBy, micros(c.CreatedAt), micros(c.UpdatedAt),
		micros(c.ExpiresAt), micros(c.DisabledAt), c.DisabledBy, micros(c.RevokedAt), micros(c.RotatedAt),
		micros(c.OverlapUntil), micros(c.LastUsedAt), c.Generation, limits, strings.ToLower(c.Description), current, previous)
	if err != nil {
		return about(err, "credential %s", c.AccessKeyID)
	}
	return t.addCredentialBackends(c)
}

func (t *tx) Credential(accessKeyID string) (keystile.Credential, error) {
	c, err := get(t, scanCredential, `SELECT `+credentialColumns+` FROM credentials WHERE access_key_id = $1`, accessKeyID)
	return c, about(err, "credential %s", accessKeyID)
}

func (t *tx) Credentials(f store.CredentialFilter) ([]keystile.Credential, error) {
	var q query
	if f.Owner != "" {
		q.and("owner <> '' AND owner = %s", f.Owner)
	}
	if f.Text != "" {
		pattern := "%" + escapeLike(strings.ToLower(f.Text)) + "%"
		q.and(`(lower(access_key_id) LIKE %[1]s ESCAPE '\' OR description_low LIKE %[1]s ESCAPE '\')`, pattern)
	}
	if f.After != "" {
		last, err := t.Credential(f.After)
		if errors.Is(err, keystile.ErrNotFound) {
			return nil, fmt.Errorf("no credential %q to go on after: %w", f.After, keystile.ErrInvalid)
		}
		if err != nil {
			return nil, err
		}
		q.and("(created_at, access_key_id) < (%s, %s)", micros(last.CreatedAt), last.AccessKeyID)
	}
	text := `SELECT ` + credentialColumns + ` FROM credentials` + q.where() + ` ORDER BY created_at DESC, access_key_id DESC`
	if f.Limit > 0 {
		text += ` LIMIT ` + q.arg(f.Limit)
	}
	all, err := list(t, scanCredential, text, q.args...)
	return all, about(err, "credentials")
}

// UpdateCredential refuses to bring a revoked credential back.
func (t *tx) UpdateCredential(c keystile.Credential) error {
	if err := t.updateCredential(c); err != nil {
		return about(err, "credential %s", c.AccessKeyID)
	}
	if _, err := t.exec(`DELETE FROM credential_backends WHERE access_key_id = $1`, c.AccessKeyID); err != nil {
		return about(err, "backends of credential %s", c.AccessKeyID)
	}
	if err := t.dropSpent(c); err != nil {
		return err
	}
	return t.addCredentialBackends(c)
}

func (t *tx) updateCredential(c keystile.Credential) error {
	grants, err := grantList(c.Grants).encode()
	if err != nil {
		return err
	}
	limits, err := encodeLimits(c.Limits)
	if err != nil {
		return err
	}
	n, err := t.exec(`UPDATE credentials SET description = $1, description_low = $2, grants = $3, owner = $4,
			updated_at = $5, expires_at = $6, disabled_at = $7, disabled_by = $8, revoked_at = $9,
			rotated_at = $10, overlap_until = $11, generation = $12, limits = $13
		WHERE access_key_id = $14 AND (revoked_at = 0 OR $9 <> 0)`,
		c.Description, strings.ToLower(c.Description), grants, c.Owner, micros(c.UpdatedAt), micros(c.ExpiresAt),
		micros(c.DisabledAt), c.DisabledBy, micros(c.RevokedAt), micros(c.RotatedAt), micros(c.OverlapUntil),
		c.Generation, limits, c.AccessKeyID)
	if err != nil || n > 0 {
		return err
	}
	if _, err := t.Credential(c.AccessKeyID); err != nil {
		return err
	}
	return fmt.Errorf("it is revoked for good: %w", keystile.ErrConflict)
}

func (t *tx) addCredentialBackends(c keystile.Credential) error {
	if !c.RevokedAt.IsZero() {
		return nil
	}
	for _, g := range c.Grants {
		_, err := t.exec(`INSERT INTO credential_backends (backend, access_key_id) VALUES ($1, $2)
			ON CONFLICT (backend, access_key_id) DO NOTHING`, g.Bucket.Backend, c.AccessKeyID)
		if err != nil {
			return about(err, "backends of credential %s", c.AccessKeyID)
		}
	}
	return nil
}

func (t *tx) sealBoth(accessKeyID string, s keystile.CredentialSecrets) (current, previous any) {
	return t.sealSecret("credentials", accessKeyID, "secret_current", s.Current),
		t.sealSecret("credentials", accessKeyID, "secret_previous", s.Previous)
}

func (t *tx) openBoth(accessKeyID string, current, previous []byte) (s keystile.CredentialSecrets, err error) {
	if s.Current, err = t.openSecret("credentials", accessKeyID, "secret_current", current); err != nil {
		return keystile.CredentialSecrets{}, err
	}
	if s.Previous, err = t.openSecret("credentials", accessKeyID, "secret_previous", previous); err != nil {
		return keystile.CredentialSecrets{}, err
	}
	return s, nil
}

func (t *tx) CredentialSecrets(accessKeyID string) (keystile.CredentialSecrets, error) {
	var current, previous []byte
	err := t.row([]any{&current, &previous},
		`SELECT secret_current, secret_previous FROM credentials WHERE access_key_id = $1`, accessKeyID)
	if err != nil {
		return keystile.CredentialSecrets{}, about(err, "credential %s", accessKeyID)
	}
	return t.openBoth(accessKeyID, current, previous)
}

func (t *tx) SetCredentialSecrets(accessKeyID string, s keystile.CredentialSecrets) error {
	current, previous := t.sealBoth(accessKeyID, s)
	err := t.execOne(`UPDATE credentials SET secret_current = $1, secret_previous = $2 WHERE access_key_id = $3`,
		current, previous, accessKeyID)
	return about(err, "credential %s", accessKeyID)
}

func (t *tx) ChangedCredentials(since int64, yield func(keystile.Credential, keystile.CredentialSecrets) error) error {
	return t.each(func(row scanner) error {
		var c keystile.Credential
		var current, previous []byte
		if err := row.Scan(append(credentialFields(&c), &current, &previous)...); err != nil {
			return about(err, "changed credentials")
		}
		secrets, err := t.openBoth(c.AccessKeyID, current, previous)
		if err != nil {
			return err
		}
		return yield(c, secrets)
	}, `SELECT `+credentialColumns+`, secret_current, secret_previous FROM credentials
		WHERE generation > $1 ORDER BY generation, access_key_id`, since)
}

func (t *tx) TouchCredentials(lastUsed map[string]time.Time) (err error) {
	if len(lastUsed) == 0 {
		return nil
	}
	stmt, err := t.prepare(`UPDATE credentials SET last_used_at = $1 WHERE access_key_id = $2 AND last_used_at < $1`)
	if err != nil {
		return about(err, "last use of credentials")
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	for id, at := range lastUsed {
		if _, err := stmt.ExecContext(t.ctx, micros(at), id); err != nil {
			return about(t.dialect.wrap(err), "last use of credential %s", id)
		}
	}
	return nil
}
