package keystile_test

import (
	"strings"
	"testing"

	"keystile/internal/keystile"
)

func TestProjectNames(t *testing.T) {
	for _, name := range []string{"a", "Data platform", "équipe 7", strings.Repeat("ü", 64)} {
		var faults keystile.Faults
		if keystile.CheckProjectName(name, &faults); faults.Err() != nil {
			t.Errorf("%q: %v", name, faults)
		}
	}
	for _, name := range []string{"", " ", " a", "a ", "a\nb", "a\x00", "\xff", strings.Repeat("a", 65)} {
		var faults keystile.Faults
		if keystile.CheckProjectName(name, &faults); len(faults) != 1 || faults[0].Field != "name" {
			t.Errorf("%q passes: %v", name, faults)
		}
	}
}

func TestMembershipAccess(t *testing.T) {
	owner := keystile.Membership{Role: keystile.ProjectOwner}
	member := keystile.Membership{Role: keystile.ProjectMember}
	writer := keystile.Membership{Role: keystile.ProjectMember, RGWWrite: true}
	for _, tt := range []struct {
		name       string
		role       keystile.Role
		membership keystile.Membership
		want       string
	}{
		{"an admin needs no membership", keystile.RoleAdmin, keystile.Membership{}, "admin"},
		{"an admin is not lowered by one", keystile.RoleAdmin, member, "admin"},
		{"an owner", keystile.RoleUser, owner, "owner"},
		{"a member reads", keystile.RoleUser, member, "read"},
		{"a member with rgw:write", keystile.RoleUser, writer, "write"},
		{"a readonly owner reads", keystile.RoleReadonly, owner, "read"},
		{"a readonly writer reads", keystile.RoleReadonly, writer, "read"},
		{"no membership", keystile.RoleUser, keystile.Membership{}, "none"},
		{"a permission without a role is nothing", keystile.RoleUser, keystile.Membership{RGWWrite: true}, "none"},
		{"no membership, readonly", keystile.RoleReadonly, keystile.Membership{}, "none"},
		{"an unknown account role is nothing", "god", owner, "none"},
		{"an unknown project role is nothing", keystile.RoleUser, keystile.Membership{Role: "boss"}, "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.membership.Access(tt.role).String(); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
