package main

import (
	"context"
	"fmt"

	"keystile/internal/client"
)

type rgwBucketCommands struct {
	List   rgwBucketList   `cmd:"" help:"List a user's buckets with what they hold."`
	Show   rgwBucketShow   `cmd:"" help:"Show a bucket with its ACL."`
	Create rgwBucketCreate `cmd:"" help:"Make a bucket that the user owns."`
	Delete rgwBucketDelete `cmd:"" help:"Delete an empty bucket."`
	Access rgwBucketAccess `cmd:"" help:"Show who may use a bucket, or change it."`
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

type rgwBucketShow struct{ RGWBucketName }

// bucketWithACL is a bucket with its canned ACL.
type bucketWithACL struct {
	client.RGWBucket
	ACL string `json:"acl"`
}

// Run shows.
func (cmd rgwBucketShow) Run(ctx context.Context, c *caller) error {
	found, err := c.RGWBucket(ctx, cmd.ID, cmd.Name)
	if err != nil {
		return err
	}
	acl, err := c.RGWBucketACL(ctx, cmd.ID, cmd.Name)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, bucketWithACL{found, acl})
	}
	var f fields
	f.add("Name", found.Name)
	f.add("Owner", found.Owner)
	f.add("Objects", fmt.Sprint(found.Objects))
	f.add("Holds", sizeText(found.SizeBytes))
	f.add("ACL", acl)
	f.add("Created", shortTime(found.CreatedAt))
	return f.write(c.con.out)
}

type rgwBucketAccess struct {
	RGWBucketName
	ACL string `arg:"" optional:"" help:"private, public-read, public-read-write or authenticated-read; absent: show what it is."`
}

func (rgwBucketAccess) Help() string {
	return `What an ACL opens depends on where the user lives:

  at a Ceph      public-read lets everybody list the bucket, public-read-write also store, overwrite and delete
                 objects in it, authenticated-read every user of the Ceph list it. Who reads an object is said by
                 the object's own ACL.
  anywhere else  public-read lets everybody list the bucket and read all its objects. There are no others.

Examples:
  keystile rgw bucket access ID reports
  keystile rgw bucket access ID reports public-read`
}

// Run shows the ACL, or sets it.
func (cmd rgwBucketAccess) Run(ctx context.Context, c *caller) error {
	acl := cmd.ACL
	var err error
	if acl == "" {
		acl, err = c.RGWBucketACL(ctx, cmd.ID, cmd.Name)
	} else {
		err = c.SetRGWBucketACL(ctx, cmd.ID, cmd.Name, acl)
	}
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, map[string]string{"acl": acl})
	}
	return c.done("%s is %s.", cmd.Name, acl)
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
