package main

import (
	"context"
	"fmt"
	"time"

	"keystile/internal/client"
)

type tokenCommands struct {
	APIFlags
	Create tokenCreate `cmd:"" help:"Make an API token of the own account; it is shown once."`
	List   tokenList   `cmd:"" help:"List API tokens."`
	Revoke tokenRevoke `cmd:"" help:"End an API token for good."`
}

type tokenCreate struct {
	Name    string `arg:"" help:"What the token is for."`
	Project string `help:"Make it good for this project alone, by name or id. Default: wherever the account is." placeholder:"PROJECT"`
	Expiry
}

// Run makes one.
func (cmd tokenCreate) Run(ctx context.Context, c *caller) error {
	in := client.NewToken{Name: cmd.Name}
	expiry, err := cmd.parse()
	if err != nil {
		return err
	}
	if expiry != nil {
		in.Expiry = *expiry
	}
	if cmd.Project != "" {
		if in.ProjectID, err = c.projectID(ctx, cmd.Project); err != nil {
			return err
		}
	}
	made, err := c.CreateToken(ctx, in)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, made)
	}
	var f fields
	f.add("ID", made.ID)
	f.add("Name", clean(made.Name))
	f.add("Project", made.ProjectID)
	f.add("Token", made.Token)
	f.add("Expires", orNever(made.ExpiresAt))
	if err := f.write(c.con.out); err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.con.out, "\nThe token is shown this once: keep it now.")
	return err
}

// Account chooses whose tokens are meant.
type Account struct {
	Account string `help:"Those of another account, for admins. Default: the own one." placeholder:"NAME"`
}

type tokenList struct{ Account }

// Run lists.
func (cmd tokenList) Run(ctx context.Context, c *caller) error {
	list, err := c.Tokens(ctx, cmd.Account.Account)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, list)
	}
	t := table{head: []string{"ID", "NAME", "STATUS", "PROJECT", "EXPIRES", "LAST USED", "CREATED"}}
	now := time.Now()
	for _, x := range list {
		t.add(x.ID, clean(x.Name), tokenStatus(x, now), x.ProjectID, orNever(x.ExpiresAt), orNever(x.LastUsedAt), shortTime(x.CreatedAt))
	}
	return t.write(c.con.out, "No tokens.")
}

func tokenStatus(t client.Token, now time.Time) string {
	switch {
	case t.Status != "":
		return t.Status
	case t.RevokedAt != nil:
		return "revoked"
	case t.ExpiresAt != nil && !now.Before(*t.ExpiresAt):
		return "expired"
	}
	return "active"
}

type tokenRevoke struct {
	ID string `arg:"" help:"The token's id."`
	Account
	Confirm
}

// Run revokes.
func (cmd tokenRevoke) Run(ctx context.Context, c *caller) error {
	if err := cmd.ask(c.con, "Revoke the token "+cmd.ID+"? This cannot be undone."); err != nil {
		return err
	}
	if err := c.RevokeToken(ctx, cmd.Account.Account, cmd.ID); err != nil {
		return err
	}
	return c.done("Revoked %s.", cmd.ID)
}
