package control

import (
	"context"

	"keystile/internal/keystile"
)

// Bootstrap are the acts of the first run and of the offline commands, which no
// account does. Whoever may open the store may do them; the trail names the
// account "system".
type Bootstrap struct {
	*core
	accounts *Accounts
	tokens   *Tokens
}

// CreateAdmin adds an admin account.
func (b *Bootstrap) CreateAdmin(ctx context.Context, name string, pass keystile.Secret) (keystile.Account, error) {
	if pass.IsZero() {
		return keystile.Account{}, keystile.Faults{{Field: "password", Message: "a password is needed"}}
	}
	account, _, err := b.accounts.Create(ctx, System(), NewAccount{Name: name, Role: keystile.RoleAdmin, Password: pass})
	return account, err
}

// ResetPassword sets an account's password and ends its sessions.
func (b *Bootstrap) ResetPassword(ctx context.Context, name string, pass keystile.Secret) error {
	if pass.IsZero() {
		return keystile.Faults{{Field: "password", Message: "a password is needed"}}
	}
	_, err := b.accounts.ResetPassword(ctx, System(), name, pass)
	return err
}

// CreateToken makes an API token that acts as the account. Its value is shown
// once.
func (b *Bootstrap) CreateToken(ctx context.Context, account, tokenName string, expiry Expiry) (value keystile.Secret, err error) {
	err = b.mutate(ctx, System(), act{action: "token.create", target: account, who: admins, do: func(ch *change) error {
		owner, err := ch.AccountByName(account)
		if err != nil {
			return err
		}
		ch.changed("account", "%s", account)
		_, value, err = b.tokens.issue(ch, newToken{accountID: owner.ID, name: tokenName, expiry: expiry})
		return err
	}})
	return value, err
}
