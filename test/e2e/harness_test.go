// Package e2e_test runs the real binary as its users do: with aws-cli, boto3,
// curl and an SDK.
package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the program under test, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "keystile-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "keystile")
	build := exec.Command("go", "build", "-o", binary, "keystile/cmd/keystile")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	code := 1
	if err := build.Run(); err == nil {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// tool finds a program that a test needs. Where everything must run, its
// absence is a failure; elsewhere the test is skipped, and says so.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("SKIPPED, NOT TESTED: %s is not installed", name)
	return ""
}

// ready is the line that quickstart prints when it serves.
type ready struct {
	DashboardURL string   `json:"dashboard_url"`
	S3Endpoint   string   `json:"s3_endpoint"`
	Username     string   `json:"username"`
	Password     string   `json:"password"`
	APIToken     string   `json:"api_token"`
	BackendID    string   `json:"backend_id"`
	Buckets      []string `json:"buckets"`
}

// server is a running quickstart.
type server struct {
	t     *testing.T
	cmd   *exec.Cmd
	data  string
	token string
	ready
	clients []string // variables for those who speak to it
	stderr  *bytes.Buffer
	ended   chan struct{}
	err     error // valid once ended is closed
}

// start runs quickstart on a data directory. The token is that of the first
// run; it is empty then. More variables can configure the server.
func start(t *testing.T, data, token string, env ...string) *server {
	t.Helper()
	s := &server{t: t, data: data, token: token, stderr: &bytes.Buffer{}, ended: make(chan struct{})}
	s.cmd = exec.Command(binary, "quickstart", "--data", data, "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0", "--output", "json")
	s.cmd.Env = append(cleanEnv(), "AWS_ACCESS_KEY_ID=ambient", "AWS_SECRET_ACCESS_KEY=ambient", "AWS_ENDPOINT_URL=http://127.0.0.1:9")
	s.cmd.Env = append(s.cmd.Env, env...)
	s.cmd.Stderr = s.stderr
	logged.mu.Lock()
	logged.by[data] = append(logged.by[data], s.stderr)
	logged.mu.Unlock()
	stdout, err := s.cmd.StdoutPipe()
	must(t, err)
	must(t, s.cmd.Start())
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); <-s.ended })
	line := make(chan error, 1)
	go func() {
		decoder := json.NewDecoder(stdout)
		line <- decoder.Decode(&s.ready)
		_, _ = io.Copy(io.Discard, stdout)
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	select {
	case err := <-line:
		if err != nil {
			t.Fatalf("quickstart did not become ready: %v\n%s", err, s.stderr)
		}
	case <-time.After(60 * time.Second):
		t.Fatalf("quickstart was not ready in a minute\n%s", s.stderr)
	}
	if s.token == "" {
		s.token = s.APIToken
	}
	return s
}

// interrupt sends what Ctrl-C sends and waits for a clean end.
func (s *server) interrupt() {
	s.t.Helper()
	must(s.t, s.cmd.Process.Signal(syscall.SIGINT))
	select {
	case <-s.ended:
		if s.err != nil {
			s.t.Errorf("after an interrupt: %v\n%s", s.err, s.stderr)
		}
	case <-time.After(30 * time.Second):
		s.t.Fatal("an interrupt did not end the server in 30 seconds")
	}
}

// logged is what all servers have logged, by their data directory.
var logged = struct {
	mu sync.Mutex
	by map[string][]*bytes.Buffer
}{by: map[string][]*bytes.Buffer{}}

// logsOf are the logs of all runs on a data directory; no server may run on it.
func logsOf(data string) []*bytes.Buffer {
	logged.mu.Lock()
	defer logged.mu.Unlock()
	return logged.by[data]
}

// kill ends it as a power cut would.
func (s *server) kill() {
	s.t.Helper()
	must(s.t, s.cmd.Process.Kill())
	<-s.ended
}

// cleanEnv is the environment without what could sway a client.
func cleanEnv() []string {
	env := []string{"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null"}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "KEYSTILE_") {
			env = append(env, v)
		}
	}
	return env
}

// outcome is how a command ended.
type outcome struct {
	code           int
	stdout, stderr string
}

func run(t *testing.T, env []string, stdin string, name string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = env
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", name, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// cli runs a command of the program against the server.
func (s *server) cli(args ...string) outcome {
	s.t.Helper()
	env := append(cleanEnv(), "KEYSTILE_URL="+s.DashboardURL, "KEYSTILE_TOKEN="+s.token)
	env = append(env, s.clients...)
	return run(s.t, env, "", binary, args...)
}

// cliJSON runs a command that must succeed and decodes what it prints.
func (s *server) cliJSON(into any, args ...string) {
	s.t.Helper()
	o := s.cli(append(args, "--output", "json")...)
	if o.code != 0 {
		s.t.Fatalf("keystile %s: exit %d\n%s%s", strings.Join(args, " "), o.code, o.stdout, o.stderr)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(o.stdout), into); err != nil {
		s.t.Fatalf("keystile %s printed no JSON: %v\n%s", strings.Join(args, " "), err, o.stdout)
	}
}

// credential is what a mint prints.
type credential struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	Status          string `json:"status"`
	Description     string `json:"description"`
}

func (s *server) mint(grants ...string) credential {
	s.t.Helper()
	args := []string{"credential", "create", "--description", "for a test"}
	for _, g := range grants {
		args = append(args, "--grant", s.BackendID+"/"+g)
	}
	var c credential
	s.cliJSON(&c, args...)
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		s.t.Fatalf("minted %+v", c)
	}
	return c
}

// aws runs aws-cli with a credential's key.
func (s *server) aws(c credential, args ...string) outcome {
	s.t.Helper()
	env := append(cleanEnv(), "AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey,
		"AWS_DEFAULT_REGION=us-east-1")
	env = append(env, s.clients...)
	return run(s.t, env, "", tool(s.t, "aws"), append([]string{"--endpoint-url", s.S3Endpoint}, args...)...)
}

// event is a line of audit list.
type event struct {
	ID        string    `json:"id"`
	Time      time.Time `json:"time"`
	Action    string    `json:"action"`
	Result    string    `json:"result"`
	Status    int       `json:"status"`
	Account   string    `json:"account"`
	Backend   string    `json:"backend"`
	Bucket    string    `json:"bucket"`
	Key       string    `json:"key"`
	SourceIP  string    `json:"source_ip"`
	RequestID string    `json:"request_id"`
	Detail    struct {
		AccessKeyID   string   `json:"access_key_id"`
		Authenticated bool     `json:"authenticated"`
		Code          string   `json:"code"`
		Keys          []string `json:"keys"`
		Count         int64    `json:"count"`
		Bytes         int64    `json:"bytes"`
		Spends        struct {
			Bytes int64 `json:"bytes"`
		} `json:"spends"`
	} `json:"detail"`
}

func (s *server) audit(args ...string) []event {
	s.t.Helper()
	o := s.cli(append([]string{"audit", "list", "--output", "json"}, args...)...)
	if o.code != 0 {
		s.t.Fatalf("audit list %s: exit %d %s", strings.Join(args, " "), o.code, o.stderr)
	}
	var events []event
	decoder := json.NewDecoder(strings.NewReader(o.stdout))
	for {
		var e event
		err := decoder.Decode(&e)
		if errors.Is(err, io.EOF) {
			return events
		}
		must(s.t, err)
		events = append(events, e)
	}
}

// refused stands for any exit code but 0: aws-cli has changed its own.
const refused = -1

func (o outcome) want(t *testing.T, code int, inOutput string) {
	t.Helper()
	fits := o.code == code || (code == refused && o.code != 0)
	if !fits || !strings.Contains(o.stdout+o.stderr, inOutput) {
		t.Errorf("exit %d, want %d with %q:\n%s%s", o.code, code, inOutput, o.stdout, o.stderr)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
