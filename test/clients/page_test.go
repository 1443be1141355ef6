package clients

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// snippet is a fenced block of the page.
type snippet struct {
	section, language, text string
	debian                  bool // works with Debian's old release too
}

var fence = regexp.MustCompile("(?ms)^## ([^\n]+)$|^```(sh|python|go|js)( debian)?\n(.*?)^```$")

// snippets are the blocks of the page that are run; those of text are not.
func snippets(t *testing.T) []snippet {
	t.Helper()
	page, err := os.ReadFile(clientsPage)
	must(t, err)
	var found []snippet
	section := ""
	for _, m := range fence.FindAllStringSubmatch(string(page), -1) {
		if m[1] != "" {
			section = m[1]
			continue
		}
		found = append(found, snippet{section: section, language: m[2], text: m[4], debian: m[3] != ""})
	}
	if len(found) < 12 {
		t.Fatalf("the page has %d blocks", len(found))
	}
	return found
}

// TestPage runs every block of docs/clients.md as it stands there, but for the
// endpoint: each uploads report.csv and fetches it as copy.csv.
func TestPage(t *testing.T) {
	server := startEmbedded(t)
	gateway := startGateway(t, map[string]running{"embedded": server}, nil)
	for i, s := range snippets(t) {
		paths := map[string]string{"": toolsDir + ":" + os.Getenv("PATH")}
		if s.debian {
			paths[" of Debian"] = "/usr/bin:/bin"
		}
		for name, path := range paths {
			t.Run(fmt.Sprintf("%s %d%s", s.section, i, name), func(t *testing.T) {
				bucket := fmt.Sprintf("page-%d%s", i, map[bool]string{true: "-debian"}[name != ""])
				must(t, server.bucket(t.Context(), bucket))
				to := target{Endpoint: "http://" + gateway.s3, Home: t.TempDir()}
				to.AccessKeyID, to.SecretAccessKey = gateway.mint(t, grant{Backend: "embedded", Bucket: bucket, Alias: "uploads"})
				s.run(t, to, path)
			})
		}
	}
}

// run runs the block in a directory with nothing but report.csv.
func (s snippet) run(t *testing.T, to target, path string) {
	t.Setenv("PATH", path)
	s.require(t)
	content := []byte("date,amount\n" + strings.Repeat("2026-11-01,7\n", 70))
	must(t, os.WriteFile(filepath.Join(to.Home, "report.csv"), content, 0o600))
	script := strings.ReplaceAll(s.text, "127.0.0.1:8090", to.host())
	if s.language != "sh" {
		script = "exec " + s.program(t, to.Home, script)
	}
	cmd := exec.Command("sh", "-e")
	cmd.Stdin, cmd.Dir = strings.NewReader(script), to.Home
	cmd.Env = []string{
		"HOME=" + to.Home, "PATH=" + path, "LC_ALL=C.UTF-8", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + to.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + to.SecretAccessKey,
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	got, err := os.ReadFile(filepath.Join(to.Home, "copy.csv"))
	must(t, err)
	must(t, same(got, content))
	if !strings.Contains(out.String(), "report.csv") && !strings.Contains(s.text, "presign") {
		if s.section != "restic" {
			t.Errorf("listed no report.csv:\n%s", &out)
		}
	}
}

// require skips a block whose program is not there.
func (s snippet) require(t *testing.T) {
	t.Helper()
	name := map[string]string{"python": "python3", "js": "node", "go": "go"}[s.language]
	for _, word := range []string{"aws", "rclone", "s3cmd", "s5cmd", "mc", "restic", "s3fs"} {
		if s.language == "sh" && slices.Contains(strings.Fields(s.text), word) {
			name = word
		}
	}
	if _, err := exec.LookPath(name); err != nil {
		missing(t, name)
	}
	if device, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err == nil {
		_ = device.Close()
	} else if name == "s3fs" {
		missing(t, "a FUSE that may be used")
	}
}

// program saves a block that is a program and gives the command that runs it.
func (s snippet) program(t *testing.T, dir, text string) string {
	file := filepath.Join(dir, map[string]string{"python": "list.py", "js": "list.mjs", "go": "main.go"}[s.language])
	must(t, os.WriteFile(file, []byte(text), 0o600))
	switch s.language {
	case "python":
		return "python3 " + file
	case "js":
		modules, err := filepath.Abs("js/node_modules")
		must(t, err)
		must(t, os.Symlink(modules, filepath.Join(dir, "node_modules")))
		return "node " + file
	}
	// with the modules that this project pins
	program := filepath.Join(dir, "program")
	if out, err := exec.Command("go", "build", "-o", program, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}
