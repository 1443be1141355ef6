package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"keystile/internal/client"
	"keystile/internal/keystile"
)

type quotaCommands struct {
	APIFlags
	Set   quotaSet   `cmd:"" help:"Cap what may be stored in a bucket."`
	Show  quotaShow  `cmd:"" help:"Show a bucket's quota and usage, or all."`
	Clear quotaClear `cmd:"" help:"Take a bucket's quota away."`
	Scan  quotaScan  `cmd:"" help:"Count what a bucket holds."`
}

type quotaSet struct {
	BucketName
	Soft        string `help:"Bytes above which writes pass with a warning." placeholder:"SIZE"`
	Hard        string `help:"Bytes above which no write passes." placeholder:"SIZE"`
	SoftObjects *int64 `help:"Objects above which writes pass with a warning." placeholder:"N"`
	HardObjects *int64 `help:"Objects above which no write passes." placeholder:"N"`
}

// Help has the examples.
func (quotaSet) Help() string {
	return `A SIZE is a number of bytes, or one with a unit: KiB, MiB, GiB, TiB (powers of 1024) or KB, MB, GB, TB (of 1000). The caps replace those of before; one that is left out is none.

A bucket that had no quota is counted first. Until that is done, writes to it are refused with 503 if a cap is hard; to keep a large bucket open, count it before with "keystile quota scan".

Examples:

    keystile quota set prod/uploads --soft 8GiB --hard 10GiB
    keystile quota set prod/uploads --hard 10GiB --hard-objects 100000
`
}

// Run sets.
func (cmd quotaSet) Run(ctx context.Context, c *caller) error {
	b, err := cmd.parse()
	if err != nil {
		return err
	}
	caps := client.QuotaCaps{SoftObjects: cmd.SoftObjects, HardObjects: cmd.HardObjects}
	if caps.SoftBytes, err = sizeOf("--soft", cmd.Soft); err != nil {
		return err
	}
	if caps.HardBytes, err = sizeOf("--hard", cmd.Hard); err != nil {
		return err
	}
	if caps == (client.QuotaCaps{}) {
		return usagef("give at least one cap: --soft, --hard, --soft-objects or --hard-objects")
	}
	quota, err := c.SetBucketQuota(ctx, b.Backend, b.Name, caps)
	if err != nil {
		return err
	}
	if quota, err = c.firstCount(ctx, quota); err != nil {
		return err
	}
	return c.quota(quota)
}

// firstCountWait is how long a command waits for the first count of a bucket to
// begin, which tells whether there is such a bucket at all.
const firstCountWait = 5 * time.Second

// firstCount waits until the first count of a bucket has begun, or has failed, and
// warns where it did: caps may be set before their bucket is made.
func (c *caller) firstCount(ctx context.Context, quota client.BucketQuota) (client.BucketQuota, error) {
	for end := time.Now().Add(firstCountWait); ; {
		u := quota.Usage
		if u.ScanError != "" {
			_, _ = fmt.Fprintf(c.con.err, "keystile: %s/%s is capped, and cannot be counted yet: %s\n", clean(quota.Backend), clean(quota.Bucket), clean(u.ScanError))
		}
		if u.ScannedAt != nil || u.Scan != nil || u.ScanError != "" || time.Now().After(end) {
			return quota, nil
		}
		select {
		case <-ctx.Done():
			return quota, ctx.Err()
		case <-time.After(scanPoll):
		}
		var err error
		if quota, err = c.BucketQuota(ctx, quota.Backend, quota.Bucket); err != nil {
			return quota, err
		}
	}
}

func sizeOf(flag, text string) (*int64, error) {
	if text == "" {
		return nil, nil
	}
	n, err := keystile.ParseSize(text)
	if err != nil {
		return nil, usagef("%s: %s", flag, plain(err))
	}
	return &n, nil
}

type quotaShow struct {
	Bucket string `arg:"" optional:"" help:"BACKEND/BUCKET; none: all that have a quota."`
}

// Run shows.
func (cmd quotaShow) Run(ctx context.Context, c *caller) error {
	if cmd.Bucket != "" {
		b, err := BucketName(cmd).parse()
		if err != nil {
			return err
		}
		quota, err := c.BucketQuota(ctx, b.Backend, b.Name)
		if err != nil {
			return err
		}
		return c.quota(quota)
	}
	list, err := c.Quotas(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, list)
	}
	t := table{head: []string{"BUCKET", "USED", "SOFT", "HARD", "OBJECTS", "SOFT", "HARD", "SCANNED"}}
	for _, q := range list {
		u := q.Usage
		t.add(clean(q.Backend+"/"+q.Bucket), keystile.FormatSize(u.UsedBytes+u.ReservedBytes+u.UnknownBytes), sizeCap(q.SoftBytes), sizeCap(q.HardBytes),
			strconv.FormatInt(u.UsedObjects+u.ReservedObjects+u.UnknownObjects, 10), countCap(q.SoftObjects), countCap(q.HardObjects), scanText(u))
	}
	return t.write(c.con.out, "No bucket has a quota.")
}

func sizeCap(n *int64) string {
	if n == nil {
		return "-"
	}
	return keystile.FormatSize(*n)
}

func countCap(n *int64) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatInt(*n, 10)
}

func scanText(u client.QuotaUsage) string {
	switch {
	case u.Scan != nil && u.Scan.Resumed:
		return fmt.Sprintf("counting: %d objects so far, resumed after a restart", u.Scan.Objects)
	case u.Scan != nil:
		return fmt.Sprintf("counting: %d objects so far", u.Scan.Objects)
	case u.ScannedAt == nil && u.ScanError != "":
		return "failed: " + clean(u.ScanError)
	case u.ScannedAt == nil:
		return "not yet"
	}
	return u.ScannedAt.UTC().Format(time.RFC3339)
}

// quota prints one bucket's quota.
func (c *caller) quota(q client.BucketQuota) error {
	if c.json {
		return printJSON(c.con.out, q)
	}
	u := q.Usage
	both := func(bytes, objects int64) string {
		return fmt.Sprintf("%s (%d bytes) in %d objects", keystile.FormatSize(bytes), bytes, objects)
	}
	var f fields
	f.add("Bucket", clean(q.Backend+"/"+q.Bucket))
	f.add("Soft cap", capText(q.SoftBytes, q.SoftObjects))
	f.add("Hard cap", capText(q.HardBytes, q.HardObjects))
	f.add("Used", both(u.UsedBytes, u.UsedObjects))
	if u.ReservedBytes+u.ReservedObjects > 0 {
		f.add("Reserved", both(u.ReservedBytes, u.ReservedObjects)+", by writes under way")
	}
	if u.UnknownBytes+u.UnknownObjects > 0 {
		f.add("Unknown", both(u.UnknownBytes, u.UnknownObjects)+", until the next count")
	}
	f.add("Scanned", scanText(u))
	if u.ScannedAt != nil && u.DriftBytes|u.DriftObjects != 0 {
		f.add("Drift", fmt.Sprintf("%+d bytes, %+d objects", u.DriftBytes, u.DriftObjects))
	}
	return f.write(c.con.out)
}

func capText(bytes, objects *int64) string {
	switch {
	case bytes != nil && objects != nil:
		return sizeCap(bytes) + ", " + countCap(objects) + " objects"
	case bytes != nil:
		return sizeCap(bytes)
	case objects != nil:
		return countCap(objects) + " objects"
	}
	return "none"
}

type quotaClear struct{ BucketName }

// Run clears.
func (cmd quotaClear) Run(ctx context.Context, c *caller) error {
	b, err := cmd.parse()
	if err != nil {
		return err
	}
	if err := c.ClearBucketQuota(ctx, b.Backend, b.Name); err != nil {
		return err
	}
	return c.done("%s has no quota.", b)
}

type quotaScan struct {
	BucketName
	Cancel bool `help:"End the count that is under way." xor:"how"`
	Wait   bool `help:"Wait until it is done." xor:"how"`
}

// Help says what is counted.
func (quotaScan) Help() string {
	return `Counts all versions of all objects and the parts of uploads under way, in the background; writes go on meanwhile. A bucket that had no quota gets one without caps, and is counted from then on.
`
}

// scanPoll is how often a command that waits looks.
const scanPoll = 500 * time.Millisecond

// Run counts.
func (cmd quotaScan) Run(ctx context.Context, c *caller) error {
	b, err := cmd.parse()
	if err != nil {
		return err
	}
	if cmd.Cancel {
		if err := c.CancelBucketScan(ctx, b.Backend, b.Name); err != nil {
			return err
		}
		return c.done("The count of %s is cancelled.", b)
	}
	began := time.Now()
	quota, err := c.ScanBucket(ctx, b.Backend, b.Name)
	if err != nil {
		return err
	}
	before := quota.Usage.ScannedAt
	for cmd.Wait {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(scanPoll):
		}
		if quota, err = c.BucketQuota(ctx, b.Backend, b.Name); err != nil {
			return err
		}
		u := quota.Usage
		if u.Scan == nil && u.ScanError != "" {
			return fmt.Errorf("the count failed: %s", clean(u.ScanError))
		}
		if u.Scan == nil && u.ScannedAt != nil && (before == nil || u.ScannedAt.After(*before)) {
			break
		}
		if u.Scan != nil && !c.json {
			_, _ = fmt.Fprintf(c.con.err, "%s: %d objects, %s\n", time.Since(began).Round(time.Second), u.Scan.Objects, keystile.FormatSize(u.Scan.Bytes))
		}
	}
	return c.quota(quota)
}
