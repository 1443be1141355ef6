package main

import (
	"fmt"
	"os"
	"strings"

	"keystile/internal/config"
)

// ConfigFlags say where the configuration comes from.
type ConfigFlags struct {
	Config string   `help:"The YAML file." placeholder:"FILE"`
	Set    []string `help:"Set one key over file and environment: server.listen=127.0.0.1:8080. Repeat for more." sep:"none" placeholder:"KEY=VALUE"`
}

// load reads the configuration. Its error names every fault.
func (f ConfigFlags) load(con *console, more ...config.Override) (config.Config, error) {
	src := config.Sources{Environ: con.environ}
	if f.Config != "" {
		data, err := os.ReadFile(f.Config)
		if err != nil {
			return config.Config{}, fmt.Errorf("read the configuration: %w", err)
		}
		src.File, src.YAML = f.Config, data
	}
	for _, pair := range f.Set {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return config.Config{}, usagef("--set %q is not KEY=VALUE", pair)
		}
		src.Flags = append(src.Flags, config.Override{Flag: "--set", Key: key, Value: value})
	}
	src.Flags = append(src.Flags, more...)
	return config.Load(src)
}

type configCommands struct {
	Check configCheck `cmd:"" help:"Check the configuration and print every fault."`
	Show  configShow  `cmd:"" help:"Print the effective configuration, without secrets."`
	Keys  configKeys  `cmd:"" help:"List the keys with the environment variables that set them."`
}

type configCheck struct{ ConfigFlags }

// Help has the examples.
func (configCheck) Help() string {
	return `Every fault is printed with its place: the line of the file, the variable or the flag. Exits with 1 if there is any.

Examples:

    keystile config check --config keystile.yaml
`
}

// Run checks.
func (cmd configCheck) Run(con *console) error {
	c, err := cmd.load(con)
	if err != nil {
		return err
	}
	for _, warning := range c.Warnings() {
		if _, err := fmt.Fprintln(con.err, "keystile: warning:", warning); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(con.out, "The configuration is valid: %d backends declared.\n", len(c.Backends))
	return err
}

type configShow struct{ ConfigFlags }

// Run shows.
func (cmd configShow) Run(con *console) error {
	c, err := cmd.load(con)
	if err != nil {
		return err
	}
	return c.Show(con.out)
}

type configKeys struct{}

// Run lists.
func (configKeys) Run(con *console) error {
	t := table{head: []string{"KEY", "VARIABLE"}}
	for _, key := range config.Keys() {
		t.add(key, config.EnvName(key))
	}
	return t.write(con.out, "")
}
