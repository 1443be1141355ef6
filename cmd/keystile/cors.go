package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"keystile/internal/client"
	"keystile/internal/keystile"
)

type bucketCORS struct {
	Get   corsGet   `cmd:"" help:"Show the choice and its rules."`
	Set   corsSet   `cmd:"" help:"Choose where the rules come from."`
	Clear corsClear `cmd:"" help:"Switch it off."`
}

type corsGet struct{ BucketName }

// Run shows.
func (cmd corsGet) Run(ctx context.Context, c *caller) error {
	b, err := cmd.parse()
	if err != nil {
		return err
	}
	choice, err := c.BucketCORS(ctx, b.Backend, b.Name)
	if err != nil {
		return err
	}
	return c.cors(choice)
}

func (c *caller) cors(choice client.CORS) error {
	if c.json {
		return printJSON(c.con.out, choice)
	}
	t := table{head: []string{"RULE", "ORIGINS", "METHODS", "HEADERS", "EXPOSES", "MAX AGE"}}
	for i, r := range choice.Rules {
		age := ""
		if r.MaxAgeSeconds > 0 {
			age = fmt.Sprintf("%d s", r.MaxAgeSeconds)
		}
		t.add(fmt.Sprint(i+1), words(r.AllowedOrigins), words(r.AllowedMethods), words(r.AllowedHeaders), words(r.ExposeHeaders), age)
	}
	return t.write(c.con.out, map[string]string{
		"off":     "Off: pages of other origins get nothing.",
		"backend": "The rules are the bucket's own, at its backend.",
	}[choice.Mode])
}

func words(list []string) string { return clean(strings.Join(list, " ")) }

type corsSet struct {
	BucketName
	Rules   string `help:"JSON file of rules, in the form of aws s3api put-bucket-cors; - is standard input. The gateway keeps them." placeholder:"FILE" xor:"from" required:""`
	Backend bool   `help:"Take the rules that the bucket has at its backend." xor:"from" required:""`
}

// Help has the examples.
func (corsSet) Help() string {
	return `No rule gives a right: requests of the page need a signature or an anonymous binding all the same.

Examples:

    keystile bucket cors set prod/uploads --rules cors.json
    keystile bucket cors set prod/uploads --backend

where cors.json has

    {"CORSRules": [{"AllowedOrigins": ["https://*.example.com"], "AllowedMethods": ["GET", "PUT"],
                    "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 600}]}
`
}

// Run chooses.
func (cmd corsSet) Run(ctx context.Context, c *caller) error {
	b, err := cmd.parse()
	if err != nil {
		return err
	}
	choice := client.CORS{Mode: string(keystile.CORSBackend)}
	if !cmd.Backend {
		choice.Mode = string(keystile.CORSGateway)
		if choice.Rules, err = c.con.corsRules(cmd.Rules); err != nil {
			return err
		}
	}
	if choice, err = c.SetBucketCORS(ctx, b.Backend, b.Name, choice); err != nil {
		return err
	}
	return c.cors(choice)
}

// maxCORSFile bounds a file of rules; S3's own bound is 64 KiB.
const maxCORSFile = 1 << 20

// corsRules reads S3's JSON form of a CORS configuration.
func (c *console) corsRules(name string) ([]client.CORSRule, error) {
	var in io.Reader = c.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxCORSFile))
	if err != nil {
		return nil, err
	}
	var file struct {
		CORSRules []struct {
			ID                                                            string
			AllowedOrigins, AllowedMethods, AllowedHeaders, ExposeHeaders []string
			MaxAgeSeconds                                                 int
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("the rules are not {\"CORSRules\": [...]}: %w", err)
	}
	rules := make([]client.CORSRule, 0, len(file.CORSRules))
	for _, r := range file.CORSRules {
		rules = append(rules, client.CORSRule(r))
	}
	return rules, nil
}

type corsClear struct{ BucketName }

// Run switches it off.
func (cmd corsClear) Run(ctx context.Context, c *caller) error {
	b, err := cmd.parse()
	if err != nil {
		return err
	}
	if _, err := c.SetBucketCORS(ctx, b.Backend, b.Name, client.CORS{Mode: string(keystile.CORSOff)}); err != nil {
		return err
	}
	return c.done("CORS of %s is off.", b)
}
