package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"keystile/internal/client"
)

type rgwCommands struct {
	APIFlags
	User   rgwUserCommands   `cmd:"" help:"S3 identities of projects that own buckets."`
	Bucket rgwBucketCommands `cmd:"" help:"Their buckets, and who may use them."`
	Object rgwObjectCommands `cmd:"" help:"What their buckets hold; to copy it take an S3 client."`
	Job    rgwJobCommands    `cmd:"" help:"Deletions of users with all their objects."`
}

type rgwUserCommands struct {
	Create   rgwUserCreate   `cmd:"" help:"Make a user with its key; the secret is printed this once."`
	List     rgwUserList     `cmd:"" help:"List users, newest first."`
	Show     rgwUserShow     `cmd:"" help:"Show a user with its usage, and what was changed at its Ceph."`
	Events   rgwUserEvents   `cmd:"" help:"List what was done to a user, or with its key, newest first."`
	Rename   rgwUserRename   `cmd:"" help:"Give a user another name."`
	RenewKey rgwUserRenewKey `cmd:"" help:"Give the key a new secret, printed this once; the old one ends."`
	Lock     rgwUserLock     `cmd:"" help:"Guard a user against renewal and deletion (admins)."`
	Unlock   rgwUserUnlock   `cmd:"" help:"Take the lock off (admins)."`
	SetQuota rgwUserSetQuota `cmd:"" help:"Bound what a user's buckets may hold (admins)."`
	Disable  rgwUserDisable  `cmd:"" help:"Stop a user's key (admins)."`
	Enable   rgwUserEnable   `cmd:"" help:"Let a disabled user's key work again (admins)."`
	Delete   rgwUserDelete   `cmd:"" help:"Delete a user without objects, or with --purge-objects all of them."`

	Unmanaged rgwUserUnmanaged `cmd:"" help:"List a Ceph's users that are not managed here (admins)."`
	Adopt     rgwUserAdopt     `cmd:"" help:"Take a user that a Ceph has already under management (admins)."`
	Forget    rgwUserForget    `cmd:"" help:"Give a Ceph's user back; it stays there as it is (admins)."`
	Drift     rgwUserDrift     `cmd:"" help:"List users that somebody else changed at their Ceph."`
}

// RGWUserID is the argument of commands about one user.
type RGWUserID struct {
	ID string `arg:"" help:"The user's id."`
}

// Validate tells who gives a name, which is unique in its project only, what is
// wanted.
func (u RGWUserID) Validate() error {
	if uuid.Validate(u.ID) != nil {
		return fmt.Errorf("%q is no id: \"keystile rgw user list\" shows the ids of users", u.ID)
	}
	return nil
}

type rgwUserCreate struct {
	Name    string `arg:"" help:"The user's name, unique in the project."`
	Project string `required:"" help:"The project's name or id." placeholder:"PROJECT"`
	Backend string `help:"Where it lives. Default: the one Ceph, or the one backend, that there is." placeholder:"ID"`
	QuotaKB *int64 `name:"quota-kb" help:"What its buckets may hold, in KiB; --quota-kb=-1: unlimited (admins)." placeholder:"KIB"`
}

func (rgwUserCreate) Help() string {
	return `The answer has the secret, this once. The project's owners may, and members with rgw:write.

Examples:
  keystile rgw user create my-app --project "Data platform"
  keystile rgw user create my-app --project "Data platform" --backend ceph-1 --quota-kb 10485760`
}

// Run makes a user.
func (cmd rgwUserCreate) Run(ctx context.Context, c *caller) error {
	project, err := c.projectID(ctx, cmd.Project)
	if err != nil {
		return err
	}
	in := client.NewRGWUser{Name: cmd.Name, ProjectID: project, BackendID: cmd.Backend}
	if cmd.QuotaKB != nil {
		in.Quota = &client.RGWQuota{MaxSizeKB: *cmd.QuotaKB, Enabled: true}
	}
	made, err := c.CreateRGWUser(ctx, in)
	if err != nil {
		return err
	}
	return c.rgwUser(made)
}

func (c *caller) rgwUser(u client.RGWUser) error {
	if c.json {
		return printJSON(c.con.out, u)
	}
	var f fields
	f.add("ID", u.ID)
	f.add("Name", u.Name)
	f.add("Project", u.ProjectID)
	f.add("Backend", u.BackendID)
	f.add("Ceph uid", u.UID)
	f.add("Access key ID", u.AccessKeyID)
	if u.SecretKey != client.RGWSecretMask {
		f.add("Secret access key", u.SecretKey)
	}
	f.add("Endpoint", u.Endpoint)
	f.add("Region", u.Region)
	f.add("Status", rgwStatus(u))
	f.add("Quota", quotaText(u.Quota))
	if u.BucketsTotalSize != nil {
		f.add("Holds", kibibytes(*u.BucketsTotalSize))
	}
	f.add("Changed at the Ceph", strings.Join(u.Drift, ", "))
	if u.Job != nil {
		f.add("Deletion", jobText(*u.Job))
		f.add("Job", u.Job.ID)
	}
	f.add("Created", shortTime(u.CreatedAt))
	f.add("Key renewed", shortTime(u.KeyRenewedAt))
	return f.write(c.con.out)
}

func rgwStatus(u client.RGWUser) string {
	status := u.Status
	if u.State != "live" {
		status = u.State
	}
	if u.Locked {
		status += ", locked"
		if u.LockReason != nil {
			status += ": " + clean(*u.LockReason)
		}
	}
	return status
}

func quotaText(q client.RGWQuota) string {
	if q.MaxSizeKB < 0 {
		return "unlimited"
	}
	text := kibibytes(q.MaxSizeKB)
	if !q.Enabled {
		text += " (not enforced)"
	}
	return text
}

func kibibytes(n int64) string { return sizeText(n << 10) }

type rgwUserList struct {
	Project string `help:"The project's name or id. Default: all, for admins." placeholder:"PROJECT"`
	Limit   int    `help:"How many at most; 0: all." default:"0"`
}

// Run lists.
func (cmd rgwUserList) Run(ctx context.Context, c *caller) error {
	list, err := c.listRGWUsers(ctx, cmd.Project, cmd.Limit)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, list)
	}
	t := table{head: []string{"NAME", "BACKEND", "ACCESS KEY ID", "STATUS", "QUOTA", "ID", "CREATED"}}
	for _, u := range list {
		t.add(u.Name, u.BackendID, u.AccessKeyID, rgwStatus(u), quotaText(u.Quota), u.ID, shortTime(u.CreatedAt))
	}
	return t.write(c.con.out, "No RGW users.")
}

// listRGWUsers lists users, of one project unless its name is empty.
func (c *caller) listRGWUsers(ctx context.Context, project string, limit int) ([]client.RGWUser, error) {
	if project != "" {
		var err error
		if project, err = c.projectID(ctx, project); err != nil {
			return nil, err
		}
	}
	list := []client.RGWUser{}
	err := c.RGWUsers(ctx, project, limit, func(u client.RGWUser) error {
		list = append(list, u)
		return nil
	})
	var refused *client.Error
	if project == "" && errors.As(err, &refused) && slices.ContainsFunc(refused.Faults, func(f client.Fault) bool { return f.Field == "project_id" }) {
		return nil, usagef("give --project: only admins see the users of all projects")
	}
	return list, err
}

type rgwUserShow struct{ RGWUserID }

// Run shows one.
func (cmd rgwUserShow) Run(ctx context.Context, c *caller) error {
	found, err := c.RGWUser(ctx, cmd.ID)
	if err != nil {
		return err
	}
	if err := c.rgwUser(found); err != nil || found.BucketsTotalSize != nil || found.State != "live" {
		return err
	}
	_, err = fmt.Fprintln(c.con.err, "What it holds, and whether it was changed behind this server, is not known: its backend gives no answer.")
	return err
}

// edit changes a user and prints it.
func (c *caller) editRGWUser(ctx context.Context, id string, edit client.RGWUserEdit) error {
	changed, err := c.EditRGWUser(ctx, id, edit)
	if err != nil {
		return err
	}
	return c.rgwUser(changed)
}

type rgwUserRename struct {
	RGWUserID
	Name string `arg:"" help:"The new name."`
}

// Run renames.
func (cmd rgwUserRename) Run(ctx context.Context, c *caller) error {
	return c.editRGWUser(ctx, cmd.ID, client.RGWUserEdit{Name: &cmd.Name})
}

type rgwUserRenewKey struct {
	RGWUserID
	Confirm
}

func (rgwUserRenewKey) Help() string {
	return `The access key ID stays. When this returns, the old secret is dead at the gateway and at the Ceph.
A locked user keeps its secret: that is said, and is no failure.

Example, into a file that only its owner reads:
  (umask 077; keystile rgw user renew-key ID --yes --output json > key.json)`
}

// Run renews. That a lock kept the secret is said, and is no failure.
func (cmd rgwUserRenewKey) Run(ctx context.Context, c *caller) error {
	if err := cmd.ask(c.con, "Renew the key of "+cmd.ID+"? Whoever uses the old secret is refused from then on."); err != nil {
		return err
	}
	renewed, err := c.RenewRGWUserKey(ctx, cmd.ID)
	if err != nil {
		return err
	}
	if err := c.rgwUser(renewed); err != nil || renewed.SecretKey != client.RGWSecretMask {
		return err
	}
	_, err = fmt.Fprintln(c.con.err, "The user is locked: its secret was not changed.")
	return err
}

type rgwUserLock struct {
	RGWUserID
	Reason string `help:"Why, for those who meet the lock."`
}

// Run locks.
func (cmd rgwUserLock) Run(ctx context.Context, c *caller) error {
	locked := true
	edit := client.RGWUserEdit{Locked: &locked}
	if cmd.Reason != "" {
		edit.LockReason = &cmd.Reason
	}
	return c.editRGWUser(ctx, cmd.ID, edit)
}

type rgwUserUnlock struct{ RGWUserID }

// Run unlocks.
func (cmd rgwUserUnlock) Run(ctx context.Context, c *caller) error {
	locked := false
	return c.editRGWUser(ctx, cmd.ID, client.RGWUserEdit{Locked: &locked})
}

type rgwUserSetQuota struct {
	RGWUserID
	MaxSizeKB *int64 `name:"max-size-kb" help:"In KiB; --max-size-kb=-1: unlimited." placeholder:"KIB"`
	Enabled   *bool  `help:"Enforce it, or with --no-enabled keep the number only." negatable:""`
}

// Run sets the quota.
func (cmd rgwUserSetQuota) Run(ctx context.Context, c *caller) error {
	if cmd.MaxSizeKB == nil && cmd.Enabled == nil {
		return usagef("nothing to change: give --max-size-kb, --enabled or --no-enabled")
	}
	return c.editRGWUser(ctx, cmd.ID, client.RGWUserEdit{Quota: &client.RGWQuotaEdit{MaxSizeKB: cmd.MaxSizeKB, Enabled: cmd.Enabled}})
}

type rgwUserDisable struct{ RGWUserID }

// Run disables.
func (cmd rgwUserDisable) Run(ctx context.Context, c *caller) error {
	status := "disabled"
	return c.editRGWUser(ctx, cmd.ID, client.RGWUserEdit{Status: &status})
}

type rgwUserEnable struct{ RGWUserID }

// Run enables.
func (cmd rgwUserEnable) Run(ctx context.Context, c *caller) error {
	status := "active"
	return c.editRGWUser(ctx, cmd.ID, client.RGWUserEdit{Status: &status})
}
