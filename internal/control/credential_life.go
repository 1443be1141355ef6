package control

import (
	"context"
	"time"

	"keystile/internal/keystile"
)

// Rotate gives an active credential a new secret. The old one works on for the
// overlap (0 to keystile.MaxOverlap); what was left of an overlap before ends.
func (c *Credentials) Rotate(ctx context.Context, a Actor, accessKeyID string, overlap time.Duration) (rotated CredentialSecret, err error) {
	secret := keystile.NewSecretKey()
	rotated.CredentialInfo, err = c.alter(ctx, a, "credential.rotate", accessKeyID, writers, func(ch *change, cred *keystile.Credential) error {
		if overlap < 0 || overlap > keystile.MaxOverlap {
			return keystile.Faults{{Field: "overlap", Message: "must lie between 0 and 30 days"}}
		}
		if status := cred.StatusAt(ch.now); status != keystile.StatusActive {
			return explain(keystile.ErrConflict, "a credential that is %s cannot be rotated", status)
		}
		old, err := ch.CredentialSecrets(accessKeyID)
		if err != nil {
			return err
		}
		secrets := keystile.CredentialSecrets{Current: secret}
		cred.RotatedAt, cred.OverlapUntil = ch.now, time.Time{}
		if overlap > 0 {
			secrets.Previous, cred.OverlapUntil = old.Current, ch.now.Add(overlap)
		}
		ch.changed("overlap_until", "%s", overlapText(cred.OverlapUntil))
		return ch.saveWithSecrets(cred, secrets)
	})
	if err == nil {
		rotated.Secret = secret
	}
	return rotated, err
}

func overlapText(until time.Time) string {
	if until.IsZero() {
		return "none"
	}
	return instant(until)
}

// Disable stops a credential until it is enabled. Repeated, it only waits for
// the gateways again.
func (c *Credentials) Disable(ctx context.Context, a Actor, accessKeyID string) (CredentialInfo, error) {
	return c.alter(ctx, a, "credential.disable", accessKeyID, admins, func(ch *change, cred *keystile.Credential) error {
		switch {
		case !cred.RevokedAt.IsZero():
			return explain(keystile.ErrConflict, "the credential is revoked")
		case !cred.DisabledAt.IsZero():
			return ch.unchanged("was disabled already")
		}
		ch.changed("status", "%s", keystile.StatusDisabled)
		return ch.disableCredential(cred)
	})
}

// Enable undoes Disable. A credential whose owner is disabled stays as it is.
func (c *Credentials) Enable(ctx context.Context, a Actor, accessKeyID string) (CredentialInfo, error) {
	return c.alter(ctx, a, "credential.enable", accessKeyID, admins, func(ch *change, cred *keystile.Credential) error {
		switch {
		case !cred.RevokedAt.IsZero():
			return explain(keystile.ErrConflict, "the credential is revoked")
		case cred.DisabledAt.IsZero():
			return ch.unchanged("was enabled already")
		}
		if err := ownerLives(ch, cred); err != nil {
			return err
		}
		cred.DisabledAt, cred.DisabledBy = time.Time{}, ""
		ch.changed("status", "%s", cred.StatusAt(ch.now))
		return ch.saveCredential(cred)
	})
}

func ownerLives(ch *change, cred *keystile.Credential) error {
	if cred.Owner == "" {
		return nil
	}
	owner, err := ch.Account(cred.Owner)
	if err != nil {
		return err
	}
	if !owner.DisabledAt.IsZero() {
		return explain(keystile.ErrConflict, "the credential's owner is disabled")
	}
	return nil
}

// Revoke ends a credential for good and erases its secrets. Repeated, it only
// waits for the gateways again.
func (c *Credentials) Revoke(ctx context.Context, a Actor, accessKeyID string) (CredentialInfo, error) {
	return c.alter(ctx, a, "credential.revoke", accessKeyID, writers, func(ch *change, cred *keystile.Credential) error {
		if !cred.RevokedAt.IsZero() {
			return ch.unchanged("was revoked already")
		}
		ch.changed("status", "%s", keystile.StatusRevoked)
		return ch.revokeCredential(cred)
	})
}

// disableCredential disables and ends every overlap: the secret before is
// erased.
func (ch *change) disableCredential(cred *keystile.Credential) error {
	secrets, err := ch.CredentialSecrets(cred.AccessKeyID)
	if err != nil {
		return err
	}
	cred.DisabledAt, cred.DisabledBy, cred.OverlapUntil = ch.now, ch.actor.Account.ID, time.Time{}
	return ch.saveWithSecrets(cred, keystile.CredentialSecrets{Current: secrets.Current})
}

func (ch *change) revokeCredential(cred *keystile.Credential) error {
	cred.RevokedAt, cred.OverlapUntil = ch.now, time.Time{}
	return ch.saveWithSecrets(cred, keystile.CredentialSecrets{})
}

func (ch *change) saveWithSecrets(cred *keystile.Credential, secrets keystile.CredentialSecrets) error {
	if err := ch.saveCredential(cred); err != nil {
		return err
	}
	return ch.SetCredentialSecrets(cred.AccessKeyID, secrets)
}
