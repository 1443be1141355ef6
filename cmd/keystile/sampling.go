package main

import (
	"context"
	"strconv"
	"time"

	"keystile/internal/client"
	"keystile/internal/config"
	"keystile/internal/keystile"
)

type auditSampling struct {
	List  samplingList  `cmd:"" help:"List the rules in force."`
	Set   samplingSet   `cmd:"" help:"Have a share of successful reads recorded."`
	Clear samplingClear `cmd:"" help:"Remove a rule."`
}

// SampledReads are the flags that name reads.
type SampledReads struct {
	AccessKeyID string `help:"Reads by this access key." placeholder:"ID" xor:"reads" required:""`
	Bucket      string `help:"Reads of this bucket, by its real name." placeholder:"BACKEND/BUCKET" xor:"reads" required:""`
	All         bool   `help:"All reads." xor:"reads" required:""`
}

func (s SampledReads) parse() (client.SampledReads, error) {
	if s.Bucket == "" {
		return client.SampledReads{AccessKeyID: s.AccessKeyID}, nil
	}
	b, err := keystile.ParseBucket(s.Bucket)
	if err != nil {
		return client.SampledReads{}, usagef("--bucket: %s", plain(err))
	}
	return client.SampledReads{Backend: b.Backend, Bucket: b.Name}, nil
}

type samplingList struct{}

// Run lists.
func (samplingList) Run(ctx context.Context, c *caller) error {
	rules, err := c.Sampling(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, rules)
	}
	t := table{head: []string{"READS OF", "RATE", "UNTIL", "SET BY"}}
	for _, r := range rules {
		of, until := "all", "no end"
		switch {
		case r.AccessKeyID != "":
			of = r.AccessKeyID
		case r.Bucket != "":
			of = r.Backend + "/" + r.Bucket
		}
		if r.Until != nil {
			until = r.Until.UTC().Format(time.RFC3339)
		}
		t.add(clean(of), strconv.FormatFloat(r.Rate, 'g', -1, 64), until, clean(r.SetBy))
	}
	return t.write(c.con.out, "No rules: the configured share of reads is recorded.")
}

type samplingSet struct {
	SampledReads
	Rate float64 `help:"The share, 0 to 1." default:"1"`
	For  string  `help:"For how long: 90m, 24h, 30d; without, until it is cleared." placeholder:"DURATION"`
}

// Help has the examples.
func (samplingSet) Help() string {
	return `While several rules are in force for a read, and the share in the configuration, the highest counts.

Examples:

    keystile audit sampling set --access-key-id AKIA… --for 2h
    keystile audit sampling set --bucket prod/payroll --rate 0.1
`
}

// Run sets.
func (cmd samplingSet) Run(ctx context.Context, c *caller) error {
	of, err := cmd.parse()
	if err != nil {
		return err
	}
	rule := client.SamplingRule{SampledReads: of, Rate: cmd.Rate}
	if cmd.For != "" {
		if err := checkDuration("--for", cmd.For); err != nil {
			return err
		}
		d, err := config.ParseDuration(cmd.For)
		if err != nil {
			return err
		}
		until := time.Now().Add(d).UTC()
		rule.Until = &until
	}
	if err := c.SetSampling(ctx, rule); err != nil {
		return err
	}
	return c.done("Successful reads are recorded, by a share of %g.", cmd.Rate)
}

type samplingClear struct{ SampledReads }

// Run clears.
func (cmd samplingClear) Run(ctx context.Context, c *caller) error {
	of, err := cmd.parse()
	if err != nil {
		return err
	}
	if err := c.ClearSampling(ctx, of); err != nil {
		return err
	}
	return c.done("The rule is removed.")
}
