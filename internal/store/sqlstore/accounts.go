package sqlstore

import (
	"keystile/internal/keystile"
)

const accountColumns = `id, name, role, password_hash, created_at, updated_at, disabled_at`

func scanAccount(row scanner) (keystile.Account, error) {
	var a keystile.Account
	err := row.Scan(&a.ID, &a.Name, &a.Role, &a.PasswordHash,
		instant{&a.CreatedAt}, instant{&a.UpdatedAt}, instant{&a.DisabledAt})
	return a, err
}

func (t *tx) CreateAccount(a keystile.Account) error {
	_, err := t.exec(`INSERT INTO accounts (`+accountColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		a.ID, a.Name, a.Role, a.PasswordHash, micros(a.CreatedAt), micros(a.UpdatedAt), micros(a.DisabledAt))
	return about(err, "account %q", a.Name)
}

func (t *tx) Account(id string) (keystile.Account, error) {
	a, err := get(t, scanAccount, `SELECT `+accountColumns+` FROM accounts WHERE id = $1`, id)
	return a, about(err, "account %s", id)
}

func (t *tx) AccountByName(name string) (keystile.Account, error) {
	a, err := get(t, scanAccount, `SELECT `+accountColumns+` FROM accounts WHERE name = $1`, name)
	return a, about(err, "account %q", name)
}

func (t *tx) Accounts() ([]keystile.Account, error) {
	all, err := list(t, scanAccount, `SELECT `+accountColumns+` FROM accounts ORDER BY name`)
	return all, about(err, "accounts")
}

func (t *tx) UpdateAccount(a keystile.Account) error {
	err := t.execOne(`UPDATE accounts SET role = $1, password_hash = $2, updated_at = $3, disabled_at = $4 WHERE id = $5`,
		a.Role, a.PasswordHash, micros(a.UpdatedAt), micros(a.DisabledAt), a.ID)
	return about(err, "account %s", a.ID)
}

func (t *tx) DeleteAccount(id string) error {
	return about(t.execOne(`DELETE FROM accounts WHERE id = $1`, id), "account %s", id)
}
