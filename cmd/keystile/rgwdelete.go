package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keystile/internal/client"
)

type rgwUserDelete struct {
	RGWUserID
	PurgeObjects bool `help:"Empty and delete its buckets first."`
	Confirm
}

func (rgwUserDelete) Help() string {
	return `Without --purge-objects only a user whose buckets are empty is deleted.

With it the user's key stops at once, and a job of the server empties its buckets: this command tells how far
it is, and may be ended meanwhile. See it again, or stop it, with: keystile rgw job show|cancel JOB`
}

// Run deletes, and waits for the end with --purge-objects. What it prints of the
// progress goes to standard error.
func (cmd rgwUserDelete) Run(ctx context.Context, c *caller) error {
	question := "Delete the RGW user " + cmd.ID + "?"
	if cmd.PurgeObjects {
		question = "Delete the RGW user " + cmd.ID + " with ALL its buckets and objects?"
	}
	if err := cmd.ask(c.con, question); err != nil {
		return err
	}
	if !cmd.PurgeObjects {
		if err := c.DeleteRGWUser(ctx, cmd.ID); err != nil {
			return err
		}
		return c.done("Deleted %s.", cmd.ID)
	}
	job, err := c.PurgeRGWUser(ctx, cmd.ID)
	if err != nil {
		return err
	}
	if job, err = c.waitForJob(ctx, job); err != nil {
		return err
	}
	if c.json {
		if err := printJSON(c.con.out, job); err != nil {
			return err
		}
	}
	if job.State != "done" {
		return fmt.Errorf("the deletion was %s: the user is disabled, %d of its %d buckets are left", job.State, job.BucketsLeft, job.Buckets)
	}
	return c.done("Deleted %s with %d objects.", cmd.ID, job.ObjectsDeleted)
}

// jobStep is the time between two looks at a job.
const jobStep = time.Second

// waitForJob tells on standard error how far a job is, until it is over.
func (c *caller) waitForJob(ctx context.Context, job client.RGWJob) (client.RGWJob, error) {
	for isUnderWay(job) {
		select {
		case <-ctx.Done():
			return job, fmt.Errorf("no longer waiting: the deletion goes on; keystile rgw job show %s --wait takes up the waiting", job.ID)
		case <-time.After(jobStep):
		}
		var err error
		if job, err = c.RGWJob(ctx, job.ID); err != nil {
			return job, err
		}
		_, _ = fmt.Fprintln(c.con.err, jobText(job))
	}
	return job, nil
}

func isUnderWay(job client.RGWJob) bool { return job.State == "running" || job.State == "cancelling" }

// jobText is one line: how far a job is, and how fast and for how much longer as
// far as the server knows.
func jobText(job client.RGWJob) string {
	parts := []string{fmt.Sprintf("%s: %d of %d buckets deleted, with %d objects", job.State, job.Buckets-job.BucketsLeft, job.Buckets, job.ObjectsDeleted)}
	if job.ObjectsPerSecond != nil {
		parts = append(parts, fmt.Sprintf("%.0f objects/s", *job.ObjectsPerSecond))
	}
	if job.SecondsLeft != nil {
		parts = append(parts, fmt.Sprintf("about %v left", time.Duration(*job.SecondsLeft)*time.Second))
	}
	text := strings.Join(parts, ", ")
	if job.Message != "" {
		text += ". It waits: " + clean(job.Message)
	}
	return text
}

type rgwJobCommands struct {
	Show   rgwJobShow   `cmd:"" help:"Tell how far a deletion is."`
	Cancel rgwJobCancel `cmd:"" help:"Stop a deletion: what is deleted stays deleted, and the user stays disabled."`
}

// RGWJobID is the argument of commands about one job.
type RGWJobID struct {
	ID string `arg:"" help:"The job's id, as the deletion and the user's page tell it."`
}

type rgwJobShow struct {
	RGWJobID
	Wait bool `help:"Wait until it is over; what it prints of the progress goes to standard error."`
}

// Run shows.
func (cmd rgwJobShow) Run(ctx context.Context, c *caller) error {
	job, err := c.RGWJob(ctx, cmd.ID)
	if err == nil && cmd.Wait {
		job, err = c.waitForJob(ctx, job)
	}
	if err != nil {
		return err
	}
	return c.rgwJob(job)
}

// rgwJob prints a job.
func (c *caller) rgwJob(job client.RGWJob) error {
	if c.json {
		return printJSON(c.con.out, job)
	}
	return c.done("%s", jobText(job))
}

type rgwJobCancel struct {
	RGWJobID
	Confirm
}

// Run cancels. The job ends when it has learnt of it.
func (cmd rgwJobCancel) Run(ctx context.Context, c *caller) error {
	if err := cmd.ask(c.con, "Stop the deletion "+cmd.ID+"? What is deleted stays deleted, and the user stays disabled."); err != nil {
		return err
	}
	job, err := c.CancelRGWJob(ctx, cmd.ID)
	if err != nil {
		return err
	}
	return c.rgwJob(job)
}
