package main

import (
	"context"
	"fmt"

	"keystile/internal/client"
)

type accountCommands struct {
	APIFlags
	Create        accountCreate        `cmd:"" help:"Add an account."`
	List          accountList          `cmd:"" help:"List accounts."`
	Show          accountShow          `cmd:"" help:"Show one account."`
	Edit          accountEdit          `cmd:"" help:"Change an account's role."`
	Disable       accountDisable       `cmd:"" help:"Lock an account out; the credentials it owns stop."`
	Enable        accountEnable        `cmd:"" help:"Undo disable."`
	Delete        accountDelete        `cmd:"" help:"Delete an account; the credentials it owns end."`
	ResetPassword accountResetPassword `cmd:"" help:"Set a new password and end every session."`
	SignOut       accountSignOut       `cmd:"" help:"End every session of an account."`
}

// AccountName is the argument of commands about one account.
type AccountName struct {
	Name string `arg:"" help:"The account's name."`
}

type accountCreate struct {
	AccountName
	Role          string `help:"admin, user or readonly." enum:"admin,user,readonly" default:"user"`
	PasswordStdin bool   `help:"Read the password from standard input. Default: a random one is made and shown once."`
}

// Run creates.
func (cmd accountCreate) Run(ctx context.Context, c *caller) error {
	in := client.NewAccount{Name: cmd.Name, Role: cmd.Role}
	if cmd.PasswordStdin {
		password, err := c.con.secretFromStdin()
		if err != nil {
			return err
		}
		in.Password = password.Reveal()
	}
	created, err := c.CreateAccount(ctx, in)
	if err != nil {
		return err
	}
	return c.account(created)
}

func (c *caller) account(a client.Account) error {
	if c.json {
		return printJSON(c.con.out, a)
	}
	var f fields
	f.add("Name", a.Name)
	f.add("Role", a.Role)
	f.add("Status", a.Status)
	f.add("Password", a.Password)
	f.add("Created", shortTime(a.CreatedAt))
	if err := f.write(c.con.out); err != nil {
		return err
	}
	return c.passwordNote(a.Password)
}

func (c *caller) passwordNote(password string) error {
	if password == "" {
		return nil
	}
	_, err := fmt.Fprintln(c.con.out, "\nThe password is shown this once: hand it over now.")
	return err
}

type accountList struct{}

// Run lists.
func (accountList) Run(ctx context.Context, c *caller) error {
	list, err := c.Accounts(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, list)
	}
	t := table{head: []string{"NAME", "ROLE", "STATUS", "CREATED"}}
	for _, a := range list {
		t.add(a.Name, a.Role, a.Status, shortTime(a.CreatedAt))
	}
	return t.write(c.con.out, "No accounts.")
}

type accountShow struct{ AccountName }

// Run shows one.
func (cmd accountShow) Run(ctx context.Context, c *caller) error {
	got, err := c.Account(ctx, cmd.Name)
	if err != nil {
		return err
	}
	return c.account(got)
}

type accountEdit struct {
	AccountName
	Role string `required:"" help:"admin, user or readonly." enum:"admin,user,readonly"`
}

// Run changes it.
func (cmd accountEdit) Run(ctx context.Context, c *caller) error {
	changed, err := c.EditAccount(ctx, cmd.Name, client.AccountEdit{Role: &cmd.Role})
	if err != nil {
		return err
	}
	return c.account(changed)
}

type accountDisable struct {
	AccountName
	Confirm
}

// Run disables.
func (cmd accountDisable) Run(ctx context.Context, c *caller) error {
	if err := cmd.ask(c.con, "Disable "+cmd.Name+"? Sessions end, and the credentials it owns stop."); err != nil {
		return err
	}
	return c.setDisabled(ctx, cmd.Name, true)
}

type accountEnable struct{ AccountName }

// Run enables.
func (cmd accountEnable) Run(ctx context.Context, c *caller) error {
	return c.setDisabled(ctx, cmd.Name, false)
}

func (c *caller) setDisabled(ctx context.Context, name string, disabled bool) error {
	changed, err := c.EditAccount(ctx, name, client.AccountEdit{Disabled: &disabled})
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, changed)
	}
	return c.done("%s is %s.", changed.Name, changed.Status)
}

type accountDelete struct {
	AccountName
	Confirm
}

// Run deletes.
func (cmd accountDelete) Run(ctx context.Context, c *caller) error {
	if err := cmd.ask(c.con, "Delete "+cmd.Name+"? The credentials it owns end for good."); err != nil {
		return err
	}
	if err := c.DeleteAccount(ctx, cmd.Name); err != nil {
		return err
	}
	return c.done("Deleted %s.", cmd.Name)
}

type accountResetPassword struct {
	AccountName
	PasswordStdin bool `help:"Read the password from standard input. Default: a random one is made and shown once."`
	Confirm
}

// Run resets.
func (cmd accountResetPassword) Run(ctx context.Context, c *caller) error {
	password := ""
	if cmd.PasswordStdin {
		given, err := c.con.secretFromStdin()
		if err != nil {
			return err
		}
		password = given.Reveal()
	} else if err := cmd.ask(c.con, "Reset the password of "+cmd.Name+"? Every session of it ends."); err != nil {
		return err
	}
	made, err := c.ResetPassword(ctx, cmd.Name, password)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, client.PasswordReset{Name: cmd.Name, Password: made})
	}
	var f fields
	f.add("Name", cmd.Name)
	f.add("Password", made)
	if err := f.write(c.con.out); err != nil {
		return err
	}
	return c.passwordNote(made)
}

type accountSignOut struct{ AccountName }

// Run ends the sessions.
func (cmd accountSignOut) Run(ctx context.Context, c *caller) error {
	if err := c.SignOut(ctx, cmd.Name); err != nil {
		return err
	}
	return c.done("%s is signed out everywhere.", cmd.Name)
}
