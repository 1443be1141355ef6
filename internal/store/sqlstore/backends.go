package sqlstore

import (
	"encoding/json"

	"keystile/internal/keystile"
)

const backendColumns = `id, kind, endpoint, region, path_style, access_key_id, force_hashing, scratch,
	admin_endpoint, admin_access_key_id, created_at, updated_at, generation`

func scanBackend(row scanner) (keystile.Backend, error) {
	b := keystile.Backend{Source: keystile.SourceStore}
	err := row.Scan(&b.ID, &b.Kind, &b.Endpoint, &b.Region, &b.PathStyle, &b.AccessKeyID, &b.ForceHashing, &b.Scratch,
		&b.AdminEndpoint, &b.AdminAccessKeyID,
		instant{&b.CreatedAt}, instant{&b.UpdatedAt}, &b.Generation)
	return b, err
}

func (t *tx) CreateBackend(b keystile.Backend, secret keystile.Secret) error {
	_, err := t.exec(`INSERT INTO backends (`+backendColumns+`, secret) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		b.ID, b.Kind, b.Endpoint, b.Region, b.PathStyle, b.AccessKeyID, b.ForceHashing, b.Scratch,
		b.AdminEndpoint, b.AdminAccessKeyID,
		micros(b.CreatedAt), micros(b.UpdatedAt), b.Generation, t.sealSecret("backends", b.ID, "secret", secret))
	return about(err, "backend %q", b.ID)
}

func (t *tx) Backend(id string) (keystile.Backend, error) {
	b, err := get(t, scanBackend, `SELECT `+backendColumns+` FROM backends WHERE id = $1`, id)
	return b, about(err, "backend %q", id)
}

func (t *tx) BackendSecret(id string) (keystile.Secret, error) {
	var sealed []byte
	if err := t.row([]any{&sealed}, `SELECT secret FROM backends WHERE id = $1`, id); err != nil {
		return keystile.Secret{}, about(err, "backend %q", id)
	}
	return t.openSecret("backends", id, "secret", sealed)
}

func (t *tx) Backends() ([]keystile.Backend, error) {
	all, err := list(t, scanBackend, `SELECT `+backendColumns+` FROM backends ORDER BY id`)
	return all, about(err, "backends")
}

func (t *tx) UpdateBackend(b keystile.Backend, secret keystile.Secret) error {
	err := t.execOne(`UPDATE backends SET kind = $1, endpoint = $2, region = $3, path_style = $4, access_key_id = $5,
		force_hashing = $6, scratch = $7, created_at = $8, updated_at = $9, generation = $10, secret = $11,
		admin_endpoint = $12, admin_access_key_id = $13 WHERE id = $14`,
		b.Kind, b.Endpoint, b.Region, b.PathStyle, b.AccessKeyID, b.ForceHashing, b.Scratch,
		micros(b.CreatedAt), micros(b.UpdatedAt), b.Generation, t.sealSecret("backends", b.ID, "secret", secret),
		b.AdminEndpoint, b.AdminAccessKeyID, b.ID)
	return about(err, "backend %q", b.ID)
}

func (t *tx) BackendAdminSecret(id string) (keystile.Secret, error) {
	var sealed []byte
	if err := t.row([]any{&sealed}, `SELECT admin_secret FROM backends WHERE id = $1`, id); err != nil {
		return keystile.Secret{}, about(err, "backend %q", id)
	}
	return t.openSecret("backends", id, "admin_secret", sealed)
}

func (t *tx) SetBackendAdminSecret(id string, s keystile.Secret) error {
	err := t.execOne(`UPDATE backends SET admin_secret = $1 WHERE id = $2`, t.sealSecret("backends", id, "admin_secret", s), id)
	return about(err, "backend %q", id)
}

func (t *tx) DeleteBackend(id string) error {
	if err := t.execOne(`DELETE FROM backends WHERE id = $1`, id); err != nil {
		return about(err, "backend %q", id)
	}
	if _, err := t.exec(`DELETE FROM probes WHERE backend_id = $1`, id); err != nil {
		return about(err, "probe of backend %q", id)
	}
	if _, err := t.exec(`DELETE FROM bucket_cors WHERE backend = $1`, id); err != nil {
		return about(err, "CORS of backend %q", id)
	}
	if _, err := t.exec(`DELETE FROM bucket_quotas WHERE backend = $1`, id); err != nil {
		return about(err, "quotas of backend %q", id)
	}
	_, err := t.exec(`DELETE FROM health_samples WHERE backend_id = $1`, id)
	return about(err, "health of backend %q", id)
}

func (t *tx) Probe(backendID string) (keystile.Probe, error) {
	p := keystile.Probe{BackendID: backendID}
	var abilities []byte
	err := t.row([]any{&p.Fingerprint, &abilities, instant{&p.ProbedAt}},
		`SELECT fingerprint, abilities, probed_at FROM probes WHERE backend_id = $1`, backendID)
	if err == nil {
		err = json.Unmarshal(abilities, &p.Abilities)
	}
	if err != nil {
		return keystile.Probe{}, about(err, "probe of backend %q", backendID)
	}
	return p, nil
}

func (t *tx) SaveProbe(p keystile.Probe) error {
	abilities, err := json.Marshal(p.Abilities)
	if err != nil {
		return about(err, "probe of backend %q", p.BackendID)
	}
	_, err = t.exec(`INSERT INTO probes (backend_id, fingerprint, abilities, probed_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (backend_id) DO UPDATE SET fingerprint = excluded.fingerprint,
			abilities = excluded.abilities, probed_at = excluded.probed_at`,
		p.BackendID, p.Fingerprint, string(abilities), micros(p.ProbedAt))
	return about(err, "probe of backend %q", p.BackendID)
}

func (t *tx) BackendInUse(id string) (bool, error) {
	var used bool
	err := t.row([]any{&used}, `SELECT EXISTS (SELECT 1 FROM credential_backends WHERE backend = $1)
		OR EXISTS (SELECT 1 FROM bindings WHERE backend = $1 AND removed_at = 0)
		OR EXISTS (SELECT 1 FROM rgw_users WHERE backend = $1 AND deleted_at = 0)`, id)
	return used, about(err, "uses of backend %q", id)
}
