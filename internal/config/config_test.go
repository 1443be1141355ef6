package config

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
)

func TestNothingSetIsValid(t *testing.T) {
	t.Chdir(t.TempDir())
	got, err := Load(Sources{})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Store.Path = filepath.Join("data", "keystile.db")
	want.Store.MasterKeyFile = filepath.Join("data", "master.key")
	want.Audit.JournalDir = filepath.Join("data", "journal")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Load of nothing = %+v, want %+v", got, want)
	}
}

const full = `
data_dir: /srv/keystile
server:
  listen: 0.0.0.0:8443
  public_url: https://keys.example.org
  trusted_proxies: [10.1.2.3/8, 192.0.2.7]
  session: {idle_timeout: 30m, absolute_timeout: 7d}
  tls: {min_version: "1.3", acme_domains: [keys.example.org]}
s3_proxy:
  listen: 127.0.0.1:9000
  public_url: https://s3.example.org
  region: eu-central-1
  host_suffixes: [s3.example.org, S3.Local]
  anonymous_enabled: false
  anonymous_rate_per_second: 2.5
  anonymous_total_per_second: 7
  abort_refused_uploads_after: 1d
  trusted_proxies: [192.0.2.8]
  proxy_protocol: true
  limits: {requests_per_second: 1000, requests_per_second_per_key: 2.5, max_in_flight: 64, max_in_flight_per_key: 8, max_buffered_bytes: 33554432}
acme: {agree_terms: true, email: ops@example.org, storage_dir: /srv/acme, directory_url: "https://ca.example.org/dir", http_listen: "0.0.0.0:80"}
limits:
  header_timeout: 5s
  idle_timeout: 2m
  max_header_bytes: 32768
  max_uri_bytes: 8192
  min_body_rate: 100
  min_body_window: 10s
  max_connections: 1000
  max_connections_per_ip: 10
  max_connections_per_backend: 64
backend_defaults:
  timeouts: {connect: 1s, tls: 2s, read_answer: 3s, write_answer: 4s, long_answer: 5s, idle: 6s}
  keep_alive: {max_idle: 7, idle_timeout: 8s, max_lifetime: 9s}
backends:
  - id: local
    kind: embedded
  - id: minio
    kind: s3
    endpoint: http://127.0.0.1:9001
    access_key_id: AKIDEXAMPLE
    secret_key_env: MINIO_SECRET
    path_style: false
    timeouts: {read_answer: 1m}
    keep_alive: {max_idle: 1}
store:
  driver: sqlite
  path: /srv/db/keystile.db
  master_key_env: KEYSTILE_STORE_KEY
rgw:
  default_quota_kb: 1024
audit:
  journal_dir: /var/lib/keystile/journal
  group_wait: 3ms
  anchor_every: 10m
  keep_for: 9600h
  keep_bytes: 1000000000
  sampling:
    proxy_success_read_rate: 0.25
  sinks:
    - {name: siem, kind: syslog, address: "log.example:6514", facility: 16, from: now}
    - {name: hook, kind: webhook, url: "https://log.example/in", secret_env: HOOK_SECRET, send: [records], retention: ignores}
    - {name: lines, kind: file, path: /var/log/keystile.jsonl, max_bytes: 2097152, keep: 3}
    - name: worm
      kind: s3
      endpoint: https://s3.example
      region: eu-central-1
      path_style: false
      bucket: anchors
      prefix: keystile/
      access_key_id: AKID
      secret_key_env: WORM_KEY
      retain_for: 30d
log: {level: debug, format: json}
`

func TestEveryKeyIsTaken(t *testing.T) {
	got, err := Load(Sources{File: "k.yaml", YAML: []byte(full), Environ: map[string]string{
		"MINIO_SECRET": "hush\n", "KEYSTILE_STORE_KEY": "0123", "HOOK_SECRET": "psst", "WORM_KEY": "quiet",
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		DataDir: "/srv/keystile",
		Server: Server{
			Listen: "0.0.0.0:8443", PublicURL: "https://keys.example.org",
			TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32")},
			Session:        Session{30 * time.Minute, 7 * 24 * time.Hour},
			TLS:            TLS{MinVersion: "1.3", ACMEDomains: []string{"keys.example.org"}},
		},
		S3Proxy: S3Proxy{
			Enabled: true, Listen: "127.0.0.1:9000", PublicURL: "https://s3.example.org",
			Region: "eu-central-1", HostSuffixes: []string{"s3.example.org", "S3.Local"}, AnonymousRatePerSecond: 2.5, AnonymousTotalPerSecond: 7, AbortRefusedUploadsAfter: 24 * time.Hour, TLS: TLS{MinVersion: "1.2"},
			TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.8/32")}, ProxyProtocol: true,
			Limits: S3Limits{1000, 2.5, 64, 8, 32 << 20},
		},
		ACME: ACME{AgreeTerms: true, Email: "ops@example.org", StorageDir: "/srv/acme", DirectoryURL: "https://ca.example.org/dir", HTTPListen: "0.0.0.0:80"},
		Limits: Limits{
			HeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32768, MaxURIBytes: 8192, MinBodyRate: 100,
			MinBodyWindow: 10 * time.Second, MaxConnections: 1000, MaxConnectionsPerIP: 10, MaxConnectionsPerBackend: 64,
		},
		Backends: []Backend{
			{ID: "local", Kind: "embedded", Region: "us-east-1", PathStyle: true, DataDir: "/srv/keystile/backends/local"},
			{
				ID: "minio", Kind: "s3", Endpoint: "http://127.0.0.1:9001", Region: "us-east-1",
				AccessKeyID: "AKIDEXAMPLE", AccessKey: "AKIDEXAMPLE",
				SecretKeyEnv: "MINIO_SECRET", SecretKey: keystile.NewSecret("hush"),
			},
		},
		RGW:   RGW{DefaultQuotaKB: 1024},
		Store: Store{Driver: "sqlite", Path: "/srv/db/keystile.db", MasterKeyEnv: "KEYSTILE_STORE_KEY", MasterKey: keystile.NewSecret("0123")},
		Audit: Audit{"/var/lib/keystile/journal", 3 * time.Millisecond, 10 * time.Minute, 9600 * time.Hour, 1000000000, Sampling{0.25}, []Sink{
			{Name: "siem", Kind: "syslog", From: "now", Retention: "waits", Address: "log.example:6514", Facility: 16},
			{
				Name: "hook", Kind: "webhook", Send: []string{"records"}, From: "beginning", Retention: "ignores",
				URL: "https://log.example/in", SecretEnv: "HOOK_SECRET", Secret: keystile.NewSecret("psst"),
			},
			{Name: "lines", Kind: "file", From: "beginning", Retention: "waits", Path: "/var/log/keystile.jsonl", MaxBytes: 2 << 20, Keep: 3},
			{
				Name: "worm", Kind: "s3", From: "beginning", Retention: "waits", Endpoint: "https://s3.example", Region: "eu-central-1",
				Bucket: "anchors", Prefix: "keystile/", AccessKeyID: "AKID", SecretKeyEnv: "WORM_KEY", Secret: keystile.NewSecret("quiet"), RetainFor: 30 * 24 * time.Hour,
			},
		}},
		Log: Log{"debug", "json"},
	}
	want.BackendDefaults = BackendDefaults{
		Timeouts{time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second, 5 * time.Second, 6 * time.Second},
		KeepAlive{7, 8 * time.Second, 9 * time.Second},
	}
	for i := range want.Backends {
		want.Backends[i].Timeouts, want.Backends[i].KeepAlive = want.BackendDefaults.Timeouts, want.BackendDefaults.KeepAlive
	}
	want.Backends[1].Timeouts.ReadAnswer, want.Backends[1].KeepAlive.MaxIdle = time.Minute, 1
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Load = %+v\nwant   %+v", got, want)
	}
}

func TestLaterSourcesWin(t *testing.T) {
	t.Chdir(t.TempDir())
	src := Sources{
		File: "k.yaml", YAML: []byte("log: {level: warn, format: json}\ns3_proxy: {listen: '127.0.0.1:1', region: eu}\n"),
		Environ: map[string]string{"KEYSTILE_LOG_LEVEL": "error", "KEYSTILE_S3_PROXY_LISTEN": "127.0.0.1:2", "KEYSTILE_SERVER_TRUSTED_PROXIES": "10.0.0.0/8, ::1"},
		Flags:   []Override{{"--s3-listen", "s3_proxy.listen", "127.0.0.1:3"}},
	}
	got, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	if got.Log != (Log{"error", "json"}) {
		t.Errorf("log = %+v, want the variable's level and the file's format", got.Log)
	}
	if got.S3Proxy.Listen != "127.0.0.1:3" || got.S3Proxy.Region != "eu" {
		t.Errorf("s3_proxy = %+v, want the flag's address and the file's region", got.S3Proxy)
	}
	if len(got.Server.TrustedProxies) != 2 {
		t.Errorf("trusted proxies = %v, want the variable's two", got.Server.TrustedProxies)
	}
}

// TestFaults reads a table from files: the configuration and, below a line of
// dashes, every fault that it must have, in order.
func TestFaults(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.txt")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d cases (%v), want at least 10", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			yaml, want, ok := strings.Cut(string(data), "\n----\n")
			if !ok {
				t.Fatal("no line of dashes")
			}
			_, err = Load(Sources{File: "k.yaml", YAML: []byte(yaml + "\n"), Environ: map[string]string{"SECRET": "x"}})
			got := ""
			if err != nil {
				got = err.Error() + "\n"
			}
			if got != want {
				t.Errorf("faults:\n%swant:\n%s", got, want)
			}
			if !errors.Is(err, keystile.ErrInvalid) {
				t.Errorf("error %T does not match ErrInvalid", err)
			}
		})
	}
}

func TestFaultsOutsideTheFile(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, tt := range []struct {
		name string
		src  Sources
		want string
	}{
		{"a variable's value", Sources{Environ: map[string]string{"KEYSTILE_LOG_LEVEL": "loud"}},
			`environment KEYSTILE_LOG_LEVEL: log.level: "loud" is not one of [debug info warn error]`},
		{"a misspelt variable", Sources{Environ: map[string]string{"KEYSTILE_SERVER_LISTN": "x"}},
			`environment KEYSTILE_SERVER_LISTN: stands for no key`},
		{"backends are the file's", Sources{Environ: map[string]string{"KEYSTILE_BACKENDS_0_ID": "x"}},
			`environment KEYSTILE_BACKENDS_0_ID: stands for no key`},
		{"a flag's value", Sources{Flags: []Override{{"--listen", "server.listen", "8080"}}},
			`flag --listen: server.listen: "8080" is not HOST:PORT`},
		{"a flag's key", Sources{Flags: []Override{{"--set", "server.lisen", "8080"}}},
			`flag --set: server.lisen: unknown key`},
		{"a section is no key", Sources{Flags: []Override{{"--set", "server", "8080"}}},
			`flag --set: server: unknown key`},
		{"the key of a field without a name", Sources{Flags: []Override{{"--set", "", "8080"}}},
			`flag --set: unknown key`},
		{"every source at once", Sources{
			File: "k.yaml", YAML: []byte("nonsense: 1"),
			Environ: map[string]string{"KEYSTILE_S3_PROXY_ENABLED": "yes"},
			Flags:   []Override{{"--set", "limits.idle_timeout", "soon"}},
		}, `k.yaml:1: nonsense: unknown key
environment KEYSTILE_S3_PROXY_ENABLED: s3_proxy.enabled: "yes" is neither true nor false
flag --set: limits.idle_timeout: "soon" is not a duration such as 90s, 15m, 24h or 30d`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.src)
			if err == nil || err.Error() != tt.want {
				t.Errorf("faults:\n%v\nwant:\n%s", err, tt.want)
			}
		})
	}
}

func TestOtherVariablesAreNone(t *testing.T) {
	t.Chdir(t.TempDir())
	environ := map[string]string{
		"KEYSTILE_URL": "u", "KEYSTILE_TOKEN": "t", "KEYSTILE_SERVICE_HOST": "10.0.0.1", "HOME": "/",
		"KEYSTILE_SERVER_SERVICE_PORT_HTTP": "80", "KEYSTILE_SERVER_PORT": "tcp://10.0.0.1:80", "KEYSTILE_SERVER_PORT_80_TCP_ADDR": "10.0.0.1",
	}
	if _, err := Load(Sources{Environ: environ}); err != nil {
		t.Error(err)
	}
}

func TestVariablesAreUnambiguous(t *testing.T) {
	names := map[string]string{}
	for _, key := range Keys() {
		if other, taken := names[EnvName(key)]; taken {
			t.Errorf("%s stands for both %s and %s", EnvName(key), other, key)
		}
		names[EnvName(key)] = key
	}
	if len(names) < 24 {
		t.Errorf("only %d keys found", len(names))
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct {
		name, path, wantErr string
	}{
		{"private", write("private", "hush\n", 0o600), ""},
		{"readable by the group", write("group", "hush", 0o640), ""},
		{"readable by everyone", write("world", "hush", 0o604), "open to everyone"},
		{"writable by everyone", write("writable", "hush", 0o602), "open to everyone"},
		{"empty", write("empty", " \n", 0o600), "is empty"},
		{"a directory", dir, "not a regular file"},
		{"too long", write("long", strings.Repeat("x", maxSecretBytes+1), 0o600), "longer than"},
		{"absent", filepath.Join(dir, "absent"), "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			secret, err := ReadSecretFile(tt.path)
			if tt.wantErr == "" {
				if err != nil || secret.Reveal() != "hush" {
					t.Errorf("got %q, %v", secret.Reveal(), err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.wantErr) || strings.Contains(err.Error(), "hush") {
				t.Errorf("error %v, want one with %q and no secret", err, tt.wantErr)
			}
			src := fmt.Sprintf("backends: [{id: a, kind: s3, endpoint: 'http://h', access_key_id: k, secret_key_file: %q}]", tt.path)
			if _, err := Load(Sources{File: "k.yaml", YAML: []byte(src)}); err == nil || !strings.HasPrefix(err.Error(), "k.yaml:1: backends[0].secret_key_file: ") {
				t.Errorf("Load: %v, want a fault of the file's key", err)
			}
		})
	}
}

func TestOpenMasterKeyFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(path, []byte("k"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Load(Sources{Environ: map[string]string{"KEYSTILE_STORE_MASTER_KEY_FILE": path}})
	if err == nil || !strings.Contains(err.Error(), "environment KEYSTILE_STORE_MASTER_KEY_FILE: store.master_key_file: ") {
		t.Errorf("error %v, want a fault of the master key file", err)
	}
}

func TestShowRoundTripsWithoutSecrets(t *testing.T) {
	environ := map[string]string{"MINIO_SECRET": "hush-hush", "KEYSTILE_STORE_KEY": "master-hush", "AK": "AKFROMENV", "HOOK_SECRET": "hush", "WORM_KEY": "hush"}
	text := strings.Replace(full, "access_key_id: AKIDEXAMPLE", "access_key_env: AK", 1)
	first, err := Load(Sources{File: "k.yaml", YAML: []byte(text), Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	if err := first.Show(&shown); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(shown.String(), "hush") {
		t.Errorf("shows a secret:\n%s", shown.String())
	}
	second, err := Load(Sources{File: "shown.yaml", YAML: shown.Bytes(), Environ: environ})
	if err != nil {
		t.Fatalf("what was shown does not load: %v\n%s", err, shown.String())
	}
	if !reflect.DeepEqual(first, second) {
		t.Errorf("loading what was shown gives\n%+v\nwant\n%+v", second, first)
	}
}

func TestShowEscapes(t *testing.T) {
	c := Default()
	c.DataDir = "a\"b: {\n\x01é\U0001F511"
	var shown bytes.Buffer
	if err := c.Show(&shown); err != nil {
		t.Fatal(err)
	}
	got, err := Load(Sources{File: "k.yaml", YAML: shown.Bytes()})
	if err != nil || got.DataDir != c.DataDir {
		t.Errorf("data_dir = %q (%v), want %q", got.DataDir, err, c.DataDir)
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30d": 720 * time.Hour, "2w": 336 * time.Hour, "0d": 0, "1h30m": 90 * time.Minute, "90s": 90 * time.Second,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "1.5d", "-1d", "1y", "12", "8192d", "1d2h"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, got)
		}
	}
}

func FuzzYAML(f *testing.F) {
	f.Add(full)
	f.Add("a: &a [*a]")
	f.Add("server: {listen: [1]}\n---\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := Load(Sources{File: "k.yaml", YAML: []byte(text)})
		var faults Faults
		if err != nil && (!errors.As(err, &faults) || slices.ContainsFunc(faults, func(f Fault) bool { return f.Message == "" })) {
			t.Errorf("Load(%q): %v, want faults with messages", text, err)
		}
	})
}
