package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"keystile/internal/config"
	"keystile/internal/keystile"
)

type quickstartCommand struct {
	ListenFlags
	Output       string `short:"o" help:"text, or json: one line when ready." enum:"text,json" default:"text"`
	APITokenFile string `name:"api-token-file" help:"Write the first run's API token to this file, mode 0600." placeholder:"FILE"`
}

// Help has the examples.
func (quickstartCommand) Help() string {
	return `Starts an embedded S3 store, the gateway and the API with their data in one directory (./data), creates an administrator and two buckets with a few objects, and prints what to do next. Run again it finds everything as it was.

Examples:

    keystile quickstart
    keystile quickstart --data /tmp/try --listen 127.0.0.1:0 --s3-listen 127.0.0.1:0 --output json
`
}

// Run serves until the context ends.
func (cmd quickstartCommand) Run(ctx context.Context, con *console) error {
	c, err := cmd.config(con)
	if err != nil {
		return err
	}
	return runServer(ctx, con, c, func(s *server) error {
		first, err := s.firstRun(ctx, cmd.keepToken)
		if err != nil {
			return fmt.Errorf("the first run: %w", err)
		}
		x := s.welcome(first)
		x.program = shellWord(con.program)
		return cmd.print(con.out, x)
	})
}

// config is the default one with an embedded backend. Unless the environment
// asks for more, only warnings are logged: the terminal is for people here.
func (cmd quickstartCommand) config(con *console) (config.Config, error) {
	src := config.Sources{Environ: con.environ}
	if con.environ[config.EnvName("log.level")] == "" {
		src.Flags = append(src.Flags, config.Override{Flag: "quickstart", Key: "log.level", Value: "warn"})
	}
	src.Flags = append(src.Flags, cmd.overrides()...)
	c, err := config.Load(src)
	if err != nil {
		return c, err
	}
	c.Backends = append(c.Backends, config.Embedded(quickstartBackend, filepath.Join(c.DataDir, "backends", quickstartBackend)))
	return c, nil
}

// keepToken writes the token where the user asked for it, before the first run
// counts as done.
func (cmd quickstartCommand) keepToken(token keystile.Secret) error {
	if cmd.APITokenFile == "" {
		return nil
	}
	return writePrivate(cmd.APITokenFile, func(w io.Writer) error {
		_, err := io.WriteString(w, token.Reveal()+"\n")
		return err
	})
}

// writePrivate replaces a file whole by one that only its owner can read.
// Where write fails, the file stays as it was.
func writePrivate(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".keystile-*") // mode 0600
	if err != nil {
		return err
	}
	err = write(f)
	if err = cmp.Or(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error tells more
	}
	return err
}

// welcome is the one line of JSON, a stable interface.
type welcome struct {
	DashboardURL string   `json:"dashboard_url"`
	S3Endpoint   string   `json:"s3_endpoint"`
	Username     string   `json:"username"`
	Password     string   `json:"password,omitempty"`  // on the first run only
	APIToken     string   `json:"api_token,omitempty"` // on the first run only
	BackendID    string   `json:"backend_id"`
	Buckets      []string `json:"buckets"`

	dataDir string
	program string // as the shell takes it
}

func (s *server) welcome(first firstRun) welcome {
	return welcome{
		DashboardURL: s.dashboardURL().String(),
		S3Endpoint:   s.s3URL(),
		Username:     adminName,
		Password:     revealed(first.password),
		APIToken:     revealed(first.token),
		BackendID:    quickstartBackend,
		Buckets:      quickstartBuckets(),
		dataDir:      s.config.DataDir,
	}
}

func revealed(s keystile.Secret) string {
	if s.IsZero() {
		return ""
	}
	return s.Reveal()
}

func (cmd quickstartCommand) print(w io.Writer, x welcome) error {
	if cmd.Output == "json" {
		return printJSON(w, x)
	}
	_, err := io.WriteString(w, x.text(cmd.APITokenFile))
	return err
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./+:@%-]+$`)

// shellWord quotes text for a shell where that is needed.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// text is the welcome for people.
func (x welcome) text(tokenFile string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("")
	line("  Keystile is ready.")
	line("")
	line("    API and docs   %s", x.DashboardURL)
	line("    S3 endpoint    %s", x.S3Endpoint)
	line("    Username       %s", x.Username)
	if x.Password == "" {
		line("    Data           %s, everything as it was", x.dataDir)
	} else {
		line("    Password       %s", x.Password)
		line("    Data           %s", x.dataDir)
		line("")
		line("  The password and the token below are shown this once: keep them now.")
	}
	line("")
	line("  Next, in another terminal:")
	line("")
	line("  1. Let the command line in.")
	line("")
	if x.DashboardURL != defaultURL {
		line("       export KEYSTILE_URL=%s", x.DashboardURL)
	}
	switch {
	case x.APIToken != "":
		line("       export KEYSTILE_TOKEN=%s", x.APIToken)
	case tokenFile != "":
		line("       export KEYSTILE_TOKEN=$(cat %s)", shellWord(tokenFile))
	default:
		line("       export KEYSTILE_TOKEN=ks_...      # the token of the first run")
	}
	line("")
	line("  2. Mint a key that reads and lists one bucket.")
	line("")
	line("       %s credential create --description \"my first key\" --grant %s/%s:read,list -o table", x.program, x.BackendID, x.Buckets[0])
	line("")
	line("  3. Use it; any other bucket is refused.")
	line("")
	line("       export AWS_ACCESS_KEY_ID=AKIA... AWS_SECRET_ACCESS_KEY=... AWS_DEFAULT_REGION=us-east-1")
	line("       aws --endpoint-url %s s3 ls s3://%s", x.S3Endpoint, x.Buckets[0])
	line("")
	line("  Ctrl-C stops it; the data stays.")
	line("")
	return b.String()
}
