package main

import (
	"context"
	"errors"
	"fmt"

	"keystile/internal/client"
	"keystile/internal/keystile"
)

type bucketCommands struct {
	APIFlags
	Create bucketCreate `cmd:"" help:"Create a bucket on a backend."`
	List   bucketList   `cmd:"" help:"List the buckets of one backend, or of all."`
	Delete bucketDelete `cmd:"" help:"Delete an empty bucket."`
	CORS   bucketCORS   `cmd:"" name:"cors" help:"Which pages of other origins may use a bucket."`
}

// BucketName is the argument of commands about one bucket.
type BucketName struct {
	Bucket string `arg:"" help:"BACKEND/BUCKET."`
}

func (b BucketName) parse() (keystile.Bucket, error) {
	parsed, err := keystile.ParseBucket(b.Bucket)
	if err != nil {
		return parsed, usagef("%s", plain(err))
	}
	return parsed, nil
}

type bucketCreate struct{ BucketName }

// Run creates.
func (cmd bucketCreate) Run(ctx context.Context, c *caller) error {
	b, err := cmd.parse()
	if err != nil {
		return err
	}
	created, err := c.CreateBucket(ctx, b.Backend, b.Name)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, created)
	}
	return c.done("Created %s.", b)
}

type bucketList struct {
	Backend string `arg:"" optional:"" help:"The backend's id."`
}

// Run lists. A backend that does not answer fails the command after the others
// are listed.
func (cmd bucketList) Run(ctx context.Context, c *caller) error {
	backends := []string{cmd.Backend}
	if cmd.Backend == "" {
		all, err := c.Backends(ctx)
		if err != nil {
			return err
		}
		backends = backends[:0]
		for _, b := range all {
			backends = append(backends, b.ID)
		}
	}
	list := []client.Bucket{}
	var failed []error
	for _, id := range backends {
		buckets, err := c.Buckets(ctx, id)
		if err != nil {
			failed = append(failed, fmt.Errorf("backend %s: %w", id, err))
		}
		list = append(list, buckets...)
	}
	return errors.Join(append([]error{c.buckets(list)}, failed...)...)
}

func (c *caller) buckets(list []client.Bucket) error {
	if c.json {
		return printJSON(c.con.out, list)
	}
	t := table{head: []string{"BUCKET", "CREATED"}}
	for _, b := range list {
		t.add(b.Backend+"/"+b.Bucket, shortTime(b.CreatedAt))
	}
	return t.write(c.con.out, "No buckets.")
}

type bucketDelete struct {
	BucketName
	Force bool `help:"Also while credentials or anonymous bindings name it; the bindings end. It must be empty all the same."`
	Confirm
}

// Run deletes.
func (cmd bucketDelete) Run(ctx context.Context, c *caller) error {
	b, err := cmd.parse()
	if err != nil {
		return err
	}
	if err := cmd.ask(c.con, "Delete the bucket "+b.String()+"?"); err != nil {
		return err
	}
	if err := c.DeleteBucket(ctx, b.Backend, b.Name, cmd.Force); err != nil {
		return err
	}
	return c.done("Deleted %s.", b)
}
