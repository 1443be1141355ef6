package config

import (
	"strings"
	"testing"
)

func TestFaultsOfSinks(t *testing.T) {
	for _, tt := range []struct {
		name, sink, want string
	}{
		{"a name is needed", "{kind: file, path: /x}", "name: must be 1 to 63"},
		{"a kind is one of four", "{name: a, kind: tcp}", `kind: "tcp" is not one of`},
		{"syslog needs a port", "{name: a, kind: syslog, address: log.example}", `address: "log.example" is not HOST:PORT`},
		{"port 0 is none", `{name: a, kind: syslog, address: "log.example:0"}`, "address:"},
		{"a facility is one of 24", `{name: a, kind: syslog, address: "l:1", facility: 24}`, "facility: must lie between 0 and 23"},
		{"a webhook signs", "{name: a, kind: webhook, url: 'https://log.example'}", "needs one of secret_env, secret_file"},
		{"a webhook's variable is set", "{name: a, kind: webhook, url: 'https://log.example', secret_env: NOPE}", "the environment variable NOPE is not set"},
		{"a webhook speaks HTTP", "{name: a, kind: webhook, url: 'ftp://log.example', secret_env: S}", "url: must be"},
		{"a file has a path", "{name: a, kind: file}", "path: must not be empty"},
		{"a file is no webhook", "{name: a, kind: file, path: /x, url: 'https://log.example'}", `url: means nothing to a sink of kind "file"`},
		{"a file speaks no TLS", "{name: a, kind: file, path: /x, tls: {insecure_skip_verify: true}}", `tls: means nothing`},
		{"records do not go to s3", "{name: a, kind: s3, endpoint: 'https://s3.example', bucket: b, access_key_id: k, secret_key_env: S, send: [records]}", "takes anchors only"},
		{"a lock lasts a day at least", "{name: a, kind: s3, endpoint: 'https://s3.example', bucket: b, access_key_id: k, secret_key_env: S, retain_for: 1h}", "retain_for: must lie"},
		{"what is sent has a name", "{name: a, kind: file, path: /x, send: [events]}", `send: "events" is not one of`},
		{"TLS means nothing without https", "{name: a, kind: webhook, url: 'http://log.example', secret_env: S, tls: {insecure_skip_verify: true}}", "means nothing without"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(Sources{File: "k.yaml", YAML: []byte("audit:\n  sinks:\n    - " + tt.sink + "\n"), Environ: map[string]string{"S": "secret"}})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestTwoSinksOfOneNameAreAFault(t *testing.T) {
	_, err := Load(Sources{File: "k.yaml", YAML: []byte("audit:\n  sinks:\n    - {name: a, kind: file, path: /x}\n    - {name: a, kind: file, path: /y}\n")})
	if err == nil || !strings.Contains(err.Error(), `"a" is the name of audit.sinks[0] too`) {
		t.Errorf("error %v", err)
	}
}

func TestWhatASinkIsShownAsHasNoSecret(t *testing.T) {
	s := Sink{Kind: SinkWebhook, URL: "https://log.example/hooks/T0KEN?key=hush"}
	if got := s.Target(); got != "https://log.example" {
		t.Errorf("Target = %q", got)
	}
}
