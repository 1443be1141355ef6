package control

import (
	"testing"

	"keystile/internal/store"
)

// TestUrgency: on a full disk what takes something away goes through, and what
// gives something waits.
func TestUrgency(t *testing.T) {
	for action, want := range map[string]bool{
		"credential.revoke": true, "credential.disable": true, "credential.rotate": true, "credential.update": true,
		"binding.remove": true, "account.delete": true, "account.reset_password": true, "session.delete_all": true,
		"token.revoke": true, "project.member.remove": true, "bucket.forget": true, "rgw.user.delete": true,
		"credential.create": false, "credential.enable": false, "binding.create": false, "account.create": false,
		"account.enable": false, "token.create": false, "project.member.add": false, "backend.test": false, "rgw.user.adopt": false,
	} {
		if got := store.IsUrgent(urgency(t.Context(), action)); got != want {
			t.Errorf("%s: %v, want %v", action, got, want)
		}
	}
	if store.IsUrgent(t.Context()) {
		t.Error("every context is urgent")
	}
}
