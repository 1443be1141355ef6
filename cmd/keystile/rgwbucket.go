package main

import (
	"context"
	"fmt"

	"keystile/internal/client"
)

type rgwBucketCommands struct {
	List   rgwBucketList   `cmd:"" help:"List a user's buckets with what they hold."`
	Create rgwBucketCreate `cmd:"" help:"Make a bucket that the user owns."`
	Delete rgwBucketDelete `cmd:"" help:"Delete an empty bucket."`
}

type rgwBucketList struct{ RGWUserID }

// Run lists.
func (cmd rgwBucketList) Run(ctx context.Context, c *caller) error {
	list, err := c.RGWBuckets(ctx, cmd.ID)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, list)
	}
	t := table{head: []string{"NAME", "OBJECTS", "BYTES", "CREATED"}}
	for _, b := range list {
		t.add(b.Name, fmt.Sprint(b.Objects), fmt.Sprint(b.SizeBytes), shortTime(b.CreatedAt))
	}
	return t.write(c.con.out, "No buckets.")
}

// RGWBucketName names a bucket of a user.
type RGWBucketName struct {
	RGWUserID
	Name string `arg:"" help:"The bucket's name."`
}

type rgwBucketCreate struct{ RGWBucketName }

// Run creates.
func (cmd rgwBucketCreate) Run(ctx context.Context, c *caller) error {
	made, err := c.CreateRGWBucket(ctx, cmd.ID, cmd.Name)
	if err != nil {
		return err
	}
	return c.rgwBucket(made)
}

func (c *caller) rgwBucket(b client.RGWBucket) error {
	if c.json {
		return printJSON(c.con.out, b)
	}
	return c.done("Created %s.", b.Name)
}

type rgwBucketDelete struct {
	RGWBucketName
	Confirm
}

// Run deletes.
func (cmd rgwBucketDelete) Run(ctx context.Context, c *caller) error {
	if err := cmd.ask(c.con, "Delete the bucket "+cmd.Name+"?"); err != nil {
		return err
	}
	if err := c.DeleteRGWBucket(ctx, cmd.ID, cmd.Name); err != nil {
		return err
	}
	return c.done("Deleted %s.", cmd.Name)
}
