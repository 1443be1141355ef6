package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// startTimeout bounds the start of each program.
const startTimeout = 20 * time.Second

// lab is everything that runs for a measurement. Close ends it.
type lab struct {
	dir        string
	keystile   string
	unrecorded string
	ended      []func()
	upstream   string
	targets    []*target
}

// Close ends all programs, last first, and removes their data.
func (l *lab) Close() {
	for i := len(l.ended) - 1; i >= 0; i-- {
		l.ended[i]()
	}
}

func newLab(ctx context.Context, keystile, unrecorded string) (*lab, error) {
	dir, err := os.MkdirTemp("", "keystile-bench-")
	if err != nil {
		return nil, err
	}
	l := &lab{dir: dir, keystile: keystile, unrecorded: unrecorded, ended: []func(){func() { _ = os.RemoveAll(dir) }}}
	for _, start := range []func(context.Context) error{l.startUpstream, l.startNginx, l.startRelay, l.startGateway, l.startUnrecorded} {
		if err := start(ctx); err != nil {
			l.Close()
			return nil, err
		}
	}
	for _, t := range l.targets {
		u, err := url.Parse(t.url)
		if err != nil {
			l.Close()
			return nil, err
		}
		t.host = u.Host
		t.prepare()
	}
	return l, nil
}

// start runs a program until the lab is closed, and returns its first line.
func (l *lab) start(cmd *exec.Cmd, wantLine bool) (string, error) {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = startTimeout
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	l.ended = append(l.ended, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // ended by us
	})
	if !wantLine {
		return "", nil
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s did not become ready: %w\n%s", filepath.Base(cmd.Path), err, log.String())
	}
	return strings.TrimSpace(line), nil
}

func (l *lab) startUpstream(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	l.upstream, err = l.start(exec.CommandContext(ctx, self, "upstream"), true)
	return err
}

func (l *lab) startRelay(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "relay", "--to", l.upstream)
	at, err := l.start(cmd, true)
	l.targets = append(l.targets, &target{name: relayName, url: at, pid: cmd.Process.Pid, key: "AKIAIOSFODNN7EXAMPLE", secret: "relayed"})
	return err
}

// The targets' names, as the table shows them.
const (
	nginxName   = "nginx"
	relayName   = "ReverseProxy"
	gatewayName = "gateway"
	// unrecordedName is the gateway as it would be if it kept no audit trail.
	unrecordedName = "gateway without trail"
	// countedName is the gateway with a key to the bucket that has a quota.
	countedName = "gateway, counted"
)

// nginxConfig relays as nginx is set up for storage: nothing is kept on disk.
const nginxConfig = `daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
	access_log off;
	client_max_body_size 0;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	keepalive_requests 1000000;
	upstream storage { server %[2]s; keepalive 64; keepalive_requests 1000000; }
	server {
		listen %[3]s;
		location / {
			proxy_pass http://storage;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Host $http_host;
			proxy_request_buffering off;
			proxy_buffering off;
			proxy_buffer_size 64k;
			proxy_buffers 8 64k;
			proxy_busy_buffers_size 128k;
			client_body_buffer_size 64k;
		}
	}
}
`

func (l *lab) startNginx(ctx context.Context) error {
	at, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	file := filepath.Join(l.dir, "nginx.conf")
	config := fmt.Sprintf(nginxConfig, l.dir, strings.TrimPrefix(l.upstream, "http://"), at)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "nginx", "-e", "stderr", "-c", file)
	if _, err := l.start(cmd, false); err != nil {
		return err
	}
	if err := waitFor(ctx, at); err != nil {
		return fmt.Errorf("nginx did not become ready (try \"nginx -t -c\" with its configuration): %w", err)
	}
	worker, err := onlyChild(cmd.Process.Pid)
	l.targets = append(l.targets, &target{name: nginxName, url: "http://" + at, pid: worker, key: "AKIAIOSFODNN7EXAMPLE", secret: "relayed"})
	return err
}

// onlyChild waits for the process that a process starts: of nginx, the one that
// works.
func onlyChild(pid int) (int, error) {
	for end := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		if err != nil {
			return 0, err
		}
		var child int
		if _, err := fmt.Sscan(string(list), &child); err == nil {
			return child, nil
		}
		if time.Now().After(end) {
			return 0, fmt.Errorf("process %d has no child", pid)
		}
	}
}

// startGateway starts the program as a newcomer does, declares the upstream as
// a backend and mints a key to its bucket. Nothing else is set.
func (l *lab) startGateway(ctx context.Context) error {
	if err := l.gateway(ctx, gatewayName, l.keystile); err != nil {
		return err
	}
	return l.count(ctx, l.targets[len(l.targets)-1])
}

// count gives the counted bucket a cap, and makes a target of a key to it.
func (l *lab) count(ctx context.Context, g *target) error {
	counted := "memory/" + countedBucket
	for _, args := range [][]string{{"quota", "scan", counted, "--wait"}, {"quota", "set", counted, "--hard", "1TiB"}} {
		if _, err := l.ask(ctx, g.environ, "", args...); err != nil {
			return err
		}
	}
	id, secret, err := l.mint(ctx, g.environ, counted+":read,list,write,delete")
	l.targets = append(l.targets, &target{name: countedName, bucket: countedBucket, url: g.url, pid: g.pid, key: id, secret: secret})
	return err
}

func (l *lab) startUnrecorded(ctx context.Context) error {
	return l.gateway(ctx, unrecordedName, l.unrecorded)
}

func (l *lab) gateway(ctx context.Context, name, program string) error {
	cmd := exec.CommandContext(ctx, program, "quickstart", "--data", filepath.Join(l.dir, name),
		"--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0", "--output", "json")
	line, err := l.start(cmd, true)
	if err != nil {
		return err
	}
	var ready struct {
		Dashboard string `json:"dashboard_url"`
		S3        string `json:"s3_endpoint"`
		Token     string `json:"api_token"`
	}
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		return err
	}
	environ := append(os.Environ(), "KEYSTILE_URL="+ready.Dashboard, "KEYSTILE_TOKEN="+ready.Token)
	if _, err := l.ask(ctx, environ, "bench", "backend", "add", "memory", "--kind", "s3", "--endpoint", l.upstream,
		"--region", region, "--access-key-id", "bench", "--secret-access-key-stdin"); err != nil {
		return err
	}
	// The test returns when what the upstream can be trusted with is known.
	if _, err := l.ask(ctx, environ, "", "backend", "test", "memory"); err != nil {
		return err
	}
	id, secret, err := l.mint(ctx, environ, "memory/"+benchBucket+":read,list,write,delete")
	l.targets = append(l.targets, &target{name: name, bucket: benchBucket, url: ready.S3, pid: cmd.Process.Pid, key: id, secret: secret, environ: environ})
	return err
}

// mint makes a key.
func (l *lab) mint(ctx context.Context, environ []string, grant string) (id, secret string, err error) {
	minted, err := l.ask(ctx, environ, "", "credential", "create", "--description", "bench", "--grant", grant, "--output", "json")
	if err != nil {
		return "", "", err
	}
	var credential struct {
		ID     string `json:"access_key_id"`
		Secret string `json:"secret_access_key"`
	}
	err = json.Unmarshal(minted, &credential)
	return credential.ID, credential.Secret, err
}

// ask runs the gateway's command line.
func (l *lab) ask(ctx context.Context, environ []string, stdin string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, l.keystile, args...)
	cmd.Env, cmd.Stdin = environ, strings.NewReader(stdin)
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return nil, fmt.Errorf("keystile %s: %w: %s", args[0], err, failed.Stderr)
	}
	return out, err
}

func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String(), nil
}

func waitFor(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
