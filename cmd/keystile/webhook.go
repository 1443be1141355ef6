package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"keystile/internal/client"
)

type webhookCommands struct {
	APIFlags
	Add        webhookAdd        `cmd:"" help:"Add a webhook; the secret that signs its calls is shown once."`
	List       webhookList       `cmd:"" help:"List webhooks."`
	Deliveries webhookDeliveries `cmd:"" help:"List what was delivered to a webhook lately, and what was not."`
	Test       webhookTest       `cmd:"" help:"Call a webhook now."`
	Remove     webhookRemove     `cmd:"" help:"Remove a webhook, with what is on its way to it."`
}

type webhookAdd struct {
	URL         string   `arg:"" help:"http(s)://HOST[:PORT]/PATH"`
	Event       []string `help:"What it is told of: quota.soft_exceeded, quota.hard_refused. Default: everything." placeholder:"EVENT"`
	Description string   `help:"What it is for." placeholder:"TEXT"`
}

// Run adds.
func (cmd webhookAdd) Run(ctx context.Context, c *caller) error {
	made, err := c.CreateWebhook(ctx, client.NewWebhook{URL: cmd.URL, Events: cmd.Event, Description: cmd.Description})
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, made)
	}
	var f fields
	f.add("ID", made.ID)
	f.add("URL", clean(made.URL))
	f.add("Events", orAll(made.Events))
	f.add("Secret", made.Secret)
	if err := f.write(c.con.out); err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.con.out, "\nThe secret is shown this once: keep it now.")
	return err
}

func orAll(events []string) string {
	if len(events) == 0 {
		return "all"
	}
	return strings.Join(events, ", ")
}

type webhookList struct{}

// Run lists.
func (webhookList) Run(ctx context.Context, c *caller) error {
	list, err := c.Webhooks(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, list)
	}
	t := table{head: []string{"ID", "URL", "EVENTS", "ENABLED", "PENDING", "LAST DELIVERY"}}
	for _, w := range list {
		last := "-"
		if w.LastDelivery != nil {
			last = deliveryText(*w.LastDelivery)
		}
		t.add(w.ID, clean(w.URL), orAll(w.Events), strconv.FormatBool(w.Enabled), strconv.FormatInt(w.Pending, 10), last)
	}
	return t.write(c.con.out, "No webhooks.")
}

func deliveryText(d client.Delivery) string {
	if d.LastError != "" {
		return d.State + ": " + clean(d.LastError)
	}
	return d.State
}

// WebhookID names a webhook.
type WebhookID struct {
	ID string `arg:"" help:"The webhook's id."`
}

type webhookDeliveries struct{ WebhookID }

// Run lists.
func (cmd webhookDeliveries) Run(ctx context.Context, c *caller) error {
	list, err := c.Deliveries(ctx, cmd.ID)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, list)
	}
	t := table{head: []string{"ID", "EVENT", "CREATED", "STATE", "ATTEMPTS", "NEXT ATTEMPT"}}
	for _, d := range list {
		next := "-"
		if d.NextAt != nil {
			next = shortTime(d.NextAt)
		}
		t.add(d.ID, clean(d.Event), d.CreatedAt.UTC().Format(time.RFC3339), deliveryText(d), strconv.Itoa(d.Attempts), next)
	}
	return t.write(c.con.out, "No deliveries in the last 7 days.")
}

type webhookTest struct{ WebhookID }

// Run tests.
func (cmd webhookTest) Run(ctx context.Context, c *caller) error {
	d, err := c.TestWebhook(ctx, cmd.ID)
	if err != nil {
		return err
	}
	if d.State != "delivered" {
		return fmt.Errorf("not delivered: %s", clean(d.LastError))
	}
	return c.done("Delivered: the receiver answered %d.", d.LastStatus)
}

type webhookRemove struct {
	WebhookID
	Confirm
}

// Run removes.
func (cmd webhookRemove) Run(ctx context.Context, c *caller) error {
	if err := cmd.ask(c.con, "Remove the webhook "+cmd.ID+"? What is on its way to it is not delivered any more."); err != nil {
		return err
	}
	if err := c.DeleteWebhook(ctx, cmd.ID); err != nil {
		return err
	}
	return c.done("Removed %s.", cmd.ID)
}
