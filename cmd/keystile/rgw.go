package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keystile/internal/client"
)

type rgwCommands struct {
	APIFlags
	User   rgwUserCommands   `cmd:"" help:"S3 identities of projects that own buckets."`
	Bucket rgwBucketCommands `cmd:"" help:"Their buckets."`
}

type rgwUserCommands struct {
	Create   rgwUserCreate   `cmd:"" help:"Make a user with its key; the secret is printed this once."`
	List     rgwUserList     `cmd:"" help:"List users, newest first."`
	Show     rgwUserShow     `cmd:"" help:"Show a user with its usage, and what was changed at its Ceph."`
	Rename   rgwUserRename   `cmd:"" help:"Give a user another name."`
	RenewKey rgwUserRenewKey `cmd:"" help:"Give the key a new secret, printed this once; the old one ends."`
	Lock     rgwUserLock     `cmd:"" help:"Guard a user against renewal and deletion (admins)."`
	Unlock   rgwUserUnlock   `cmd:"" help:"Take the lock off (admins)."`
	SetQuota rgwUserSetQuota `cmd:"" help:"Bound what a user's buckets may hold (admins)."`
	Disable  rgwUserDisable  `cmd:"" help:"Stop a user's key (admins)."`
	Enable   rgwUserEnable   `cmd:"" help:"Let a disabled user's key work again (admins)."`
	Delete   rgwUserDelete   `cmd:"" help:"Delete a user without objects, or with --purge-objects all of them."`
	Adopt    rgwUserAdopt    `cmd:"" help:"Take a user that a Ceph has already under management (admins)."`
	Forget   rgwUserForget   `cmd:"" help:"Give a Ceph's user back; it stays there as it is (admins)."`
}

// RGWUserID is the argument of commands about one user.
type RGWUserID struct {
	ID string `arg:"" help:"The user's id."`
}

type rgwUserCreate struct {
	Name    string `arg:"" help:"The user's name, unique in the project."`
	Project string `required:"" help:"The project's name or id." placeholder:"PROJECT"`
	Backend string `help:"Where it lives. Default: the one Ceph, or the one backend, that there is." placeholder:"ID"`
	QuotaKB *int64 `name:"quota-kb" help:"What its buckets may hold, in KiB; -1: unlimited (admins)." placeholder:"KIB"`
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
	text := "unlimited"
	if q.MaxSizeKB >= 0 {
		text = kibibytes(q.MaxSizeKB)
	}
	if !q.Enabled {
		text += " (not enforced)"
	}
	return text
}

func kibibytes(n int64) string { return fmt.Sprintf("%d KiB", n) }

type rgwUserList struct {
	Project string `help:"The project's name or id. Default: all, for admins." placeholder:"PROJECT"`
	Limit   int    `help:"How many at most; 0: all." default:"0"`
}

// Run lists.
func (cmd rgwUserList) Run(ctx context.Context, c *caller) error {
	project := ""
	if cmd.Project != "" {
		var err error
		if project, err = c.projectID(ctx, cmd.Project); err != nil {
			return err
		}
	}
	list := []client.RGWUser{}
	err := c.RGWUsers(ctx, project, cmd.Limit, func(u client.RGWUser) error {
		list = append(list, u)
		return nil
	})
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

type rgwUserShow struct{ RGWUserID }

// Run shows one.
func (cmd rgwUserShow) Run(ctx context.Context, c *caller) error {
	found, err := c.RGWUser(ctx, cmd.ID)
	if err != nil {
		return err
	}
	return c.rgwUser(found)
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
	return c.done("The user is locked: its secret was not changed.")
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
	MaxSizeKB *int64 `name:"max-size-kb" help:"In KiB; -1: unlimited." placeholder:"KIB"`
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

type rgwUserDelete struct {
	RGWUserID
	PurgeObjects bool `help:"Empty and delete its buckets first."`
	Confirm
}

// Run deletes, and waits for the end with --purge-objects. What it prints of the
// progress goes to standard error.
func (cmd rgwUserDelete) Run(ctx context.Context, c *caller) error {
	question := "Delete the RGW user " + cmd.ID + "?"
	if cmd.PurgeObjects {
		question = "Delete the RGW user " + cmd.ID + " with ALL its buckets and objects?"
	}
	if err := cmd.ask(c.con, question); err != nil {
		return err
	}
	if !cmd.PurgeObjects {
		if err := c.DeleteRGWUser(ctx, cmd.ID); err != nil {
			return err
		}
		return c.done("Deleted %s.", cmd.ID)
	}
	job, err := c.PurgeRGWUser(ctx, cmd.ID)
	if err != nil {
		return err
	}
	if job, err = c.waitForJob(ctx, job); err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, job)
	}
	if job.State != "done" {
		return fmt.Errorf("the deletion was %s: the user is disabled, %d of its %d buckets are left", job.State, job.BucketsLeft, job.Buckets)
	}
	return c.done("Deleted %s with %d objects.", cmd.ID, job.ObjectsDeleted)
}

// jobStep is the time between two looks at a job.
const jobStep = time.Second

func (c *caller) waitForJob(ctx context.Context, job client.RGWJob) (client.RGWJob, error) {
	for job.State == "running" || job.State == "cancelling" {
		select {
		case <-ctx.Done():
			return job, fmt.Errorf("no longer waiting; job %s goes on: %w", job.ID, ctx.Err())
		case <-time.After(jobStep):
		}
		var err error
		if job, err = c.RGWJob(ctx, job.ID); err != nil {
			return job, err
		}
		_, _ = fmt.Fprintf(c.con.err, "%s: %d of %d buckets left, %d objects deleted. %s\n", job.State, job.BucketsLeft, job.Buckets, job.ObjectsDeleted, clean(job.Message))
	}
	return job, nil
}

type rgwUserAdopt struct {
	Backend string `arg:"" help:"The Ceph's id."`
	UID     string `arg:"" help:"The user's uid there."`
	Project string `required:"" help:"The project's name or id." placeholder:"PROJECT"`
	Name    string `help:"Its name here. Default: the one at the Ceph."`
}

// Run adopts.
func (cmd rgwUserAdopt) Run(ctx context.Context, c *caller) error {
	project, err := c.projectID(ctx, cmd.Project)
	if err != nil {
		return err
	}
	adopted, err := c.AdoptRGWUser(ctx, cmd.Backend, cmd.UID, project, cmd.Name)
	if err != nil {
		return err
	}
	return c.rgwUser(adopted)
}

type rgwUserForget struct {
	RGWUserID
	Confirm
}

// Run forgets.
func (cmd rgwUserForget) Run(ctx context.Context, c *caller) error {
	if err := cmd.ask(c.con, "Forget the RGW user "+cmd.ID+"? It stays at its Ceph; its key ends at the gateway."); err != nil {
		return err
	}
	if err := c.ForgetRGWUser(ctx, cmd.ID); err != nil {
		return err
	}
	return c.done("Forgot %s.", cmd.ID)
}
