package main

import (
	"context"
	"fmt"
	"strings"

	"keystile/internal/client"
	"keystile/internal/keystile"
)

type anonymousCommands struct {
	APIFlags
	Add    anonymousAdd    `cmd:"" help:"Open a bucket or prefix to unsigned reads."`
	List   anonymousList   `cmd:"" help:"List what is open."`
	Remove anonymousRemove `cmd:"" help:"Close one."`
}

type anonymousAdd struct {
	Bucket        string  `arg:"" help:"BACKEND/BUCKET[/PREFIX]. The prefix filters; it is not hidden."`
	ExactPrefix   bool    `help:"Take the prefix as it is, without a slash put at its end."`
	Name          string  `help:"The public name, unique at the gateway. Default: the bucket's." placeholder:"NAME"`
	Mode          string  `help:"read: objects by key; read-list: listing too." enum:"read,read-list" default:"read"`
	IndexDocument string  `help:"The object that a read of a folder, or of the bucket itself, stands for, such as index.html." placeholder:"NAME"`
	Rate          float64 `help:"Requests a second and source address. Default: the configured rate." default:"0" placeholder:"N"`
}

// Help has the examples.
func (anonymousAdd) Help() string {
	return `Examples:

    keystile anonymous add local/downloads
    keystile anonymous add local/site --index-document index.html
    keystile anonymous add local/site/public --name site --mode read-list --rate 20
`
}

// Run adds.
func (cmd anonymousAdd) Run(ctx context.Context, c *caller) error {
	in, err := cmd.binding()
	if err != nil {
		return err
	}
	added, err := c.AddBinding(ctx, in)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, added)
	}
	var f fields
	f.add("Name", added.Name)
	f.add("Opens", opened(added))
	f.add("Mode", added.Mode)
	f.add("Rate", rate(added))
	f.add("Index", clean(added.IndexDocument))
	f.add("URL", added.URL)
	return f.write(c.con.out)
}

func (cmd anonymousAdd) binding() (client.NewBinding, error) {
	bucket, prefix, err := keystile.ParseScope(cmd.Bucket, cmd.ExactPrefix)
	if err != nil {
		return client.NewBinding{}, usagef("%s", strings.TrimSuffix(err.Error(), ": "+keystile.ErrInvalid.Error()))
	}
	return client.NewBinding{Backend: bucket.Backend, Bucket: bucket.Name, Prefix: prefix, Name: cmd.Name, Mode: cmd.Mode, RatePerSecond: cmd.Rate, IndexDocument: cmd.IndexDocument}, nil
}

func opened(b client.Binding) string {
	s := b.Backend + "/" + b.Bucket
	if b.Prefix != "" {
		s += "/" + b.Prefix
	}
	return clean(s)
}

func rate(b client.Binding) string {
	if b.RatePerSecond == 0 {
		return "as configured"
	}
	return fmt.Sprintf("%g/s", b.RatePerSecond)
}

type anonymousList struct{}

// Run lists.
func (anonymousList) Run(ctx context.Context, c *caller) error {
	list, err := c.Bindings(ctx)
	if err != nil {
		return err
	}
	if c.json {
		if list.Items == nil {
			list.Items = []client.Binding{}
		}
		return printJSON(c.con.out, list.Items)
	}
	t := table{head: []string{"NAME", "OPENS", "MODE", "RATE", "CREATED", "URL"}}
	for _, b := range list.Items {
		t.add(b.Name, opened(b), b.Mode, rate(b), shortTime(b.CreatedAt), b.URL)
	}
	if err := t.write(c.con.out, "Nothing is open."); err != nil {
		return err
	}
	if !list.Enabled {
		return c.done("Anonymous access is switched off in the configuration: none of this is served.")
	}
	return nil
}

type anonymousRemove struct {
	Name string `arg:"" help:"The public name."`
	Confirm
}

// Run removes.
func (cmd anonymousRemove) Run(ctx context.Context, c *caller) error {
	if err := cmd.ask(c.con, "Close "+cmd.Name+" to unsigned reads?"); err != nil {
		return err
	}
	if err := c.RemoveBinding(ctx, cmd.Name); err != nil {
		return err
	}
	return c.done("Removed %s.", cmd.Name)
}
