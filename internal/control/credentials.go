package control

import (
	"context"
	"errors"
	"fmt"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Credentials are the use cases of virtual keys. Admins do everything. An
// account that is not an admin sees the credentials it owns; unless it is
// readonly it may rotate and revoke them. Others' are not found.
type Credentials struct {
	*core
	ledger   Ledger
	backends *backendLookup
}

// CredentialInfo is a credential with the names of its accounts.
type CredentialInfo struct {
	keystile.Credential
	Status        keystile.Status
	OwnerName     string // empty: no owner
	CreatedByName string
	// Fullest is what the fullest of its buckets holds, that with the most bytes and
	// that with the most objects; of a credential with a ceiling.
	Fullest keystile.Amount
	// Spent is how much of its allowance is used up.
	Spent int64
	// Tightest is the limit that it is nearest to; nil: nothing bounds what it writes.
	Tightest *LimitUse
}

// CredentialSecret is a credential with its secret, which is shown once.
type CredentialSecret struct {
	CredentialInfo
	Secret keystile.Secret
}

// CredentialQuery selects credentials for a page.
type CredentialQuery struct {
	Text   string
	Owner  string // account name
	Cursor string
	Limit  int
}

// List returns a page, newest first, and the next cursor, empty at the end.
func (c *Credentials) List(ctx context.Context, a Actor, q CredentialQuery) (page []CredentialInfo, next string, err error) {
	err = c.read(ctx, a, "credential.list", "", anyone, func(tx store.Tx) error {
		filter := store.CredentialFilter{Text: q.Text, After: q.Cursor, Limit: q.Limit + 1}
		found, err := c.ownerFilter(tx, a, q.Owner, &filter)
		if err != nil || !found {
			return err
		}
		rows, err := tx.Credentials(filter)
		if err != nil {
			return err
		}
		if len(rows) > q.Limit {
			rows = rows[:q.Limit]
			next = rows[q.Limit-1].AccessKeyID
		}
		page, err = c.infos(tx, rows)
		return err
	})
	return page, next, err
}

// ownerFilter narrows to the owner asked for and, for who is no admin, to the
// own ones. It reports false if nothing can match.
func (c *Credentials) ownerFilter(tx store.Tx, a Actor, owner string, filter *store.CredentialFilter) (bool, error) {
	if !admins(a.Account.Role) {
		filter.Owner = a.Account.ID
		return owner == "" || owner == a.Account.Name, nil
	}
	if owner == "" {
		return true, nil
	}
	account, err := tx.AccountByName(owner)
	if errors.Is(err, keystile.ErrNotFound) {
		return false, nil
	}
	filter.Owner = account.ID
	return err == nil, err
}

// Get returns one credential.
func (c *Credentials) Get(ctx context.Context, a Actor, accessKeyID string) (info CredentialInfo, err error) {
	err = c.read(ctx, a, "credential.show", accessKeyID, anyone, func(tx store.Tx) error {
		cred, err := visible(tx, a, accessKeyID)
		if err != nil {
			return err
		}
		info, err = c.info(tx, cred)
		return err
	})
	return info, err
}

// visible reads a credential that the actor may know of.
func visible(tx store.Tx, a Actor, accessKeyID string) (keystile.Credential, error) {
	cred, err := tx.Credential(accessKeyID)
	if err != nil {
		return cred, err
	}
	if !admins(a.Account.Role) && (cred.Owner == "" || cred.Owner != a.Account.ID) {
		return cred, fmt.Errorf("credential %s: %w", accessKeyID, errHidden)
	}
	return cred, nil
}

func (c *Credentials) infos(tx store.Tx, rows []keystile.Credential) ([]CredentialInfo, error) {
	names := namesIn(tx)
	infos := make([]CredentialInfo, len(rows))
	caps := bucketCaps{tx: tx}
	for i, cred := range rows {
		owner, err := names.of(cred.Owner, "")
		if err != nil {
			return nil, err
		}
		creator, err := names.of(cred.CreatedBy, SystemName)
		if err != nil {
			return nil, err
		}
		infos[i] = CredentialInfo{Credential: cred, Status: cred.StatusAt(c.now()), OwnerName: owner, CreatedByName: creator}
		if cred.Limits.HasCeiling() {
			infos[i].Fullest = c.ceilingUse(cred)
		}
		if cred.Limits.HasAllowance() {
			infos[i].Spent, _, _ = c.ledger.Spent(cred.AccessKeyID)
		}
		if infos[i].Tightest, err = c.tightest(cred, infos[i].Spent, &caps); err != nil {
			return nil, err
		}
	}
	return infos, nil
}

func (c *Credentials) info(tx store.Tx, cred keystile.Credential) (CredentialInfo, error) {
	infos, err := c.infos(tx, []keystile.Credential{cred})
	if err != nil {
		return CredentialInfo{}, err
	}
	return infos[0], nil
}

// NewCredential is what is chosen of a credential when it is minted.
type NewCredential struct {
	Description string
	Grants      []keystile.Grant
	Expiry      Expiry
	Owner       string                     // account name; empty: no owner
	Limits      *keystile.CredentialLimits // nil: it inherits its buckets' quotas
}

// Create mints a credential.
func (c *Credentials) Create(ctx context.Context, a Actor, in NewCredential) (made CredentialSecret, err error) {
	id, secret := keystile.NewKeyPair()
	err = c.mutate(ctx, a, act{action: "credential.create", who: admins, do: func(ch *change) error {
		var faults keystile.Faults
		cred := keystile.Credential{
			AccessKeyID: id, Description: in.Description, Grants: in.Grants,
			CreatedBy: ch.actor.Account.ID, CreatedAt: ch.now, UpdatedAt: ch.now,
			ExpiresAt: in.Expiry.resolve(ch.now, &faults),
		}
		if err := c.setOwner(ch, &cred, in.Owner, &faults); err != nil {
			return err
		}
		if err := c.checkGrants(ch, cred.Grants, &faults); err != nil {
			return err
		}
		keystile.CheckText("description", cred.Description, keystile.MaxDescriptionRunes, &faults)
		if in.Limits != nil {
			ch.setLimits(&cred, in.Limits, &faults)
		}
		if err := faults.Err(); err != nil {
			ch.event.Detail.Changes = nil
			return err
		}
		ch.about(cred)
		ch.describe(cred, in.Owner)
		if err := ch.countBelowCeiling(cred); err != nil {
			return err
		}
		if cred.Generation, err = ch.stamp(); err != nil {
			return err
		}
		if err := ch.CreateCredential(cred, keystile.CredentialSecrets{Current: secret}); err != nil {
			return err
		}
		made.Secret = secret
		made.CredentialInfo, err = c.info(ch, cred)
		return err
	}})
	return made, err
}

// CredentialEdit changes what is not nil.
type CredentialEdit struct {
	Description *string
	Grants      *[]keystile.Grant
	Expiry      *Expiry // zero: never
	Owner       *string // account name; empty: no owner
	// Limits replace those before; one that points to nil takes them away.
	Limits **keystile.CredentialLimits
}

// Update edits a credential that is not revoked.
func (c *Credentials) Update(ctx context.Context, a Actor, accessKeyID string, edit CredentialEdit) (CredentialInfo, error) {
	return c.alter(ctx, a, "credential.update", accessKeyID, admins, func(ch *change, cred *keystile.Credential) error {
		if !cred.RevokedAt.IsZero() {
			return explain(keystile.ErrConflict, "a revoked credential cannot be changed")
		}
		if err := c.edit(ch, cred, edit); err != nil {
			return err
		}
		return ch.saveCredential(cred)
	})
}

func (c *Credentials) edit(ch *change, cred *keystile.Credential, edit CredentialEdit) error {
	var faults keystile.Faults
	if edit.Description != nil {
		cred.Description = *edit.Description
		keystile.CheckText("description", cred.Description, keystile.MaxDescriptionRunes, &faults)
		ch.changed("description", "%s", cred.Description)
	}
	if edit.Grants != nil {
		cred.Grants = *edit.Grants
		if err := c.checkGrants(ch, cred.Grants, &faults); err != nil {
			return err
		}
		ch.changed("grants", "%s", grantsText(cred.Grants))
	}
	if edit.Expiry != nil {
		cred.ExpiresAt = edit.Expiry.resolve(ch.now, &faults)
		ch.changed("expires_at", "%s", instant(cred.ExpiresAt))
	}
	if edit.Owner != nil {
		if err := c.setOwner(ch, cred, *edit.Owner, &faults); err != nil {
			return err
		}
		ch.changed("owner", "%s", *edit.Owner)
	}
	if edit.Limits != nil {
		ch.setLimits(cred, *edit.Limits, &faults)
	}
	if err := faults.Err(); err != nil {
		ch.event.Detail.Changes = nil
		return err
	}
	return ch.countBelowCeiling(*cred)
}

func (c *Credentials) setOwner(ch *change, cred *keystile.Credential, name string, faults *keystile.Faults) error {
	if name == "" {
		cred.Owner = ""
		return nil
	}
	account, err := ch.AccountByName(name)
	switch {
	case errors.Is(err, keystile.ErrNotFound):
		faults.Add("owner", "there is no such account")
		return nil
	case err != nil:
		return err
	case !account.DisabledAt.IsZero():
		faults.Add("owner", "the account is disabled")
	}
	cred.Owner = account.ID
	return nil
}

func (c *Credentials) checkGrants(ch *change, grants []keystile.Grant, faults *keystile.Faults) error {
	var found keystile.Faults
	if err := keystile.CheckGrants(grants); errors.As(err, &found) {
		*faults = append(*faults, found...)
	}
	missing := map[string]bool{}
	for i, g := range grants {
		absent, asked := missing[g.Bucket.Backend]
		if !asked {
			exists, err := c.backends.exists(ch, g.Bucket.Backend)
			if err != nil {
				return err
			}
			absent = !exists
			missing[g.Bucket.Backend] = absent
		}
		if absent && g.Bucket.Backend != "" {
			faults.Add(fmt.Sprintf("grants[%d].backend", i), "there is no such backend")
		}
	}
	return nil
}

// alter runs an act on one credential: finds it, names it in the event, lets fn
// change it.
func (c *Credentials) alter(ctx context.Context, a Actor, action, accessKeyID string, who who, fn func(*change, *keystile.Credential) error) (info CredentialInfo, err error) {
	err = c.mutate(ctx, a, act{action: action, target: accessKeyID, who: who, do: func(ch *change) error {
		cred, err := visible(ch, ch.actor, accessKeyID)
		if err != nil {
			return err
		}
		ch.about(cred)
		if err := fn(ch, &cred); err != nil {
			return err
		}
		info, err = c.info(ch, cred)
		return err
	}})
	return info, err
}

// about names the credential in the event.
func (ch *change) about(cred keystile.Credential) {
	ch.event.Detail.Target = cred.AccessKeyID
	ch.event.Detail.AccessKeyID = cred.AccessKeyID
}

func (ch *change) describe(cred keystile.Credential, owner string) {
	ch.changed("description", "%s", cred.Description)
	ch.changed("grants", "%s", grantsText(cred.Grants))
	ch.changed("expires_at", "%s", instant(cred.ExpiresAt))
	if owner != "" {
		ch.changed("owner", "%s", owner)
	}
}

// saveCredential stamps and stores the credential without its secrets.
func (ch *change) saveCredential(cred *keystile.Credential) (err error) {
	cred.UpdatedAt = ch.now
	if cred.Generation, err = ch.stamp(); err != nil {
		return err
	}
	return ch.UpdateCredential(*cred)
}

// maxGrantsText bounds what a scope takes of an event; the count is always told.
const maxGrantsText = 64 << 10

func grantsText(grants []keystile.Grant) string {
	text := ""
	for i, g := range grants {
		if i > 0 {
			text += " "
		}
		if len(text) > maxGrantsText {
			return text + fmt.Sprintf("and %d more", len(grants)-i)
		}
		text += g.String()
	}
	return text
}
