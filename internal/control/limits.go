package control

import (
	"errors"
	"slices"

	"keystile/internal/keystile"
)

// setLimits gives a credential limits; nil: it inherits its buckets' quotas.
func (ch *change) setLimits(cred *keystile.Credential, limits *keystile.CredentialLimits, faults *keystile.Faults) {
	if limits != nil {
		limits.Check(faults)
		if !limits.HasCeiling() && !limits.HasAllowance() {
			limits = nil
		}
	}
	cred.Limits = limits
	ch.changed("quota", "%s", limits)
}

// countBelowCeiling has the buckets counted that the credential writes into below a
// ceiling: until they are, nothing of it fits.
func (ch *change) countBelowCeiling(cred keystile.Credential) error {
	if !cred.Limits.HasCeiling() {
		return nil
	}
	for _, g := range cred.Grants {
		if !g.Permission.Has(keystile.Write) {
			continue
		}
		_, err := ch.BucketQuota(g.Bucket)
		if errors.Is(err, keystile.ErrNotFound) {
			_, err = saveQuota(ch, noCaps(g.Bucket))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mustBeCounted reports whether a cap holds for the bucket that is not its own:
// that of the RGW user who owns it, or the ceiling of a credential.
func (ch *change) mustBeCounted(bucket keystile.Bucket) (bool, error) {
	_, err := ch.RGWBucket(bucket)
	if !errors.Is(err, keystile.ErrNotFound) {
		return err == nil, err
	}
	bound, err := ch.BoundCredentials()
	return slices.ContainsFunc(bound, func(c keystile.Credential) bool {
		return c.Limits.HasCeiling() && slices.ContainsFunc(c.Grants, func(g keystile.Grant) bool {
			return g.Bucket == bucket && g.Permission.Has(keystile.Write)
		})
	}), err
}

// ceilingUse is how near the fullest of a credential's buckets is to its ceiling.
func (c *Credentials) ceilingUse(cred keystile.Credential) (most keystile.Amount) {
	for _, g := range cred.Grants {
		if u, ok := c.ledger.Usage(g.Bucket); ok && g.Permission.Has(keystile.Write) {
			total := u.Total()
			most = keystile.Amount{Bytes: max(most.Bytes, total.Bytes), Objects: max(most.Objects, total.Objects)}
		}
	}
	return most
}
