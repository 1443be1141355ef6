package s3wire_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/s3wire"
)

var definition = regexp.MustCompile(`= Code\{"(\w+)", http\.Status(\w+),`)

// TestErrorsPage makes sure that docs/tenants/errors.md tells of every code that
// the gateway itself answers with, and of its status.
func TestErrorsPage(t *testing.T) {
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/tenants/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	statuses := map[string]int{}
	for status := range 600 {
		statuses[strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(status))] = status
	}
	codes := definition.FindAllStringSubmatch(string(source), -1)
	if len(codes) < 40 || strings.Count(string(source), "= Code{") != len(codes) {
		t.Fatalf("read %d codes of errors.go", len(codes))
	}
	for _, m := range codes {
		row := fmt.Sprintf("| `%s` | %d |", m[1], statuses[m[2]])
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/tenants/errors.md has no row that begins %s", row)
		}
	}
}

// TestRightsPage makes sure that docs/tenants/operations.md names every operation
// that is served in the row of its permission.
func TestRightsPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/tenants/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	anyRight := map[string]bool{s3wire.OpHeadBucket: true, s3wire.OpGetBucketLocation: true}
	for _, op := range s3wire.Operations() {
		if !op.Served || op.Permission == keystile.Permission(0) {
			continue
		}
		right := "`" + op.Permission.String() + "`"
		if anyRight[op.Name] {
			right = "any, on the bucket"
		}
		row := regexp.MustCompile(`(?m)^\| ` + right + ` \|.*\b` + op.Name + `\b`)
		if !row.Match(page) {
			t.Errorf("docs/tenants/operations.md does not name %s in the row of %s", op.Name, right)
		}
	}
}
