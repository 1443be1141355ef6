package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"keystile/internal/client"
)

type rgwObjectCommands struct {
	List      rgwObjectList      `cmd:"" help:"List objects by key."`
	Show      rgwObjectShow      `cmd:"" help:"Show an object's type, size, ETag and metadata."`
	Delete    rgwObjectDelete    `cmd:"" help:"Delete an object."`
	UploadURL rgwObjectUploadURL `cmd:"" name:"upload-url" help:"Make a URL that one object can be uploaded with, once or more, for a while."`
}

// RGWBucketOf names the bucket that objects are in.
type RGWBucketOf struct {
	RGWUserID
	Bucket string `arg:"" help:"The bucket's name."`
}

type rgwObjectList struct {
	RGWBucketOf
	Prefix string `help:"Only keys that begin with it."`
	Limit  int    `help:"How many at most; 0: all." default:"100"`
}

// Run lists.
func (cmd rgwObjectList) Run(ctx context.Context, c *caller) error {
	list := []client.RGWObject{}
	err := c.RGWObjects(ctx, cmd.ID, cmd.Bucket, cmd.Prefix, cmd.Limit, func(o client.RGWObject) error {
		list = append(list, o)
		return nil
	})
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, list)
	}
	t := table{head: []string{"KEY", "BYTES", "MODIFIED"}}
	for _, o := range list {
		t.add(o.Key, fmt.Sprint(o.SizeBytes), shortTime(o.LastModified))
	}
	return t.write(c.con.out, "No objects.")
}

// RGWObjectKey names an object.
type RGWObjectKey struct {
	RGWBucketOf
	Key string `arg:"" help:"The object's key."`
}

type rgwObjectShow struct{ RGWObjectKey }

// Run shows.
func (cmd rgwObjectShow) Run(ctx context.Context, c *caller) error {
	found, err := c.RGWObject(ctx, cmd.ID, cmd.Bucket, cmd.Key)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, found)
	}
	var f fields
	f.add("Key", found.Key)
	f.add("Type", found.ContentType)
	f.add("Bytes", fmt.Sprint(found.SizeBytes))
	f.add("ETag", found.ETag)
	f.add("Modified", shortTime(found.LastModified))
	f.add("Metadata", pairs(found.Metadata, "="))
	return f.write(c.con.out)
}

// pairs are names and values, by name, one a line.
func pairs(values map[string]string, between string) string {
	lines := make([]string, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		lines = append(lines, clean(name+between+values[name]))
	}
	return strings.Join(lines, "\n")
}

type rgwObjectDelete struct {
	RGWObjectKey
	Confirm
}

// Run deletes.
func (cmd rgwObjectDelete) Run(ctx context.Context, c *caller) error {
	if err := cmd.ask(c.con, "Delete the object "+cmd.Bucket+"/"+cmd.Key+"?"); err != nil {
		return err
	}
	if err := c.DeleteRGWObject(ctx, cmd.ID, cmd.Bucket, cmd.Key); err != nil {
		return err
	}
	return c.done("Deleted %s.", cmd.Key)
}

type rgwObjectUploadURL struct {
	RGWObjectKey
	ExpiresIn   string `help:"How long it is good for, 1h at most. Default: 15m." placeholder:"SPAN"`
	ContentType string `help:"The type that the upload must have." placeholder:"TYPE"`
}

func (rgwObjectUploadURL) Help() string {
	return `Whoever has the URL can store the object, so it is a secret until it expires. It is good only as long as the
account that asked for it may still write to the bucket.

Example:
  curl --upload-file report.pdf "$(keystile rgw object upload-url ID reports 2026/report.pdf --output json | jq -r .url)"`
}

// Run makes one.
func (cmd rgwObjectUploadURL) Run(ctx context.Context, c *caller) error {
	made, err := c.CreateRGWUploadURL(ctx, cmd.ID, cmd.Bucket, client.NewRGWUploadURL{Key: cmd.Key, ExpiresIn: cmd.ExpiresIn, ContentType: cmd.ContentType})
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, made)
	}
	var f fields
	f.add("URL", made.URL)
	f.add("Method", made.Method)
	f.add("Headers", pairs(made.Headers, ": "))
	f.add("Expires", shortTime(&made.ExpiresAt))
	return f.write(c.con.out)
}
