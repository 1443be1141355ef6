package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"keystile/internal/client"
	"keystile/internal/keystile"
)

// running is a quickstart in this process.
type running struct {
	welcome
	stop  func() int // ends it as a signal would, and returns its exit code
	began func()     // only asks it to end
	log   *logBuffer
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func quickstart(t *testing.T, dir string, more ...string) running {
	t.Helper()
	args := append([]string{"keystile", "quickstart", "--data", dir, "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0", "--output", "json"}, more...)
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	r := running{log: &logBuffer{}, began: cancel}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, args, []string{"HOME=" + t.TempDir()}, strings.NewReader(""), writer, r.log)
		_ = writer.Close()
	}()
	r.stop = sync.OnceValue(func() int { cancel(); return <-ended })
	t.Cleanup(func() { r.stop() })
	line, err := bufio.NewReader(reader).ReadBytes('\n')
	if err != nil {
		t.Fatalf("quickstart was never ready: %v\n%s", err, r.log)
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r.welcome); err != nil {
		t.Fatalf("not the one JSON line: %v: %s", err, line)
	}
	return r
}

func (r running) client(t *testing.T, token string) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{URL: r.DashboardURL, Token: keystile.NewSecret(token), Agent: "keystile/test"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestQuickstartTwice(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	tokenFile := filepath.Join(t.TempDir(), "token")
	first := quickstart(t, dir, "--api-token-file", tokenFile)
	if first.Username != "admin" || len(first.Password) < 20 || !strings.HasPrefix(first.APIToken, "ks_") || first.BackendID != "local" ||
		fmt.Sprint(first.Buckets) != "[uploads reports]" {
		t.Errorf("first run: %+v", first.welcome)
	}
	checkTokenFile(t, tokenFile, first.APIToken)
	checkObservable(t, first)
	made := checkKey(t, first)
	if code := first.stop(); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, first.log)
	}
	checkPrivacy(t, dir)
	for _, secret := range []string{first.Password, first.APIToken, made.SecretAccessKey} {
		if strings.Contains(first.log.String(), secret) {
			t.Error("a secret is in the log")
		}
	}

	second := quickstart(t, dir)
	if second.Password != "" || second.APIToken != "" || second.Username != "admin" {
		t.Errorf("second run shows a secret: %+v", second.welcome)
	}
	got, err := second.client(t, first.APIToken).Credential(t.Context(), made.AccessKeyID)
	if err != nil || got.Description != "test" || got.LastUsedAt == nil {
		t.Errorf("the credential after a restart: %+v, %v", got, err)
	}
	checkCounted(t, second, first.APIToken, made.AccessKeyID)
	object := s3get(t, second, made, "uploads", "welcome.txt")
	if !strings.HasPrefix(object, "Hello.") {
		t.Errorf("the object after a restart: %q", object)
	}
}

// checkCounted wants the requests of an earlier run: an orderly stop loses none.
func checkCounted(t *testing.T, r running, token, accessKeyID string) {
	t.Helper()
	c := r.client(t, token)
	n, err := c.CredentialTraffic(t.Context(), accessKeyID)
	if err != nil || n.LastHour.Requests < 2 || n.LastHour.Refusals != 1 || n.LastHour.Errors != 0 || n.LastHour.BytesOut == 0 || n.Last24h.Requests == 0 {
		t.Errorf("counted %+v, %v", n, err)
	}
	var trail bytes.Buffer
	if err := c.ExportEvents(t.Context(), client.EventFilter{AccessKeyID: accessKeyID}, "csv", &trail); err != nil || !strings.Contains(trail.String(), ",AccessDenied,") {
		t.Errorf("the trail as CSV: %v\n%s", err, &trail)
	}
}

func checkTokenFile(t *testing.T, path, token string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("token file: %v, %v", info, err)
	}
	if text, _ := os.ReadFile(path); strings.TrimSpace(string(text)) != token {
		t.Error("the token file holds something else")
	}
}

func checkObservable(t *testing.T, r running) {
	t.Helper()
	for path, want := range map[string]string{
		"/healthz":  `"status":"ok"`,
		"/readyz":   `"status":"ready"`,
		"/metrics":  "keystile_build_info",
		"/api/docs": "<html",
	} {
		if status, body := httpGet(t, r.DashboardURL+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, no %s", path, status, want)
		}
	}
	if status, body := httpGet(t, r.S3Endpoint+"/uploads/welcome.txt"); status != http.StatusForbidden || strings.Contains(body, "Hello") {
		t.Errorf("an unsigned read: %d %s", status, body)
	}
	if status, _ := httpGet(t, r.S3Endpoint+"/-/healthz"); status != http.StatusOK {
		t.Errorf("the gateway's health: %d", status)
	}
}

func httpGet(t *testing.T, target string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// checkKey mints a key, reads with it, and is refused elsewhere.
func checkKey(t *testing.T, r running) client.Credential {
	t.Helper()
	made, err := r.client(t, r.APIToken).CreateCredential(t.Context(), client.NewCredential{
		Description: "test",
		Grants:      []client.Grant{{Backend: "local", Bucket: "uploads", Permissions: []string{"read", "list", "write"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := s3get(t, r, made, "uploads", "welcome.txt"); !strings.HasPrefix(got, "Hello.") {
		t.Errorf("read %q", got)
	}
	_, err = s3client(t, r, made).StatObject(t.Context(), "reports", "2026/q1.csv", minio.StatObjectOptions{})
	if minio.ToErrorResponse(err).StatusCode != http.StatusForbidden {
		t.Errorf("outside the scope: %v", err)
	}
	return made
}

func s3client(t *testing.T, r running, c client.Credential) *minio.Client {
	t.Helper()
	u, err := url.Parse(r.S3Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	s3, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(c.AccessKeyID, c.SecretAccessKey, ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s3
}

func s3get(t *testing.T, r running, c client.Credential, bucket, key string) string {
	t.Helper()
	object, err := s3client(t, r, c).GetObject(t.Context(), bucket, key, minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = object.Close() }()
	text, err := io.ReadAll(object)
	if err != nil {
		t.Fatalf("read %s/%s: %v\n%s", bucket, key, err, r.log)
	}
	return string(text)
}

// checkPrivacy wants every directory 0700 and every file 0600 below dir.
func checkPrivacy(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o700)
		if !entry.IsDir() {
			want = 0o600
			files++
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %04o, want %04o", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil || files < 6 {
		t.Errorf("looked at %d files: %v", files, err)
	}
}

// slowBody yields its bytes one at a time when told to.
type slowBody struct {
	size int
	step chan struct{}
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.size == 0 {
		return 0, io.EOF
	}
	<-b.step
	n := min(len(p), b.size)
	b.size -= n
	for i := range p[:n] {
		p[i] = 'x'
	}
	return n, nil
}

func TestStopLetsAnUploadEnd(t *testing.T) {
	r := quickstart(t, filepath.Join(t.TempDir(), "data"))
	made := checkKey(t, r)
	s3 := s3client(t, r, made)
	const size = 256 << 10
	body := &slowBody{size: size, step: make(chan struct{})}
	uploaded := make(chan error, 1)
	go func() {
		_, err := s3.PutObject(t.Context(), "uploads", "late", body, size, minio.PutObjectOptions{DisableMultipart: true})
		uploaded <- err
	}()
	body.step <- struct{}{} // it is under way
	time.Sleep(200 * time.Millisecond)
	r.began()
	waitUntil(t, "the gateway to accept nobody", func() bool {
		resp, err := http.Get(r.S3Endpoint + "/-/healthz") //nolint:noctx // only whether it connects
		if err == nil {
			_ = resp.Body.Close()
		}
		return err != nil
	})
	close(body.step)
	if err := <-uploaded; err != nil {
		t.Fatalf("the upload in flight: %v\n%s", err, r.log)
	}
	if code := r.stop(); code != exitDone {
		t.Errorf("exit code %d\n%s", code, r.log)
	}
}

func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited too long for %s", what)
}

func TestInterruptedFirstRunIsDoneAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	cmd := quickstartCommand{ListenFlags: ListenFlags{Data: dir, Listen: "127.0.0.1:0", S3Listen: "127.0.0.1:0"}}
	c, err := cmd.config(&console{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newServer(t.Context(), c, newLogger(io.Discard, c.Log))
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the disk is full")
	if _, err := s.firstRun(t.Context(), func(keystile.Secret) error { return broken }); !errors.Is(err, broken) {
		t.Fatalf("first run: %v", err)
	}
	if err := s.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := quickstart(t, dir)
	if r.Password == "" || r.APIToken == "" {
		t.Fatalf("nobody has seen a password: %+v", r.welcome)
	}
	if _, err := r.client(t, r.APIToken).Accounts(t.Context()); err != nil {
		t.Errorf("the token of the second try: %v", err)
	}
}

func TestQuickstartLeavesOtherAccountsAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var out, log bytes.Buffer
	code := run(t.Context(), []string{"keystile", "admin", "create", "admin", "--data", dir, "--password-stdin"}, nil, strings.NewReader("a long password\n"), &out, &log)
	if code != exitDone {
		t.Fatalf("admin create: %d %s", code, &log)
	}
	r := quickstart(t, dir)
	if r.Password != "" || r.APIToken != "" {
		t.Errorf("took over an account that was there: %+v", r.welcome)
	}
}

func TestWelcomeForPeople(t *testing.T) {
	x := welcome{
		DashboardURL: "http://127.0.0.1:9", S3Endpoint: "http://127.0.0.1:8090", Username: "admin", Password: "pass-word", APIToken: "ks_token",
		BackendID: "local", Buckets: []string{"uploads", "reports"}, dataDir: "data", program: shellWord("./my bin/keystile"),
	}
	for _, want := range []string{
		"http://127.0.0.1:9\n", "pass-word", "export KEYSTILE_URL=http://127.0.0.1:9\n", "export KEYSTILE_TOKEN=ks_token\n",
		"'./my bin/keystile' credential create", "--endpoint-url http://127.0.0.1:8090 s3 ls s3://uploads", "shown this once",
	} {
		if !strings.Contains(x.text(""), want) {
			t.Errorf("no %q in:\n%s", want, x.text(""))
		}
	}
	x.Password, x.APIToken, x.DashboardURL = "", "", defaultURL
	for _, never := range []string{"Password", "KEYSTILE_URL", "shown this once"} {
		if strings.Contains(x.text("token"), never) {
			t.Errorf("%q on a later run", never)
		}
	}
	if !strings.Contains(x.text("token"), "everything as it was") || !strings.Contains(x.text("token"), "$(cat token)") {
		t.Errorf("a later run:\n%s", x.text("token"))
	}
}

func TestShellWord(t *testing.T) {
	for text, want := range map[string]string{
		"./bin/keystile": "./bin/keystile", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "": "''",
	} {
		if got := shellWord(text); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestOneServerForADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first := quickstart(t, dir)
	var out, log bytes.Buffer
	args := []string{"keystile", "quickstart", "--data", dir, "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0"}
	code := run(t.Context(), args, nil, strings.NewReader(""), &out, &log)
	if code != exitFailed || !strings.Contains(log.String(), "in use by another keystile process") || out.Len() != 0 {
		t.Errorf("a second server: %d %s %s", code, &out, &log)
	}
	if status, _ := httpGet(t, first.DashboardURL+"/readyz"); status != http.StatusOK {
		t.Errorf("the first one afterwards: %d", status)
	}
}

func TestPortInUse(t *testing.T) {
	first := quickstart(t, filepath.Join(t.TempDir(), "data"))
	dir := filepath.Join(t.TempDir(), "data")
	var out, log bytes.Buffer
	args := []string{"keystile", "quickstart", "--data", dir, "--listen", strings.TrimPrefix(first.DashboardURL, "http://"), "--s3-listen", "127.0.0.1:0"}
	if code := run(t.Context(), args, nil, strings.NewReader(""), &out, &log); code != exitFailed || !strings.Contains(log.String(), "server.listen: ") {
		t.Errorf("%d %s", code, &log)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a failed start left data behind: %v", err)
	}
}

// TestServeStartsBesideADeadBackend declares a backend at which nobody listens.
func TestServeStartsBesideADeadBackend(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "keystile.yaml")
	text := `
data_dir: ` + filepath.Join(dir, "data") + `
server: {listen: "127.0.0.1:0"}
s3_proxy: {listen: "127.0.0.1:0"}
log: {format: json}
backends:
  - {id: dead, kind: s3, endpoint: "http://127.0.0.1:1", access_key_id: AK, secret_key_env: DEAD_SECRET}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	log := &logBuffer{}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"keystile", "serve", "--config", file}, []string{"DEAD_SECRET=hush-hush"}, strings.NewReader(""), io.Discard, log)
	}()
	var readyLine struct {
		Dashboard string `json:"dashboard"`
	}
	waitUntil(t, "a ready line", func() bool {
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, `"msg":"ready"`) {
				return json.Unmarshal([]byte(line), &readyLine) == nil
			}
		}
		return false
	})
	waitUntil(t, "the backend to be found dead", func() bool {
		status, body := httpGet(t, readyLine.Dashboard+"/readyz")
		found := strings.Contains(body, `"dead":"unhealthy"`) || strings.Contains(body, `"dead":"cut off"`) // who asks late
		return status == http.StatusOK && found
	})
	waitUntil(t, "a word about the missing administrator", func() bool { return strings.Contains(log.String(), "nobody can sign in yet") })
	cancel()
	if code := <-ended; code != exitDone {
		t.Errorf("exit code %d\n%s", code, log)
	}
	if strings.Contains(log.String(), "hush") {
		t.Error("a secret is in the log")
	}
}
