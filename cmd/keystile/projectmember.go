package main

import (
	"context"
	"strings"

	"keystile/internal/client"
)

// MemberArgs are the arguments of commands about one member.
type MemberArgs struct {
	ProjectArg
	Account string `arg:"" help:"The account's name."`
}

type projectAddMember struct {
	MemberArgs
	Role       string   `help:"owner or member." enum:"owner,member" default:"member"`
	Permission []string `help:"A permission of a member: rgw:write. Owners need none." placeholder:"PERMISSION"`
}

// Run adds.
func (cmd projectAddMember) Run(ctx context.Context, c *caller) error {
	id, err := c.projectID(ctx, cmd.Project)
	if err != nil {
		return err
	}
	added, err := c.AddMember(ctx, id, client.NewMember{Account: cmd.Account, Role: cmd.Role, Permissions: cmd.Permission})
	if err != nil {
		return err
	}
	return c.member(added)
}

func (c *caller) member(m client.Member) error {
	if c.json {
		return printJSON(c.con.out, m)
	}
	var f fields
	f.add("Account", m.Account)
	f.add("Role", m.Role)
	f.add("Permissions", strings.Join(m.Permissions, ", "))
	f.add("May", m.Access)
	f.add("Added", shortTime(m.AddedAt))
	return f.write(c.con.out)
}

type projectEditMember struct {
	MemberArgs
	Role          string   `help:"owner or member. A new role starts without permissions." enum:",owner,member" default:"" placeholder:"ROLE"`
	Permission    []string `help:"The permissions from now on: rgw:write." placeholder:"PERMISSION" xor:"permissions"`
	NoPermissions bool     `help:"Take the permissions away." xor:"permissions"`
}

// Run changes.
func (cmd projectEditMember) Run(ctx context.Context, c *caller) error {
	id, err := c.projectID(ctx, cmd.Project)
	if err != nil {
		return err
	}
	var edit client.MemberEdit
	if cmd.Role != "" {
		edit.Role = &cmd.Role
	}
	if cmd.NoPermissions {
		cmd.Permission = []string{}
	}
	if cmd.Permission != nil {
		edit.Permissions = &cmd.Permission
	}
	changed, err := c.EditMember(ctx, id, cmd.Account, edit)
	if err != nil {
		return err
	}
	return c.member(changed)
}

type projectRemoveMember struct {
	MemberArgs
	Confirm
}

// Run removes.
func (cmd projectRemoveMember) Run(ctx context.Context, c *caller) error {
	id, err := c.projectID(ctx, cmd.Project)
	if err != nil {
		return err
	}
	if err := cmd.ask(c.con, "Remove "+cmd.Account+" from "+cmd.Project+"? Its API tokens that are bound to the project end."); err != nil {
		return err
	}
	if err := c.RemoveMember(ctx, id, cmd.Account); err != nil {
		return err
	}
	return c.done("Removed %s.", cmd.Account)
}
