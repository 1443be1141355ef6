package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// gateway is the real program in front of the backends.
type gateway struct {
	s3  string // HOST:PORT
	api string // URL
	// token is an admin's.
	token string
}

// startGateway declares the backends in a configuration, makes an admin and
// serves until the test ends; with a certificate over HTTPS.
func startGateway(t *testing.T, backends map[string]running, cert *certificate) *gateway {
	t.Helper()
	dir := t.TempDir()
	dashboard, s3 := freeAddress(t), freeAddress(t)
	config := filepath.Join(dir, "keystile.yaml")
	text := fmt.Sprintf("data_dir: %s\nserver: {listen: %s}\nlog: {level: warn}\ns3_proxy:\n  listen: %s\n", filepath.Join(dir, "data"), dashboard, s3)
	if cert != nil {
		text += fmt.Sprintf("  tls: {cert_file: %s, key_file: %s}\n", cert.certFile, cert.keyFile)
	}
	text += "backends:\n"
	for name, b := range backends {
		secret := filepath.Join(dir, name+".secret")
		must(t, os.WriteFile(secret, []byte(b.secret), 0o600))
		text += fmt.Sprintf("  - {id: %s, kind: s3, endpoint: 'http://%s', access_key_id: %s, secret_key_file: %s}\n", name, b.address, b.accessKeyID, secret)
	}
	must(t, os.WriteFile(config, []byte(text), 0o600))
	keystile(t, "a password of the tests", "admin", "create", "root", "--password-stdin", "--config", config)
	token := keystile(t, "", "admin", "create-token", "root", "--config", config)
	serve(t, s3, dir, binary, "serve", "--config", config)
	return &gateway{s3: s3, api: "http://" + dashboard, token: strings.TrimSpace(token)}
}

// keystile runs a command of the program that must succeed.
func keystile(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = target{Home: t.TempDir()}.env()
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("keystile %s: %v\n%s%s", strings.Join(args, " "), err, out, &stderr)
	}
	return string(out)
}

// grant is what the API calls a line of a credential's scope.
type grant struct {
	Backend     string   `json:"backend"`
	Bucket      string   `json:"bucket"`
	Permissions []string `json:"permissions"`
	Prefix      string   `json:"prefix,omitempty"`
	Alias       string   `json:"alias,omitempty"`
}

// mint makes a credential that may do everything with objects.
func (g *gateway) mint(t *testing.T, grants ...grant) (accessKeyID, secret string) {
	t.Helper()
	for i := range grants {
		if grants[i].Permissions == nil {
			grants[i].Permissions = []string{"read", "list", "write", "delete"}
		}
	}
	body, err := json.Marshal(map[string]any{"description": t.Name(), "grants": grants})
	must(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.api+"/api/credentials", bytes.NewReader(body))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+g.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	must(t, err)
	var minted struct {
		AccessKeyID     string `json:"access_key_id"`
		SecretAccessKey string `json:"secret_access_key"`
	}
	if err := json.Unmarshal(answer, &minted); err != nil || res.StatusCode != http.StatusCreated {
		t.Fatalf("mint: %d %s", res.StatusCode, answer)
	}
	return minted.AccessKeyID, minted.SecretAccessKey
}
