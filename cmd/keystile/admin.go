package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"keystile/internal/audit"
	"keystile/internal/config"
	"keystile/internal/control"
	"keystile/internal/keystile"
)

type adminCommands struct {
	Create        adminCreate        `cmd:"" help:"Create an administrator."`
	ResetPassword adminResetPassword `cmd:"" help:"Set an account's password and end its sessions."`
	CreateToken   adminCreateToken   `cmd:"" help:"Make an API token for an account, such as the first one."`
}

// AdminFlags are those of the offline commands.
type AdminFlags struct {
	ConfigFlags
	Data string `help:"The data directory, over the configuration." placeholder:"DIR"`
}

// PasswordFlag says where a password comes from: never from the command line.
type PasswordFlag struct {
	PasswordStdin bool `help:"Read the password from standard input instead of a prompt."`
}

// bootstrap opens the store and runs a use case that needs no account.
func (f AdminFlags) bootstrap(ctx context.Context, con *console, act func(*control.Bootstrap) error) error {
	var more []config.Override
	if f.Data != "" {
		more = append(more, config.Override{Flag: "--data", Key: "data_dir", Value: filepath.Clean(f.Data)})
	}
	c, err := f.load(con, more...)
	if err != nil {
		return err
	}
	db, _, err := openStore(ctx, c, newLogger(con.err, c.Log))
	if err != nil {
		return err
	}
	trail := audit.NewRecorder(audit.InStore(db), time.Now)
	use := control.New(control.Options{Store: db, Trail: trail, Gateways: noGateway{}})
	err = act(use.Bootstrap)
	trail.Close()
	return errors.Join(err, db.Close())
}

// noGateway stands for the gateways in offline commands, which change nothing
// that a gateway holds: accounts and sessions are read from the store each time.
type noGateway struct{}

// Confirm implements control.Gateways.
func (noGateway) Confirm(context.Context, int64) error { return nil }

type adminCreate struct {
	AccountName
	AdminFlags
	PasswordFlag
}

// Help has the examples.
func (adminCreate) Help() string {
	return `Works on the store itself, beside a running server or without one.

Examples:

    keystile admin create alice --config keystile.yaml
    keystile admin create alice --data ./data --password-stdin < password.txt
`
}

// Run creates.
func (cmd adminCreate) Run(ctx context.Context, con *console) error {
	password, err := con.newPassword(cmd.PasswordStdin)
	if err != nil {
		return err
	}
	err = cmd.bootstrap(ctx, con, func(b *control.Bootstrap) error {
		_, err := b.CreateAdmin(ctx, cmd.Name, password)
		return err
	})
	if err != nil {
		return inWords(err)
	}
	_, err = fmt.Fprintf(con.out, "Created the administrator %s.\n", cmd.Name)
	return err
}

type adminResetPassword struct {
	AccountName
	AdminFlags
	PasswordFlag
}

// Run resets.
func (cmd adminResetPassword) Run(ctx context.Context, con *console) error {
	password, err := con.newPassword(cmd.PasswordStdin)
	if err != nil {
		return err
	}
	err = cmd.bootstrap(ctx, con, func(b *control.Bootstrap) error {
		return b.ResetPassword(ctx, cmd.Name, password)
	})
	if err != nil {
		return inWords(err)
	}
	_, err = fmt.Fprintf(con.out, "The password of %s is set, and its sessions have ended.\n", cmd.Name)
	return err
}

type adminCreateToken struct {
	AccountName
	AdminFlags
	Expiry
	Title string `help:"What the token is for." default:"made offline" placeholder:"NAME"`
}

// Help has the examples.
func (adminCreateToken) Help() string {
	return `Prints the token, this once, and nothing else. It acts as the account and never
above its role.

Examples:

    export KEYSTILE_TOKEN=$(keystile admin create-token alice --config keystile.yaml)
`
}

// Run makes one.
func (cmd adminCreateToken) Run(ctx context.Context, con *console) error {
	expiry, err := cmd.parse()
	if err != nil {
		return err
	}
	var until control.Expiry
	if expiry != nil {
		until.In = expiry.In
		if expiry.At != nil {
			until.At = *expiry.At
		}
	}
	var token keystile.Secret
	err = cmd.bootstrap(ctx, con, func(b *control.Bootstrap) error {
		token, err = b.CreateToken(ctx, cmd.Name, cmd.Title, until)
		return err
	})
	if err != nil {
		return inWords(err)
	}
	_, err = fmt.Fprintln(con.out, token.Reveal())
	return err
}

// inWords prefers the message that a use case made for people.
func inWords(err error) error {
	var explained *control.Explained
	var faults keystile.Faults
	switch {
	case errors.As(err, &faults):
		return faults
	case errors.As(err, &explained):
		return errors.New(explained.Message)
	}
	return err
}
