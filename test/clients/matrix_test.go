package clients

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// caseLimit bounds one case.
const caseLimit = 5 * time.Minute

// TestClients is the matrix: backend, scheme, client, case.
func TestClients(t *testing.T) {
	table := &table{}
	t.Cleanup(func() { table.print(t) })
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			server := b.start(t)
			must(t, server.seed(t.Context()))
			for _, scheme := range b.schemes() {
				ways := both{backend: b.name, server: server, direct: "http://" + server.address}
				var cert *certificate
				if scheme == "https" {
					cert = newCertificate(t, t.TempDir())
					ways.ca, ways.direct = cert.certFile, "https://"+relay(t, cert, dialTo(server.address))
				}
				ways.gateway = startGateway(t, map[string]running{b.name: server}, cert)
				ways.through = scheme + "://" + ways.gateway.s3
				t.Run(scheme, func(t *testing.T) {
					for _, c := range all() {
						if c.older && !full && b.name != olderAt {
							continue
						}
						row := table.row(b.name, scheme, c.name)
						t.Run(c.name, func(t *testing.T) {
							t.Parallel()
							ways.compare(t, c, row)
						})
					}
				})
			}
		})
	}
}

// olderAt is the backend that older releases of clients have in the short run.
const olderAt = "ceph"

// schemes are both in the full run, and one for each backend in the short one.
func (b backend) schemes() []string {
	if full {
		return []string{"http", "https"}
	}
	return []string{b.scheme}
}

// both are the two ways to one backend.
type both struct {
	backend         string
	server          running
	gateway         *gateway
	direct, through string // endpoints
	ca              string
}

// targets makes a bucket of its own for each way, and a credential.
func (w both) targets(t *testing.T, client string) (direct, through target) {
	t.Helper()
	name := fmt.Sprintf("%s-%s", client, map[bool]string{true: "tls", false: "tcp"}[w.ca != ""])
	direct = target{Endpoint: w.direct, AccessKeyID: w.server.accessKeyID, SecretAccessKey: w.server.secret, Region: "us-east-1", CA: w.ca, Bucket: name + "-direct"}
	through = target{Endpoint: w.through, Region: "us-east-1", CA: w.ca, Bucket: name + "-through"}
	for _, to := range []*target{&direct, &through} {
		to.Home = t.TempDir()
		must(t, w.server.bucket(t.Context(), to.Bucket))
		if w.server.versions {
			to.Versioned = to.Bucket + "-v"
			must(t, w.server.versionedBucket(t.Context(), to.Versioned))
		}
	}
	grants := []grant{{Backend: w.backend, Bucket: through.Bucket}, {Backend: w.backend, Bucket: seededBucket, Permissions: []string{"list"}}}
	if through.Versioned != "" {
		grants = append(grants, grant{Backend: w.backend, Bucket: through.Versioned})
	}
	through.AccessKeyID, through.SecretAccessKey = w.gateway.mint(t, grants...)
	return direct, through
}

// compare runs a client's cases both ways. In the short run a case goes
// directly only if it failed through the gateway.
func (w both) compare(t *testing.T, c client, row *row) {
	directly, through := w.targets(t, c.name)
	direct, gateway := c.open(t, directly), c.open(t, through)
	list := append(cases(), c.cases...)
	if c.alone {
		list = c.cases
	}
	for _, one := range list {
		if !c.runs(one) {
			continue
		}
		t.Run(one.name, func(t *testing.T) {
			seen, got := attempt(t, one, gateway, through)
			if errors.Is(got, errCannot) {
				row.cannot++
				return
			}
			if got == nil && !full {
				row.through++
				return
			}
			wanted, want := attempt(t, one, direct, directly)
			row.count(want == nil, got == nil)
			switch {
			case got != nil && want == nil:
				row.differ(one.name)
				t.Errorf("passes directly, fails through the gateway: %v", got)
			case got != nil:
				row.explain(one.name, want)
				t.Skipf("fails directly too: %v\nthrough the gateway: %v", want, got)
			case want == nil && !maps.Equal(seen, wanted):
				row.differ(one.name)
				t.Errorf("the client was told %q directly, %q through the gateway", wanted, seen)
			}
		})
	}
}

// attempt runs one case at one target.
func attempt(t *testing.T, one testCase, s session, to target) (seen map[string]string, failed error) {
	ctx, cancel := context.WithTimeout(t.Context(), caseLimit)
	defer cancel()
	trial := &trial{ctx: ctx, client: s, to: to, dir: t.TempDir(), seen: map[string]string{}}
	return trial.seen, one.run(trial)
}

// table is what the run prints at its end.
type table struct{ rows []*row }

// row counts one client at one backend.
type row struct {
	backend, scheme, client string
	direct, through, cannot int
	both                    int      // failed on both ways
	differences             []string // cases
	reasons                 []string // why cases fail directly
}

func (t *table) row(backend, scheme, client string) *row {
	r := &row{backend: backend, scheme: scheme, client: client}
	t.rows = append(t.rows, r)
	return r
}

func (r *row) count(direct, through bool) {
	if direct {
		r.direct++
	}
	if through {
		r.through++
	}
	if !direct && !through {
		r.both++
	}
}

func (r *row) differ(name string) { r.differences = append(r.differences, name) }

func (r *row) explain(name string, err error) {
	text, _, _ := strings.Cut(err.Error(), "\n")
	r.reasons = append(r.reasons, fmt.Sprintf("%s: %.200s", name, text))
}

// print writes the table to the log, and to the file that KEYSTILE_CLIENTS_TABLE
// names.
func (t *table) print(test *testing.T) {
	var text strings.Builder
	line := func(direct string, r []any) {
		fmt.Fprintf(&text, "%-10s %-6s %-18s %8s %8v %12v %8v  %s\n", append([]any{r[0], r[1], r[2], direct}, r[3:]...)...)
	}
	line("directly", []any{"backend", "", "client", "through", "neither way", "cannot", "differences"})
	var through, differences int
	for _, r := range t.rows {
		if r.through+r.both+len(r.differences) == 0 {
			continue // skipped
		}
		directly := fmt.Sprint(r.direct)
		if !full {
			directly = "-"
		}
		differ := "none"
		if len(r.differences) > 0 {
			differ = strings.Join(r.differences, ", ")
		}
		line(directly, []any{r.backend, r.scheme, r.client, r.through, r.both, r.cannot, differ})
		through += r.through
		differences += len(r.differences)
	}
	fmt.Fprintf(&text, "%d cases passed through the gateway, %d that pass directly did not\n", through, differences)
	if full {
		fmt.Fprint(&text, t.reasons())
	}
	test.Log("\n" + text.String())
	if file := os.Getenv("KEYSTILE_CLIENTS_TABLE"); file != "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			test.Error(err)
		}
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			test.Error(err)
		}
	}
}

// reasons tells why cases fail at the backend itself.
func (t *table) reasons() string {
	var lines []string
	for _, r := range t.rows {
		for _, reason := range r.reasons {
			lines = append(lines, fmt.Sprintf("%s %s: %s\n", r.backend, r.client, reason))
		}
	}
	slices.Sort(lines)
	return "\nWhat fails directly too:\n" + strings.Join(slices.Compact(lines), "")
}
