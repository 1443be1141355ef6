package main

import (
	"github.com/alecthomas/kong"
)

// commands is the grammar of the command line.
type commands struct {
	Quickstart quickstartCommand `cmd:"" help:"Try Keystile: an S3 store, a gateway and an API in one process, ready in seconds."`
	Serve      serveCommand      `cmd:"" help:"Run the gateway and the API as configured."`
	Config     configCommands    `cmd:"" help:"Check and show the configuration."`
	Admin      adminCommands     `cmd:"" help:"Create administrators, reset passwords and make tokens, offline."`

	Credential credentialCommands `cmd:"" help:"Mint, list and revoke credentials."`
	Audit      auditCommands      `cmd:"" help:"Read the audit trail."`
	Bucket     bucketCommands     `cmd:"" help:"Create, list and delete buckets on backends."`
	Quota      quotaCommands      `cmd:"" help:"Cap what may be stored in buckets."`
	Usage      usageCommand       `cmd:"" help:"Show who used what, and how much on each day."`
	Webhook    webhookCommands    `cmd:"" help:"Have addresses called when something happens."`
	Backend    backendCommands    `cmd:"" help:"Add, test and remove backends."`
	Anonymous  anonymousCommands  `cmd:"" help:"Open buckets to unsigned reads."`
	Account    accountCommands    `cmd:"" help:"Manage the people who sign in."`
	Project    projectCommands    `cmd:"" help:"Manage projects and their members."`
	RGW        rgwCommands        `cmd:"" name:"rgw" help:"Manage RGW users: S3 identities that own buckets."`
	Token      tokenCommands      `cmd:"" help:"Manage API tokens."`

	Version         versionCommand  `cmd:"" help:"Print the version."`
	EmbeddedBackend embeddedCommand `cmd:"" name:"embedded-backend" hidden:"" help:"Serve one directory as S3; started by the gateway itself."`
}

const description = `Keystile is an S3 access gateway: it stands in front of S3 storage and hands out keys that open some buckets and nothing else, leave an audit trail, and die the moment they are revoked.

The commands from credential to token call the API of a running server:
KEYSTILE_URL says where it is (default http://127.0.0.1:8080), KEYSTILE_TOKEN holds an API token.`

// newParser builds the parser. onHelp is called after help was printed.
func newParser(con *console, onHelp func(int)) (*kong.Kong, error) {
	return kong.New(&commands{},
		kong.Name("keystile"),
		kong.Description(description),
		kong.Writers(con.out, con.err),
		kong.Exit(onHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.Bind(con),
	)
}
