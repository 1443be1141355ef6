package main

import (
	"context"
	"fmt"

	"keystile/internal/client"
	"keystile/internal/keystile"
)

type credentialCommands struct {
	APIFlags
	Create  credentialCreate  `cmd:"" help:"Mint a credential; its secret is shown once."`
	List    credentialList    `cmd:"" help:"List credentials, newest first."`
	Show    credentialShow    `cmd:"" help:"Show one credential, without its secret."`
	Edit    credentialEdit    `cmd:"" help:"Change description, scope, expiry or owner."`
	Rotate  credentialRotate  `cmd:"" help:"Give it a new secret under the same access key ID."`
	Disable credentialDisable `cmd:"" help:"Stop it until it is enabled again."`
	Enable  credentialEnable  `cmd:"" help:"Undo disable."`
	Revoke  credentialRevoke  `cmd:"" help:"End it for good, at once."`
}

// Grants are the flags of a scope.
type Grants struct {
	Grant       []string `help:"One line of the scope: BACKEND/BUCKET[/PREFIX]:read,list,write,delete[@ALIAS]. Repeat for more." sep:"none" placeholder:"GRANT"`
	ExactPrefix bool     `help:"Take prefixes as they are, without a slash put at their end."`
}

func (g Grants) parse() ([]client.Grant, error) {
	grants := make([]client.Grant, 0, len(g.Grant))
	for _, text := range g.Grant {
		parsed, err := keystile.ParseGrant(text, g.ExactPrefix)
		if err != nil {
			return nil, usagef("--grant: %s", plain(err))
		}
		grants = append(grants, client.GrantOf(parsed))
	}
	return grants, nil
}

type credentialCreate struct {
	Description string `required:"" help:"What the credential is for." placeholder:"TEXT"`
	Grants
	Expiry
	Owner string `help:"The account that may see, rotate and revoke it, and with which it ends." placeholder:"ACCOUNT"`
	Limits
}

// Help has the examples.
func (credentialCreate) Help() string {
	return `GRANT is split at its last colon, so a prefix may have colons. A prefix gets a slash at its end unless --exact-prefix is given.

Examples:

    keystile credential create --description "nightly backup" --grant local/backups/db:read,list,write
    keystile credential create --description ci --grant prod/artifacts:read,list --grant prod/cache:read,list,write,delete --expires-in 30d
    keystile credential create --description "logs" --grant prod/logs:write --ceiling 8GiB --allowance 1GiB/day
    keystile credential create --description "old name" --grant prod/photos-2019:read,list@photos
    keystile credential create --description "team A" --grant prod/shared/team-a/:read,list,write,delete@team-a
`
}

// Run mints the credential.
func (cmd credentialCreate) Run(ctx context.Context, c *caller) error {
	grants, err := cmd.Grants.parse()
	if err != nil {
		return err
	}
	if len(grants) == 0 {
		return usagef("at least one --grant is needed")
	}
	expiry, err := cmd.Expiry.parse()
	if err != nil {
		return err
	}
	in := client.NewCredential{Description: cmd.Description, Grants: grants, Owner: cmd.Owner}
	if expiry != nil {
		in.Expiry = *expiry
	}
	if in.Quota, err = cmd.Limits.parse(); err != nil {
		return err
	}
	created, err := c.CreateCredential(ctx, in)
	if err != nil {
		return err
	}
	return c.credential(created)
}

type credentialList struct {
	Search string `help:"Only those with this text in access key ID or description." placeholder:"TEXT"`
	Owner  string `help:"Only those of this owner." placeholder:"ACCOUNT"`
	Limit  int    `help:"At most so many; 0 is all." default:"0"`
}

// Run lists.
func (cmd credentialList) Run(ctx context.Context, c *caller) error {
	if cmd.Limit < 0 {
		return usagef("--limit: %d is below 0", cmd.Limit)
	}
	list, err := c.Credentials(ctx, client.CredentialFilter{Text: cmd.Search, Owner: cmd.Owner, Limit: cmd.Limit})
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, list)
	}
	t := table{head: []string{"ACCESS KEY ID", "STATUS", "EXPIRES", "LAST USED", "OWNER", "DESCRIPTION", "SCOPE"}}
	for _, x := range list {
		t.add(x.AccessKeyID, x.Status, orNever(x.ExpiresAt), orNever(x.LastUsedAt), x.Owner, clean(x.Description), scopes(x.Grants))
	}
	return t.write(c.con.out, "No credentials.")
}

// AccessKey is the argument of commands about one credential.
type AccessKey struct {
	AccessKeyID string `arg:"" help:"The credential's access key ID, AKIA…"`
}

type credentialShow struct{ AccessKey }

// Run shows one.
func (cmd credentialShow) Run(ctx context.Context, c *caller) error {
	got, err := c.Credential(ctx, cmd.AccessKeyID)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, got)
	}
	traffic, err := c.CredentialTraffic(ctx, cmd.AccessKeyID)
	if err != nil {
		return err
	}
	f := credentialFields(got)
	f.add("Last hour", trafficText(traffic.LastHour))
	f.add("Last 24 hours", trafficText(traffic.Last24h))
	return f.write(c.con.out)
}

type credentialEdit struct {
	AccessKey
	Description *string `help:"The new description." placeholder:"TEXT"`
	Grants
	Expiry
	Owner   string `help:"The new owner." placeholder:"ACCOUNT" xor:"owner"`
	NoOwner bool   `help:"Take the owner away." xor:"owner"`
	Limits
	InheritQuota bool `help:"Take the ceiling and the allowance away: the quotas of its buckets alone hold."`
}

// Help has the examples.
func (credentialEdit) Help() string {
	return `Only what is given changes. --grant replaces the whole scope: name every line that is to stay. --ceiling, --ceiling-objects and --allowance replace each other too: one that is left out is none. What is written of an allowance stays counted while it is by the same span.

Examples:

    keystile credential edit AKIA… --expires-in 7d
    keystile credential edit AKIA… --expires-at never
    keystile credential edit AKIA… --allowance 1GiB/day
    keystile credential edit AKIA… --grant local/backups/db:read,list
`
}

// Run changes it.
func (cmd credentialEdit) Run(ctx context.Context, c *caller) error {
	edit, err := cmd.edit()
	if err != nil {
		return err
	}
	changed, err := c.EditCredential(ctx, cmd.AccessKeyID, edit)
	if err != nil {
		return err
	}
	return c.credential(changed)
}

func (cmd credentialEdit) edit() (client.CredentialEdit, error) {
	edit := client.CredentialEdit{Description: cmd.Description}
	grants, err := cmd.Grants.parse()
	if err != nil {
		return edit, err
	}
	if len(grants) > 0 {
		edit.Grants = grants
	}
	if edit.Expiry, err = cmd.Expiry.parse(); err != nil {
		return edit, err
	}
	if cmd.Owner != "" || cmd.NoOwner {
		edit.Owner = &cmd.Owner
	}
	if edit.Quota, err = cmd.Limits.parse(); err != nil {
		return edit, err
	}
	if edit.NoQuota = cmd.InheritQuota; edit.NoQuota && edit.Quota != nil {
		return edit, usagef("--inherit-quota cannot be given with a limit")
	}
	if edit.Description == nil && edit.Grants == nil && edit.Expiry == nil && edit.Owner == nil && edit.Quota == nil && !edit.NoQuota {
		return edit, usagef("nothing to change: give --description, --grant, --expires-in, --expires-at, --owner, --no-owner, --ceiling, --ceiling-objects, --allowance or --inherit-quota")
	}
	return edit, nil
}

type credentialRotate struct {
	AccessKey
	Overlap string `help:"How long the old secret works on: 1h, 7d. Default: it ends at once." placeholder:"DURATION"`
	Confirm
}

// Run rotates.
func (cmd credentialRotate) Run(ctx context.Context, c *caller) error {
	if cmd.Overlap != "" {
		if err := checkDuration("--overlap", cmd.Overlap); err != nil {
			return err
		}
	} else if err := cmd.ask(c.con, "Rotate "+cmd.AccessKeyID+"? The old secret ends at once."); err != nil {
		return err
	}
	rotated, err := c.RotateCredential(ctx, cmd.AccessKeyID, cmd.Overlap)
	if err != nil {
		return err
	}
	return c.credential(rotated)
}

type credentialDisable struct{ AccessKey }

// Run disables.
func (cmd credentialDisable) Run(ctx context.Context, c *caller) error {
	got, err := c.DisableCredential(ctx, cmd.AccessKeyID)
	return c.credentialState(got, err)
}

type credentialEnable struct{ AccessKey }

// Run enables.
func (cmd credentialEnable) Run(ctx context.Context, c *caller) error {
	got, err := c.EnableCredential(ctx, cmd.AccessKeyID)
	return c.credentialState(got, err)
}

type credentialRevoke struct {
	AccessKey
	Confirm
}

// Run revokes.
func (cmd credentialRevoke) Run(ctx context.Context, c *caller) error {
	if err := cmd.ask(c.con, "Revoke "+cmd.AccessKeyID+"? This cannot be undone."); err != nil {
		return err
	}
	got, err := c.RevokeCredential(ctx, cmd.AccessKeyID)
	return c.credentialState(got, err)
}

func (c *caller) credentialState(x client.Credential, err error) error {
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, x)
	}
	return c.done("%s is %s.", x.AccessKeyID, x.Status)
}

// credential prints one, with its secret where the answer has it.
func (c *caller) credential(x client.Credential) error {
	if c.json {
		return printJSON(c.con.out, x)
	}
	f := credentialFields(x)
	if err := f.write(c.con.out); err != nil {
		return err
	}
	if x.SecretAccessKey == "" {
		return nil
	}
	_, err := fmt.Fprintln(c.con.out, "\nThe secret is shown this once: keep it now.")
	return err
}

func credentialFields(x client.Credential) fields {
	var f fields
	f.add("Access key ID", x.AccessKeyID)
	f.add("Secret access key", x.SecretAccessKey)
	f.add("S3 endpoint", x.S3Endpoint)
	f.add("Region", x.Region)
	f.add("Description", clean(x.Description))
	f.add("Status", x.Status)
	f.add("Scope", scopes(x.Grants))
	quotaFields(&f, x.Quota)
	f.add("Owner", x.Owner)
	f.add("Created by", x.CreatedBy)
	f.add("Created", shortTime(x.CreatedAt))
	f.add("Expires", orNever(x.ExpiresAt))
	f.add("Last used", orNever(x.LastUsedAt))
	f.add("Rotated", shortTime(x.RotatedAt))
	f.add("Old secret ends", shortTime(x.OverlapUntil))
	f.add("Disabled", shortTime(x.DisabledAt))
	f.add("Revoked", shortTime(x.RevokedAt))
	return f
}
