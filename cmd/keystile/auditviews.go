package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keystile/internal/client"
)

type auditViews struct {
	List   viewList   `cmd:"" help:"List your saved views."`
	Show   viewShow   `cmd:"" help:"Show what a view filters by."`
	Save   viewSave   `cmd:"" help:"Name a filter, or give a name another one."`
	Delete viewDelete `cmd:"" help:"Remove a view."`
}

// namedFlag is a flag, and the name that the API has for it.
type namedFlag struct {
	word, name string
	value      *string
}

func (f *FilterFlags) named() []namedFlag {
	return []namedFlag{
		{"action", "action", &f.Action},
		{"access key", "access_key_id", &f.AccessKeyID},
		{"account", "account", &f.Account},
		{"backend", "backend", &f.Backend},
		{"bucket", "bucket", &f.Bucket},
		{"key", "key", &f.Key},
		{"result", "result", &f.Result},
		{"request", "request_id", &f.RequestID},
		{"text", "q", &f.Text},
		{"since", "since", &f.Since},
		{"until", "until", &f.Until},
	}
}

// fill sets the flags that are not given to what a view filters by.
func (f *FilterFlags) fill(view client.AuditView) {
	for _, flag := range f.named() {
		if *flag.value == "" {
			*flag.value = view.Filter[flag.name]
		}
	}
}

// viewWords tells what a view filters by.
func viewWords(view client.AuditView) string {
	var words []string
	for _, flag := range new(FilterFlags).named() {
		if value := view.Filter[flag.name]; value != "" {
			words = append(words, flag.word+" "+value)
		}
	}
	return clean(strings.Join(words, ", "))
}

// view finds one of the account's views by its name.
func (c *caller) view(ctx context.Context, name string) (client.AuditView, error) {
	views, err := c.AuditViews(ctx)
	if err != nil {
		return client.AuditView{}, err
	}
	for _, v := range views {
		if v.Name == name {
			return v, nil
		}
	}
	return client.AuditView{}, fmt.Errorf("you have no view %q", name)
}

type viewList struct{}

// Run lists.
func (viewList) Run(ctx context.Context, c *caller) error {
	views, err := c.AuditViews(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, views)
	}
	t := table{head: []string{"NAME", "FILTER", "SAVED"}}
	for _, v := range views {
		t.add(clean(v.Name), viewWords(v), v.SavedAt.UTC().Format(time.RFC3339))
	}
	return t.write(c.con.out, "You have saved no views.")
}

type viewShow struct {
	Name string `arg:"" help:"The view's name."`
}

// Run shows one.
func (cmd viewShow) Run(ctx context.Context, c *caller) error {
	v, err := c.view(ctx, cmd.Name)
	if err != nil {
		return err
	}
	return showView(c, v)
}

func showView(c *caller, v client.AuditView) error {
	if c.json {
		return printJSON(c.con.out, v)
	}
	var f fields
	f.add("Name", clean(v.Name))
	f.add("Filter", viewWords(v))
	f.add("Saved", v.SavedAt.UTC().Format(time.RFC3339))
	return f.write(c.con.out)
}

type viewSave struct {
	Name string `arg:"" help:"Its name."`
	FilterFlags
}

// Help has the examples.
func (viewSave) Help() string {
	return `The dashboard shows the same views; only your own account sees them. A time that says how long ago counts from when the view is used.

Examples:

    keystile audit views save "refused today" --result denied --since 24h
    keystile audit list --view "refused today" --bucket photos
`
}

// Run saves.
func (cmd viewSave) Run(ctx context.Context, c *caller) error {
	if _, err := cmd.filter(time.Now()); err != nil {
		return err // what would be refused when it is used
	}
	filter := map[string]string{}
	for _, flag := range cmd.named() {
		if *flag.value != "" {
			filter[flag.name] = *flag.value
		}
	}
	if len(filter) == 0 {
		return usagef("a view filters by something: give at least one of the flags")
	}
	v, err := c.SaveAuditView(ctx, cmd.Name, filter)
	if err != nil {
		return err
	}
	return showView(c, v)
}

type viewDelete struct {
	Name string `arg:"" help:"The view's name."`
}

// Run removes one.
func (cmd viewDelete) Run(ctx context.Context, c *caller) error {
	if err := c.DeleteAuditView(ctx, cmd.Name); err != nil {
		return err
	}
	return c.done("The view is removed.")
}
