package main

import (
	"context"
	"strings"

	"keystile/internal/client"
)

type rgwUserUnmanaged struct {
	Backend string `arg:"" help:"The Ceph's id."`
	Limit   int    `help:"How many at most; 0: all." default:"0"`
}

// Run lists.
func (cmd rgwUserUnmanaged) Run(ctx context.Context, c *caller) error {
	list := []client.UnmanagedRGWUser{}
	err := c.UnmanagedRGWUsers(ctx, cmd.Backend, cmd.Limit, func(u client.UnmanagedRGWUser) error {
		list = append(list, u)
		return nil
	})
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, list)
	}
	t := table{head: []string{"UID"}}
	for _, u := range list {
		t.add(u.UID)
	}
	return t.write(c.con.out, "All of its users are managed here.")
}

type rgwUserDrift struct {
	Project string `help:"The project's name or id. Default: all, for admins." placeholder:"PROJECT"`
}

func (rgwUserDrift) Help() string {
	return `Asks each user's Ceph, one user after the other, and lists those that are not there as they are here:
missing, key_missing, secret, status, quota, name. Renewing the key, or setting the quota, status or name here again, brings the Ceph back in line.`
}

// Run asks of each user of a Ceph.
func (cmd rgwUserDrift) Run(ctx context.Context, c *caller) error {
	users, err := c.listRGWUsers(ctx, cmd.Project, 0)
	if err != nil {
		return err
	}
	drifted := []client.RGWUser{}
	for _, u := range users {
		if u.UID == "" { // no Ceph is its home
			continue
		}
		if u, err = c.RGWUser(ctx, u.ID); err != nil {
			return err
		}
		if len(u.Drift) > 0 {
			drifted = append(drifted, u)
		}
	}
	if c.json {
		return printJSON(c.con.out, drifted)
	}
	t := table{head: []string{"NAME", "BACKEND", "CEPH UID", "CHANGED", "ID"}}
	for _, u := range drifted {
		t.add(u.Name, u.BackendID, u.UID, strings.Join(u.Drift, ", "), u.ID)
	}
	return t.write(c.con.out, "No user was changed at its Ceph.")
}

type rgwUserAdopt struct {
	Backend string `arg:"" help:"The Ceph's id."`
	UID     string `arg:"" help:"The user's uid there."`
	Project string `required:"" help:"The project's name or id." placeholder:"PROJECT"`
	Name    string `help:"Its name here. Default: the one at the Ceph."`
}

func (rgwUserAdopt) Help() string {
	return `It keeps its uid, its buckets, its key (of which it must have just one) and its quota. From then on the key works
at the gateway too. "keystile rgw user unmanaged BACKEND" shows whom there is.

Example:
  keystile rgw user adopt ceph-1 legacy-app --project "Data platform"`
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
