package main

import (
	"net/http"

	"github.com/alecthomas/kong"

	"keystile/internal/client"
	"keystile/internal/config"
	"keystile/internal/keystile"
)

const defaultURL = "http://127.0.0.1:8080"

// APIFlags are those of every command that calls the API.
type APIFlags struct {
	URL       string `help:"Where the server is, http(s)://HOST[:PORT]. Default: $$KEYSTILE_URL, or http://127.0.0.1:8080." placeholder:"URL"`
	TokenFile string `help:"Read the API token from this file instead of $$KEYSTILE_TOKEN." placeholder:"FILE"`
	Output    string `short:"o" help:"table or json. Default: table on a terminal, json elsewhere." enum:",table,json" default:"" placeholder:"FORMAT"`
}

// caller is what such a command works with.
type caller struct {
	*client.Client
	con  *console
	json bool
}

// AfterApply hands the command its caller once the flags are known. What fails
// here is no fault of the command line, so it is kept for after its parsing.
func (f APIFlags) AfterApply(command *kong.Context, con *console) error {
	c, err := f.connect(con)
	con.notReady = err
	command.Bind(c)
	return nil
}

func (f APIFlags) connect(con *console) (*caller, error) {
	token, err := f.token(con)
	if err != nil {
		return nil, err
	}
	url := f.URL
	if url == "" {
		url = con.environ["KEYSTILE_URL"]
	}
	if url == "" {
		url = defaultURL
	}
	c, err := client.New(client.Options{URL: url, Token: token, Agent: "keystile/" + version(), Proxy: http.ProxyFromEnvironment})
	if err != nil {
		return nil, usagef("the server's URL: %s", plain(err))
	}
	asJSON := f.Output == "json" || (f.Output == "" && !isTerminal(con.out))
	return &caller{Client: c, con: con, json: asJSON}, nil
}

func (f APIFlags) token(con *console) (keystile.Secret, error) {
	if f.TokenFile != "" {
		return config.ReadSecretFile(f.TokenFile)
	}
	if token := con.environ["KEYSTILE_TOKEN"]; token != "" {
		return keystile.NewSecret(token), nil
	}
	return keystile.Secret{}, usagef("no API token: set KEYSTILE_TOKEN or give --token-file FILE (the first one is printed by quickstart; more are made with: keystile token create NAME)")
}
