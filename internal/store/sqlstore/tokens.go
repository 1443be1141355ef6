package sqlstore

import (
	"time"

	"keystile/internal/keystile"
)

const tokenColumns = `id, account_id, name, hash, created_at, expires_at, revoked_at, last_used_at, project_id`

func scanToken(row scanner) (keystile.Token, error) {
	var k keystile.Token
	err := row.Scan(&k.ID, &k.AccountID, &k.Name, &k.Hash, instant{&k.CreatedAt}, instant{&k.ExpiresAt},
		instant{&k.RevokedAt}, instant{&k.LastUsedAt}, &k.ProjectID)
	return k, err
}

func (t *tx) CreateToken(k keystile.Token) error {
	_, err := t.exec(`INSERT INTO tokens (`+tokenColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		k.ID, k.AccountID, k.Name, k.Hash, micros(k.CreatedAt), micros(k.ExpiresAt), micros(k.RevokedAt), micros(k.LastUsedAt), k.ProjectID)
	return about(err, "token %s", k.ID)
}

func (t *tx) TokenByHash(hash string) (keystile.Token, error) {
	k, err := get(t, scanToken, `SELECT `+tokenColumns+` FROM tokens WHERE hash = $1`, hash)
	return k, about(err, "token")
}

func (t *tx) Token(id string) (keystile.Token, error) {
	k, err := get(t, scanToken, `SELECT `+tokenColumns+` FROM tokens WHERE id = $1`, id)
	return k, about(err, "token %s", id)
}

func (t *tx) TokensOf(accountID string) ([]keystile.Token, error) {
	all, err := list(t, scanToken, `SELECT `+tokenColumns+` FROM tokens
		WHERE account_id = $1 ORDER BY created_at DESC, id DESC`, accountID)
	return all, about(err, "tokens of account %s", accountID)
}

func (t *tx) RevokeToken(id string, at time.Time) error {
	err := t.execOne(`UPDATE tokens SET revoked_at = CASE WHEN revoked_at = 0 THEN $1 ELSE revoked_at END
		WHERE id = $2`, micros(at), id)
	return about(err, "token %s", id)
}

func (t *tx) RevokeTokensOf(accountID string, at time.Time) error {
	_, err := t.exec(`UPDATE tokens SET revoked_at = $1 WHERE account_id = $2 AND revoked_at = 0`, micros(at), accountID)
	return about(err, "tokens of account %s", accountID)
}

func (t *tx) TouchToken(id string, at time.Time) error {
	err := t.execOne(`UPDATE tokens SET last_used_at = CASE WHEN last_used_at < $1 THEN $1 ELSE last_used_at END
		WHERE id = $2`, micros(at), id)
	return about(err, "token %s", id)
}
