package embedded

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"keystile/internal/keystile"
)

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not in time: %s", what)
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestEverythingOnDiskIsPrivate(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "embedded"), 0o755)) // was open before
	p := start(t, dir)
	c := client(t, p)
	bucket(t, c, "modes")
	must(t, put(t.Context(), c, "modes", "a/b/c", "x"))
	files := 0
	must(t, filepath.WalkDir(filepath.Join(dir, "embedded"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		return nil
	}))
	if files < 3 { // object, lock, socket
		t.Errorf("saw %d files only", files)
	}
}

func TestSecondStartFindsTheData(t *testing.T) {
	dir := t.TempDir()
	first, err := Start(t.Context(), options(t, dir))
	must(t, err)
	c := client(t, first)
	bucket(t, c, "kept")
	must(t, put(t.Context(), c, "kept", "k", "from the first"))
	must(t, first.Stop(t.Context()))

	second := start(t, dir)
	if first.Secret().Equal(second.Secret()) {
		t.Error("the secret is the same after a new start")
	}
	if got := raw(t, second, "GET", "/kept/k", nil, nil); got.body != "from the first" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := raw(t, second, "PUT", "/kept", nil, nil); !strings.Contains(got.body, "BucketAlreadyOwnedByYou") {
		t.Errorf("the bucket changed hands: %s", got.body)
	}
}

func TestKilledChildIsReplaced(t *testing.T) {
	p := start(t, t.TempDir())
	c := client(t, p)
	bucket(t, c, "again")
	must(t, put(t.Context(), c, "again", "k", "before"))
	for round := range int64(2) {
		pid := p.PID()
		must(t, syscall.Kill(pid, syscall.SIGKILL))
		eventually(t, "another child serves", func() bool { return p.Restarts() == round+1 && p.Healthy() })
		if p.PID() == pid || alive(pid) {
			t.Errorf("child %d is still there", pid)
		}
		if got := raw(t, p, "GET", "/again/k", nil, nil); got.body != "before" {
			t.Errorf("round %d: %d %s", round, got.status, got.body)
		}
	}
}

func TestTwoBackendsDoNotMix(t *testing.T) {
	a, b := start(t, t.TempDir()), start(t, t.TempDir())
	bucket(t, client(t, a), "only-a")
	bucket(t, client(t, b), "only-b")
	for _, tt := range []struct {
		p      *Process
		bucket string
		status int
	}{{a, "only-a", 200}, {a, "only-b", 404}, {b, "only-b", 200}, {b, "only-a", 404}} {
		if got := raw(t, tt.p, "GET", "/"+tt.bucket, nil, nil); got.status != tt.status {
			t.Errorf("%s: %d, want %d", tt.bucket, got.status, tt.status)
		}
	}
	mixed := &Process{layout: b.layout, secret: a.secret}
	if got := raw(t, mixed, "GET", "/only-b", nil, nil); got.status != 403 {
		t.Errorf("the key of one opens the other: %d", got.status)
	}
}

func TestStopLeavesNothingBehind(t *testing.T) {
	p, err := Start(t.Context(), options(t, t.TempDir()))
	must(t, err)
	pid, socket := p.PID(), p.layout.socket()
	if !p.Healthy() || !alive(pid) {
		t.Fatal("not up after Start")
	}
	must(t, p.Stop(t.Context()))
	must(t, p.Stop(t.Context())) // once more does no harm
	if alive(pid) || p.Healthy() || p.PID() != 0 {
		t.Errorf("child %d is still there", pid)
	}
	if _, err := os.Stat(socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("socket: %v", err)
	}
	if _, err := p.Dial(t.Context()); err == nil {
		t.Error("dialled a stopped backend")
	}
}

// TestStopKillsAChildThatHangs freezes the child: it can neither drain nor exit.
func TestStopKillsAChildThatHangs(t *testing.T) {
	p, err := Start(t.Context(), options(t, t.TempDir()))
	must(t, err)
	pid := p.PID()
	must(t, syscall.Kill(pid, syscall.SIGSTOP))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := p.Stop(ctx); err == nil {
		t.Error("Stop did not tell that it had to kill")
	}
	if alive(pid) {
		t.Errorf("child %d is still there", pid)
	}
}

// TestTerminalSignalsDoNotEndTheChild sends what Ctrl-C and a closed terminal
// send; SIGTERM ends the child in order, and it is replaced.
func TestTerminalSignalsDoNotEndTheChild(t *testing.T) {
	p := start(t, t.TempDir())
	pid := p.PID()
	if group, err := syscall.Getpgid(pid); err != nil || group != pid {
		t.Errorf("child %d is in process group %d (%v)", pid, group, err)
	}
	must(t, syscall.Kill(pid, syscall.SIGINT))
	must(t, syscall.Kill(pid, syscall.SIGHUP))
	if got := raw(t, p, "GET", "/", nil, nil); got.status != 200 || p.PID() != pid {
		t.Errorf("status %d from child %d, was %d", got.status, p.PID(), pid)
	}
	must(t, syscall.Kill(pid, syscall.SIGTERM))
	eventually(t, "another child serves", func() bool { return p.Restarts() == 1 && p.Healthy() })
}

// TestStopLetsRequestsEnd reads an answer slowly while the child is told to stop.
func TestStopLetsRequestsEnd(t *testing.T) {
	const size = 16 << 20 // more than the socket buffers hold
	p, err := Start(t.Context(), options(t, t.TempDir()))
	must(t, err)
	c := client(t, p)
	bucket(t, c, "drain")
	must(t, put(t.Context(), c, "drain", "k", strings.Repeat("x", size)))
	presigned := presignGet(t, p, "/drain/k")
	resp, err := httpClient(t, p).Get(presigned)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()

	stopped := make(chan error, 1)
	go func() { stopped <- p.Stop(context.Background()) }()
	eventually(t, "stop has begun", func() bool { return !p.Healthy() })
	n, err := io.Copy(io.Discard, resp.Body)
	if n != size || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	must(t, <-stopped)
}

func TestChildGoesWithItsParent(t *testing.T) {
	exe, err := os.Executable()
	must(t, err)
	parent := exec.Command(exe, parentArg, t.TempDir())
	out, err := parent.StdoutPipe()
	must(t, err)
	must(t, parent.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	child, err := strconv.Atoi(strings.TrimSpace(line))
	must(t, err)
	if !alive(child) {
		t.Fatalf("child %d is not up", child)
	}
	must(t, parent.Process.Kill())
	_ = parent.Wait() // it was killed, which is an error to Wait
	eventually(t, "child is gone", func() bool { return !running(child) })
}

// running tells a living process from one that nobody has waited for: where the
// test runs as the first process of a container, orphans stay as zombies.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return alive(pid)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}

func TestDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Start(ctx, options(t, dir)); !errors.Is(err, ErrInUse) {
		t.Errorf("second start on one directory: %v", err)
	}
	if got := raw(t, p, "GET", "/", nil, nil); got.status != 200 {
		t.Errorf("the first was disturbed: %d", got.status)
	}
}

func TestLongAndRelativeDataPaths(t *testing.T) {
	t.Run("long", func(t *testing.T) {
		p := start(t, filepath.Join(t.TempDir(), strings.Repeat("long/", 30)))
		socket := p.layout.socket()
		if len(socket) > maxSocketPath {
			t.Errorf("socket path of %d bytes", len(socket))
		}
		info, err := os.Stat(filepath.Dir(socket))
		must(t, err)
		if info.Mode().Perm() != 0o700 {
			t.Errorf("socket directory has mode %v", info.Mode().Perm())
		}
		if got := raw(t, p, "GET", "/", nil, nil); got.status != 200 {
			t.Errorf("status %d", got.status)
		}
		must(t, p.Stop(t.Context()))
		if _, err := os.Stat(filepath.Dir(socket)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("temporary directory: %v", err)
		}
	})
	t.Run("relative", func(t *testing.T) {
		t.Chdir(t.TempDir())
		p := start(t, "data")
		bucket(t, client(t, p), "rel")
		if _, err := os.Stat("data/embedded/buckets/rel"); err != nil {
			t.Error(err)
		}
	})
}

func TestSidecarMetadata(t *testing.T) {
	dir := t.TempDir()
	// A file system without attributes is one where this was made once.
	must(t, os.MkdirAll(filepath.Join(dir, "embedded", "metadata"), 0o700))
	p := start(t, dir)
	if p.layout.sidecar == "" {
		t.Fatal("a sidecar directory was there and is not used")
	}
	bucket(t, client(t, p), "side")
	if got := raw(t, p, "PUT", "/side/k", headers("x-amz-meta-who", "me"), []byte("x")); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := raw(t, p, "HEAD", "/side/k", nil, nil).header.Get("x-amz-meta-who"); got != "me" {
		t.Errorf("metadata %q", got)
	}
	found, err := filepath.Glob(filepath.Join(dir, "embedded", "metadata", "side", "k", "meta", "*"))
	must(t, err)
	if len(found) == 0 {
		t.Error("nothing in the sidecar directory")
	}
}

func TestStartFails(t *testing.T) {
	exe, err := os.Executable()
	must(t, err)
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	tests := []struct {
		name string
		opts Options
		says string
	}{
		{"no executable", Options{DataDir: t.TempDir()}, "must be given"},
		{"no data directory", Options{Executable: exe}, "must be given"},
		{"executable missing", Options{Executable: "/nonexistent", DataDir: t.TempDir()}, "no such file"},
		{"data directory is a file", Options{Executable: exe, DataDir: file}, "not a directory"},
		{"child exits at once", Options{Executable: "/bin/sh", Args: []string{"-c", "echo it broke >&2; exit 3"}, DataDir: t.TempDir()}, "it broke"},
		{"child never serves", Options{Executable: "/bin/sh", Args: []string{"-c", "exec sleep 60"}, DataDir: t.TempDir(), ReadyTimeout: 100 * time.Millisecond}, errNotReady.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Start(t.Context(), tt.opts)
			if err == nil {
				_ = p.Stop(t.Context())
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %q does not say %q", err, tt.says)
			}
		})
	}
	t.Run("context ends", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := Start(ctx, Options{Executable: "/bin/sh", Args: []string{"-c", "exec sleep 60"}, DataDir: t.TempDir()})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestServeRefusesSettings(t *testing.T) {
	good := settings{Buckets: "/b", Versions: "/v", Socket: "/s", Region: "r", AccessKeyID: "a", Secret: "hush-hush"}
	line := func(change func(*settings)) string {
		s := good
		change(&s)
		text, err := json.Marshal(s)
		must(t, err)
		return string(text) + "\n"
	}
	for name, input := range map[string]string{
		"nothing":           "",
		"no end of line":    strings.TrimSpace(line(func(*settings) {})),
		"not JSON":          "hush-hush\n",
		"endless line":      strings.Repeat("hush-hush", maxSettings),
		"relative buckets":  line(func(s *settings) { s.Buckets = "b" }),
		"relative versions": line(func(s *settings) { s.Versions = "" }),
		"relative sidecar":  line(func(s *settings) { s.Sidecar = "m" }),
		"relative socket":   line(func(s *settings) { s.Socket = ":8080" }),
		"no region":         line(func(s *settings) { s.Region = "" }),
		"no access key":     line(func(s *settings) { s.AccessKeyID = "" }),
		"no secret":         line(func(s *settings) { s.Secret = "" }),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readSettings(bufio.NewReaderSize(strings.NewReader(input), maxSettings))
			if err == nil {
				t.Fatal("accepted")
			}
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("error shows its input: %v", err)
			}
		})
	}
}

// TestSecretStaysInside looks for the secret where other users and readers of
// logs could see it.
func TestSecretStaysInside(t *testing.T) {
	var log strings.Builder
	opts := options(t, t.TempDir())
	opts.Logger = slog.New(slog.NewTextHandler(&syncWriter{w: &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p, err := Start(t.Context(), opts)
	must(t, err)
	secret := p.Secret().Reveal()
	if len(secret) < 40 {
		t.Errorf("secret of %d characters", len(secret))
	}
	for _, file := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.PID(), file))
		if errors.Is(err, fs.ErrNotExist) {
			continue // not on this system
		}
		must(t, err)
		if strings.Contains(string(text), secret) || (file == "environ" && len(text) > 0) {
			t.Errorf("%s of the child: %q", file, text)
		}
	}
	must(t, p.Stop(t.Context()))
	asJSON, err := json.Marshal(p.Secret())
	must(t, err)
	shown := fmt.Sprintf("%v %+v %#v %s %q %x %s", p.Secret(), p.Secret(), p.Secret(), p.Secret(), p.Secret(), p.Secret(), asJSON)
	slog.New(slog.NewTextHandler(&log, nil)).Info("shown", "secret", p.Secret(), "in", struct{ S keystile.Secret }{p.Secret()})
	shown += log.String()
	if strings.Contains(shown, secret) || strings.Contains(shown, fmt.Sprintf("%x", secret)) {
		t.Errorf("secret is shown: %s", shown)
	}
}

func TestLineLog(t *testing.T) {
	var out strings.Builder
	l := &lineLog{log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, piece := range []string{"one\ntw", "o\n\n", strings.Repeat("x", 3*maxLine), "\nlast"} {
		if n, err := io.WriteString(l, piece); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := l.tail(); got != "last" {
		t.Errorf("tail %q", got)
	}
	got := strings.Count(out.String(), "\n")
	if got != 4 || !strings.Contains(out.String(), "line=two\n") || strings.Count(out.String(), "x") > maxLine+10 {
		t.Errorf("%d lines, %d bytes", got, out.Len())
	}
}
