package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"keystile/internal/client"
	"keystile/internal/config"
	"keystile/internal/keystile"
)

type backendCommands struct {
	APIFlags
	Add    backendAdd    `cmd:"" help:"Add a backend."`
	List   backendList   `cmd:"" help:"List backends and their health."`
	Show   backendShow   `cmd:"" help:"Show one backend."`
	Test   backendTest   `cmd:"" help:"Try a backend: reach, sign, list, clock, admin, keys, abilities."`
	Edit   backendEdit   `cmd:"" help:"Change a backend that was added here."`
	Remove backendRemove `cmd:"" help:"Forget a backend that was added here."`
}

// BackendID is the argument of commands about one backend.
type BackendID struct {
	ID string `arg:"" help:"The backend's id."`
}

type backendAdd struct {
	BackendID
	Kind                 string `help:"What it is: s3, or ceph-rgw for a Ceph whose users are managed too." enum:"s3,ceph-rgw" default:"s3"`
	Endpoint             string `required:"" help:"http(s)://HOST[:PORT]." placeholder:"URL"`
	Region               string `help:"Its region." default:"us-east-1"`
	AccessKeyID          string `required:"" help:"The key that the gateway signs with." placeholder:"ID"`
	SecretAccessKeyStdin bool   `help:"Read the secret from standard input instead of a prompt."`
	VirtualHosted        bool   `help:"Address buckets in the host name instead of the path."`
	ForceHashing         bool   `help:"Verify every body here, whatever the backend is proven to verify itself."`
	Scratch              string `help:"Where probes write, if the key cannot create buckets." placeholder:"BUCKET/PREFIX"`
	adminAPI
}

// adminAPI reaches a Ceph's Admin Ops API.
type adminAPI struct {
	AdminEndpoint            string `help:"Of a ceph-rgw: its Admin Ops API, if that is not at the endpoint." placeholder:"URL"`
	AdminAccessKeyID         string `help:"Of a ceph-rgw: the key for the Admin Ops API; the S3 key and its secret if not given." placeholder:"ID"`
	AdminSecretAccessKeyFile string `help:"Of a ceph-rgw: a file, closed to others, with that key's secret instead of a prompt." placeholder:"FILE"`
}

// key returns the access key ID and secret for the Admin Ops API of a kind.
func (a adminAPI) key(c *console, kind, s3Key string, s3Secret keystile.Secret) (string, keystile.Secret, error) {
	switch {
	case kind != string(keystile.KindCeph):
		if a != (adminAPI{}) {
			return "", keystile.Secret{}, usagef("only a backend of kind %s has an Admin Ops API", keystile.KindCeph)
		}
		return "", keystile.Secret{}, nil
	case a.AdminAccessKeyID == "":
		return s3Key, s3Secret, nil
	case a.AdminSecretAccessKeyFile != "":
		secret, err := config.ReadSecretFile(a.AdminSecretAccessKeyFile)
		return a.AdminAccessKeyID, secret, err
	case !isTerminal(c.in):
		return "", keystile.Secret{}, usagef("standard input is not a terminal: give --admin-secret-access-key-file")
	}
	secret, err := c.secretFromPrompt("Secret access key of the Admin Ops API")
	return a.AdminAccessKeyID, secret, err
}

// Help has the examples.
func (backendAdd) Help() string {
	return `The secret is never a flag: it would stand in the process list. It is sealed in the server's store.

Examples:

    keystile backend add minio --endpoint http://10.0.0.5:9000 --access-key-id AKEXAMPLE
    keystile backend add minio --kind s3 --endpoint http://10.0.0.5:9000 --region us-east-1 --access-key-id AKEXAMPLE --secret-access-key-stdin < secret.txt
    keystile backend add ceph-1 --kind ceph-rgw --endpoint https://s3.ceph.example --access-key-id KEYSTILE --admin-access-key-id ADMIN --admin-secret-access-key-file admin.secret --secret-access-key-stdin < s3.secret
`
}

// Run adds.
func (cmd backendAdd) Run(ctx context.Context, c *caller) error {
	secret, err := c.con.backendSecret(cmd.SecretAccessKeyStdin)
	if err != nil {
		return err
	}
	adminKey, adminSecret, err := cmd.key(c.con, cmd.Kind, cmd.AccessKeyID, secret)
	if err != nil {
		return err
	}
	added, err := c.AddBackend(ctx, client.NewBackend{
		ID: cmd.ID, Kind: cmd.Kind, Endpoint: cmd.Endpoint, Region: cmd.Region, PathStyle: !cmd.VirtualHosted,
		AccessKeyID: cmd.AccessKeyID, SecretAccessKey: secret.Reveal(), ForceHashing: cmd.ForceHashing, Scratch: cmd.Scratch,
		AdminEndpoint: cmd.AdminEndpoint, AdminAccessKeyID: adminKey, AdminSecretAccessKey: adminSecret.Reveal(),
	})
	if err != nil {
		return err
	}
	return c.backend(added)
}

func (c *console) backendSecret(fromStdin bool) (keystile.Secret, error) {
	if fromStdin {
		return c.secretFromStdin()
	}
	if !isTerminal(c.in) {
		return keystile.Secret{}, usagef("standard input is not a terminal: give --secret-access-key-stdin")
	}
	return c.secretFromPrompt("Secret access key")
}

type backendList struct{}

// Run lists.
func (backendList) Run(ctx context.Context, c *caller) error {
	list, err := c.Backends(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, list)
	}
	t := table{head: []string{"ID", "KIND", "ENDPOINT", "REGION", "FROM", "HEALTH"}}
	for _, b := range list {
		t.add(b.ID, b.Kind, b.Endpoint, b.Region, b.Source, health(b.Health))
	}
	return t.write(c.con.out, "No backends.")
}

func health(h client.Health) string {
	switch {
	case h.CheckedAt == nil:
		return "not checked yet"
	case h.Healthy:
		return "healthy"
	case h.Message != "":
		return "unhealthy: " + clean(h.Message)
	}
	return "unhealthy"
}

type backendShow struct{ BackendID }

// Run shows one.
func (cmd backendShow) Run(ctx context.Context, c *caller) error {
	got, err := c.Backend(ctx, cmd.ID)
	if err != nil {
		return err
	}
	return c.backend(got)
}

func (c *caller) backend(b client.Backend) error {
	if c.json {
		return printJSON(c.con.out, b)
	}
	var f fields
	f.add("ID", b.ID)
	f.add("Kind", b.Kind)
	f.add("Endpoint", b.Endpoint)
	f.add("Region", b.Region)
	if b.Kind != string(keystile.KindEmbedded) {
		f.add("Addressing", map[bool]string{true: "in the path", false: "in the host name"}[b.PathStyle])
	}
	f.add("Access key ID", b.AccessKeyID)
	if b.Kind == string(keystile.KindCeph) {
		f.add("Admin Ops API", cmp.Or(b.AdminEndpoint, b.Endpoint))
		f.add("Its access key ID", b.AdminAccessKeyID)
	}
	f.add("Declared in", map[string]string{"config": "the configuration file", "store": "the store"}[b.Source])
	f.add("Health", health(b.Health))
	if b.Scratch != "" {
		f.add("Probes write to", b.Scratch)
	}
	f.add("Hashing", map[bool]string{true: "forced: every body is verified here", false: "left to the backend where it is proven"}[b.ForceHashing])
	f.add("Probed", probed(b.ProbedAt))
	f.add("Created", shortTime(b.CreatedAt))
	if err := f.write(c.con.out); err != nil {
		return err
	}
	return c.con.abilities(b.Abilities)
}

func probed(at *time.Time) string {
	if at == nil {
		return "not yet: nothing is proven"
	}
	return shortTime(at)
}

// abilities lists what a backend can do, with what follows from it.
func (c *console) abilities(all []client.Ability) error {
	t := table{head: []string{"ABILITY", "PROVEN", "UNTIL", "WHAT FOLLOWS"}}
	for _, a := range all {
		means := a.Means
		if a.Note != "" && a.Verdict != "yes" {
			means += " (" + clean(a.Note) + ")"
		}
		t.add(a.Title, a.Verdict, shortTime(a.ExpiresAt), means)
	}
	_, _ = fmt.Fprintln(c.out)
	return t.write(c.out, "Nothing is known of its abilities.")
}

type backendTest struct{ BackendID }

// Run tests, and fails when the backend does.
func (cmd backendTest) Run(ctx context.Context, c *caller) error {
	report, err := c.TestBackend(ctx, cmd.ID)
	if err != nil {
		return err
	}
	if err := c.backendReport(report); err != nil {
		return err
	}
	if !report.OK {
		return fmt.Errorf("backend %s failed its test", cmd.ID)
	}
	return nil
}

func (c *caller) backendReport(report client.BackendTest) error {
	if c.json {
		return printJSON(c.con.out, report)
	}
	t := table{head: []string{"STEP", "RESULT", "MESSAGE"}}
	for _, s := range report.Steps {
		t.add(s.Name, map[bool]string{true: "ok", false: "failed"}[s.OK], clean(s.Message))
	}
	if err := t.write(c.con.out, "No steps were run."); err != nil {
		return err
	}
	for _, s := range report.Steps {
		if s.Mend == "" {
			continue
		}
		if err := c.done("This mends it: %s", clean(s.Mend)); err != nil {
			return err
		}
	}
	if !report.OK {
		return nil
	}
	skew := time.Duration(report.ClockSkewMS * float64(time.Millisecond)).Round(time.Millisecond)
	if err := c.done("%d buckets, clock %s apart.", report.Buckets, skew.Abs()); err != nil {
		return err
	}
	return c.con.abilities(report.Abilities)
}

type backendEdit struct {
	BackendID
	Endpoint             *string `help:"The new endpoint; asks for the secret again." placeholder:"URL"`
	Region               *string `help:"The new region." placeholder:"REGION"`
	AccessKeyID          *string `help:"The new access key ID." placeholder:"ID"`
	SecretAccessKeyStdin bool    `help:"Read a new secret from standard input."`
	PathStyle            *bool   `help:"Address buckets in the path, or with --no-path-style in the host name." negatable:""`
	ForceHashing         *bool   `help:"Verify every body here, or with --no-force-hashing leave it to the backend where it is proven." negatable:""`
	Scratch              *string `help:"Where probes write; empty: in a bucket that they make." placeholder:"BUCKET/PREFIX"`

	AdminEndpoint            *string `help:"A new Admin Ops API; asks for its secret again. Empty: at the endpoint." placeholder:"URL"`
	AdminAccessKeyID         *string `help:"The new key for it." placeholder:"ID"`
	AdminSecretAccessKeyFile string  `help:"A file, closed to others, with its new secret." placeholder:"FILE"`
}

// Run changes it.
func (cmd backendEdit) Run(ctx context.Context, c *caller) error {
	edit := client.BackendEdit{Endpoint: cmd.Endpoint, Region: cmd.Region, AccessKeyID: cmd.AccessKeyID, PathStyle: cmd.PathStyle, ForceHashing: cmd.ForceHashing, Scratch: cmd.Scratch}
	if cmd.SecretAccessKeyStdin || cmd.Endpoint != nil {
		secret, err := c.con.backendSecret(cmd.SecretAccessKeyStdin)
		if err != nil {
			return err
		}
		text := secret.Reveal()
		edit.SecretAccessKey = &text
	}
	edit.AdminEndpoint, edit.AdminAccessKeyID = cmd.AdminEndpoint, cmd.AdminAccessKeyID
	if cmd.AdminSecretAccessKeyFile != "" {
		secret, err := config.ReadSecretFile(cmd.AdminSecretAccessKeyFile)
		if err != nil {
			return err
		}
		text := secret.Reveal()
		edit.AdminSecretAccessKey = &text
	}
	if edit == (client.BackendEdit{}) {
		return usagef("nothing to change: give --endpoint, --region, --access-key-id, --secret-access-key-stdin, --path-style, --force-hashing, --scratch or one of --admin-endpoint, --admin-access-key-id and --admin-secret-access-key-file")
	}
	changed, err := c.EditBackend(ctx, cmd.ID, edit)
	if err != nil {
		return err
	}
	return c.backend(changed)
}

type backendRemove struct {
	BackendID
	Confirm
}

// Run removes.
func (cmd backendRemove) Run(ctx context.Context, c *caller) error {
	if err := cmd.ask(c.con, "Forget the backend "+cmd.ID+"? Its objects stay where they are."); err != nil {
		return err
	}
	if err := c.RemoveBackend(ctx, cmd.ID); err != nil {
		return err
	}
	return c.done("Removed %s.", cmd.ID)
}
