package backends_test

import (
	"strings"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/upstream"
)

// TestTheAdminOpsAPIIsTested: the test of a Ceph ends where its Admin Ops API
// does not take the key.
func TestTheAdminOpsAPIIsTested(t *testing.T) {
	e := startCeph(t)
	e.Backend.Kind, e.Backend.AdminAccessKeyID, e.AdminSecret = keystile.KindCeph, e.Backend.AccessKeyID, e.Secret
	step := adminStep(t, e)
	if !step.OK || !strings.Contains(step.Message, "answers as user keystile") {
		t.Errorf("with the right key: %+v", step)
	}
	e.AdminSecret = keystile.NewSecret("wrong")
	if step = adminStep(t, e); step.OK || !strings.Contains(step.Message, "refuses the key") {
		t.Errorf("with a wrong secret: %+v", step)
	}
	e.AdminSecret, e.Backend.AdminEndpoint = e.Secret, "http://127.0.0.1:9"
	if step = adminStep(t, e); step.OK || !strings.Contains(step.Message, "does not answer") {
		t.Errorf("where nothing listens: %+v", step)
	}
}

func adminStep(t *testing.T, e upstream.Endpoint) keystile.TestStep {
	t.Helper()
	report := registryOf(t, e).Test(t.Context(), e.Backend, keystile.Secret{})
	for _, step := range report.Steps {
		if step.Name == "admin" {
			if step.OK != report.OK {
				t.Errorf("step %v, report %v", step.OK, report.OK)
			}
			return step
		}
	}
	t.Fatalf("no such step: %+v", report.Steps)
	return keystile.TestStep{}
}
