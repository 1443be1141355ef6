package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/password"
	"keystile/internal/store"
)

// Accounts are the use cases of people; for admins.
type Accounts struct {
	*core
	hasher *password.Hasher
}

// List returns all accounts, by name.
func (s *Accounts) List(ctx context.Context, a Actor) (list []keystile.Account, err error) {
	err = s.read(ctx, a, "account.list", "", admins, func(tx store.Tx) error {
		list, err = tx.Accounts()
		return err
	})
	return list, err
}

// Get returns one account.
func (s *Accounts) Get(ctx context.Context, a Actor, name string) (account keystile.Account, err error) {
	err = s.read(ctx, a, "account.show", name, admins, func(tx store.Tx) error {
		account, err = tx.AccountByName(name)
		return err
	})
	return account, err
}

// NewAccount is what is chosen of an account. Without a password a random one
// is made.
type NewAccount struct {
	Name     string
	Role     keystile.Role
	Password keystile.Secret
}

// Create adds an account. Generated is the random password, zero if one was
// given.
func (s *Accounts) Create(ctx context.Context, a Actor, in NewAccount) (account keystile.Account, generated keystile.Secret, err error) {
	account = keystile.Account{ID: newID(), Name: in.Name, Role: in.Role}
	err = s.mutate(ctx, a, act{
		action: "account.create", target: in.Name, who: admins,
		prepare: func(ctx context.Context) (err error) {
			if err := checkNewAccount(in); err != nil {
				return err
			}
			account.PasswordHash, generated, err = s.newPassword(ctx, in.Password)
			return err
		},
		do: func(ch *change) error {
			account.CreatedAt, account.UpdatedAt = ch.now, ch.now
			ch.changed("role", "%s", in.Role)
			err := ch.CreateAccount(account)
			if errors.Is(err, keystile.ErrConflict) {
				return &Explained{fmt.Sprintf("there is an account %q already", in.Name), err}
			}
			return err
		},
	})
	return account, generated, err
}

func checkNewAccount(in NewAccount) error {
	var faults keystile.Faults
	keystile.CheckAccountName(in.Name, &faults)
	if in.Name == SystemName {
		faults.Add("name", "%q is not a person's name", SystemName)
	}
	if !in.Role.Valid() {
		faults.Add("role", "must be admin, user or readonly")
	}
	if !in.Password.IsZero() {
		keystile.CheckPassword(in.Password.Reveal(), &faults)
	}
	return faults.Err()
}

// newPassword hashes the password given, or a random one that it returns.
func (s *Accounts) newPassword(ctx context.Context, given keystile.Secret) (hash string, generated keystile.Secret, err error) {
	if given.IsZero() {
		generated = keystile.NewPassword()
		given = generated
	}
	hash, err = s.hasher.Hash(ctx, given.Reveal())
	return hash, generated, err
}

// AccountEdit changes what is not nil.
type AccountEdit struct {
	Role     *keystile.Role
	Disabled *bool
}

// action names the act for the trail by what weighs most.
func (e AccountEdit) action() string {
	switch {
	case e.Disabled == nil:
		return "account.update"
	case *e.Disabled:
		return "account.disable"
	}
	return "account.enable"
}

// Update changes an account's role, disables or enables it. Disabling ends its
// sessions and tokens and disables the credentials it owns; enabling brings
// back none of them.
func (s *Accounts) Update(ctx context.Context, a Actor, name string, edit AccountEdit) (account keystile.Account, err error) {
	err = s.mutate(ctx, a, act{action: edit.action(), target: name, who: admins, do: func(ch *change) error {
		if account, err = ch.AccountByName(name); err != nil {
			return err
		}
		if err := ch.setRole(&account, edit.Role); err != nil {
			return err
		}
		if edit.Disabled != nil {
			if err := ch.setDisabled(&account, *edit.Disabled); err != nil {
				return err
			}
		}
		if err := ch.anAdminIsLeft(account); err != nil {
			return err
		}
		account.UpdatedAt = ch.now
		return ch.UpdateAccount(account)
	}})
	return account, err
}

func (ch *change) setRole(account *keystile.Account, role *keystile.Role) error {
	if role == nil {
		return nil
	}
	if !role.Valid() {
		return keystile.Faults{{Field: "role", Message: "must be admin, user or readonly"}}
	}
	ch.changed("role", "%s", *role)
	account.Role = *role
	return nil
}

func (ch *change) setDisabled(account *keystile.Account, disabled bool) error {
	switch {
	case disabled == !account.DisabledAt.IsZero():
		return ch.unchanged("was so already")
	case !disabled:
		account.DisabledAt = time.Time{}
		return nil
	}
	account.DisabledAt = ch.now
	if err := ch.DeleteSessionsOf(account.ID, ""); err != nil {
		return err
	}
	if err := ch.RevokeTokensOf(account.ID, ch.now); err != nil {
		return err
	}
	return ch.eachOwned(account.ID, func(cred *keystile.Credential) error {
		if !cred.DisabledAt.IsZero() {
			return nil
		}
		ch.along("credential.disable", cred.AccessKeyID).Detail.AccessKeyID = cred.AccessKeyID
		return ch.disableCredential(cred)
	})
}

// eachOwned calls fn for every credential of the owner that is not revoked.
func (ch *change) eachOwned(owner string, fn func(*keystile.Credential) error) error {
	owned, err := ch.Credentials(store.CredentialFilter{Owner: owner})
	if err != nil {
		return err
	}
	for i := range owned {
		if owned[i].RevokedAt.IsZero() {
			if err := fn(&owned[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// anAdminIsLeft refuses a change of the account that would leave no admin who
// can sign in.
func (ch *change) anAdminIsLeft(changed keystile.Account) error {
	accounts, err := ch.Accounts()
	if err != nil {
		return err
	}
	wasAdmin := false
	for _, account := range accounts {
		if account.ID == changed.ID {
			wasAdmin = activeAdmin(account)
			account = changed
		}
		if activeAdmin(account) {
			return nil
		}
	}
	if !wasAdmin {
		return nil // the offline commands may work while there is none
	}
	return explain(keystile.ErrConflict, "%s is the last active admin", changed.Name)
}

func activeAdmin(a keystile.Account) bool {
	return a.Role == keystile.RoleAdmin && a.DisabledAt.IsZero()
}

// Delete removes an account with its sessions and tokens and revokes the
// credentials it owns. Those it merely created live on.
func (s *Accounts) Delete(ctx context.Context, a Actor, name string) error {
	return s.mutate(ctx, a, act{action: "account.delete", target: name, who: admins, ends: true, do: func(ch *change) error {
		account, err := ch.AccountByName(name)
		if err != nil {
			return err
		}
		removed := account
		removed.DisabledAt = ch.now
		if err := ch.anAdminIsLeft(removed); err != nil {
			return err
		}
		err = ch.eachOwned(account.ID, func(cred *keystile.Credential) error {
			ch.along("credential.revoke", cred.AccessKeyID).Detail.AccessKeyID = cred.AccessKeyID
			return ch.revokeCredential(cred)
		})
		if err != nil {
			return err
		}
		return ch.DeleteAccount(account.ID)
	}})
}

// ResetPassword sets a new password, random where none is given, and ends all
// sessions of the account.
func (s *Accounts) ResetPassword(ctx context.Context, a Actor, name string, given keystile.Secret) (generated keystile.Secret, err error) {
	var hash string
	err = s.mutate(ctx, a, act{
		action: "account.reset_password", target: name, who: admins,
		prepare: func(ctx context.Context) (err error) {
			var faults keystile.Faults
			if !given.IsZero() {
				keystile.CheckPassword(given.Reveal(), &faults)
			}
			if err := faults.Err(); err != nil {
				return err
			}
			hash, generated, err = s.newPassword(ctx, given)
			return err
		},
		do: func(ch *change) error {
			account, err := ch.AccountByName(name)
			if err != nil {
				return err
			}
			account.PasswordHash, account.UpdatedAt = hash, ch.now
			if err := ch.UpdateAccount(account); err != nil {
				return err
			}
			return ch.DeleteSessionsOf(account.ID, "")
		},
	})
	return generated, err
}
