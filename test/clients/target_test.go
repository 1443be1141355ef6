package clients

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// target is an S3 endpoint as a client is told of it.
type target struct {
	Endpoint        string
	AccessKeyID     string
	SecretAccessKey string
	Region          string
	Bucket          string // empty at first
	Versioned       string // a bucket that keeps versions; "" if the backend has none
	CA              string // file with the authority of its certificate; "" over plain HTTP
	Home            string // a directory of the client's own
}

// host is the endpoint without its scheme.
func (to target) host() string {
	_, host, _ := strings.Cut(to.Endpoint, "://")
	return host
}

func (to target) secure() bool { return strings.HasPrefix(to.Endpoint, "https:") }

// env is the environment of a client: nothing but what stands here could sway
// it. The variables are those that its documentation names.
func (to target) env(more ...string) []string {
	env := []string{
		"HOME=" + to.Home,
		"AWS_ACCESS_KEY_ID=" + to.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + to.SecretAccessKey,
		"AWS_DEFAULT_REGION=" + to.Region,
		"AWS_REGION=" + to.Region,
		"AWS_EC2_METADATA_DISABLED=true",
		"PYTHONWARNINGS=ignore",
		"LC_ALL=C.UTF-8",
	}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if name == "PATH" || name == "TMPDIR" || strings.HasPrefix(name, "PYENV") {
			env = append(env, v)
		}
	}
	if to.CA != "" {
		env = append(env, "AWS_CA_BUNDLE="+to.CA, "SSL_CERT_FILE="+to.CA, "NODE_EXTRA_CA_CERTS="+to.CA, "CURL_CA_BUNDLE="+to.CA)
	}
	return append(env, more...)
}

// mustRun says whether everything has to be there: in CI a client that is not
// installed is a failure.
func mustRun() bool { return os.Getenv("CI") != "" }

// missing skips what cannot run here, or fails where it must.
func missing(t *testing.T, what string) {
	t.Helper()
	if mustRun() {
		t.Fatalf("%s is not installed", what)
	}
	t.Skipf("SKIPPED, NOT TESTED: %s is not installed", what)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// percent encodes everything but letters, digits and "-._~".
func percent(text string) string {
	var out strings.Builder
	for _, b := range []byte(text) {
		if b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("-._~", b) >= 0 {
			out.WriteByte(b)
		} else {
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String()
}
