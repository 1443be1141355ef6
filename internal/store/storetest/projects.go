package storetest

import (
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func project(id, name string) keystile.Project {
	return keystile.Project{ID: id, Name: name, CreatedAt: noon, UpdatedAt: after(time.Second)}
}

func membership(projectID, accountID string, role keystile.ProjectRole) keystile.Membership {
	return keystile.Membership{ProjectID: projectID, AccountID: accountID, Role: role, AddedAt: noon}
}

func createProjects(t *testing.T, s store.Store, all ...keystile.Project) {
	t.Helper()
	write(t, s, func(tx store.Tx) error {
		for _, p := range all {
			if err := tx.CreateProject(p); err != nil {
				return err
			}
		}
		return nil
	})
}

func addMembers(t *testing.T, s store.Store, all ...keystile.Membership) {
	t.Helper()
	write(t, s, func(tx store.Tx) error {
		for _, m := range all {
			if err := tx.AddMember(m); err != nil {
				return err
			}
		}
		return nil
	})
}

func projectOf(id string) func(store.Tx) (keystile.Project, error) {
	return func(tx store.Tx) (keystile.Project, error) { return tx.Project(id) }
}

func memberOf(projectID, accountID string) func(store.Tx) (keystile.Membership, error) {
	return func(tx store.Tx) (keystile.Membership, error) { return tx.Member(projectID, accountID) }
}

func projectNames(t *testing.T, s store.Store, fn func(store.Tx) ([]keystile.Project, error)) string {
	t.Helper()
	var names []string
	for _, p := range got(t, s, fn) {
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
}

func testProjects(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"every field comes back on the other handle", func(t *testing.T, a, b store.Store) {
			createAccounts(t, a, "anna")
			createProjects(t, a, project("p1", "Data"))
			wantEqual(t, got(t, b, projectOf("p1")), project("p1", "Data"))
			m := membership("p1", "id-anna", keystile.ProjectMember)
			m.RGWWrite = true
			addMembers(t, a, m)
			wantEqual(t, got(t, b, memberOf("p1", "id-anna")), m)
		}},
		{"they are listed by name in any case, and by member", proveProjectLists},
		{"a name is taken once in any case, an id too", proveProjectUnique},
		{"an update changes name and time of change", proveProjectUpdate},
		{"an absent one is not found", proveProjectAbsent},
		{"members are listed oldest first, change and go", proveMembers},
		{"a membership needs project and account, once", proveMemberRefusals},
		{"a deleted project or account takes its memberships along and no others", proveMembershipEnds},
		{"tokens bound to a project are revoked, of one account or of all", proveRevokeTokensIn},
	})
}

func proveProjectLists(t *testing.T, a, b store.Store) {
	wantEqual(t, projectNames(t, a, store.Tx.Projects), "")
	createAccounts(t, a, "anna", "bert")
	createProjects(t, a, project("p1", "beta"), project("p2", "Alpha"), project("p3", "Gamma"))
	addMembers(t, a, membership("p3", "id-anna", keystile.ProjectOwner), membership("p1", "id-anna", keystile.ProjectMember),
		membership("p2", "id-bert", keystile.ProjectOwner))
	of := func(account string) func(store.Tx) ([]keystile.Project, error) {
		return func(tx store.Tx) ([]keystile.Project, error) { return tx.ProjectsOf(account) }
	}
	wantEqual(t, projectNames(t, b, store.Tx.Projects), "Alpha beta Gamma")
	wantEqual(t, projectNames(t, b, of("id-anna")), "beta Gamma")
	wantEqual(t, projectNames(t, b, of("nobody")), "")
}

func proveProjectUnique(t *testing.T, a, b store.Store) {
	createProjects(t, a, project("p1", "Data"))
	for _, p := range []keystile.Project{project("p2", "Data"), project("p2", "dATA"), project("p1", "other")} {
		wantErr(t, tryWrite(t, b, func(tx store.Tx) error { return tx.CreateProject(p) }), keystile.ErrConflict)
	}
	createProjects(t, b, project("p2", "other"))
	wantErr(t, tryWrite(t, b, func(tx store.Tx) error { return tx.UpdateProject(project("p2", "DATA")) }), keystile.ErrConflict)
	write(t, a, func(tx store.Tx) error { return tx.DeleteProject("p1") })
	createProjects(t, b, project("p1", "data")) // a deleted one's name is free
}

func proveProjectUpdate(t *testing.T, a, b store.Store) {
	createProjects(t, a, project("p1", "Data"), project("p2", "other"))
	changed := keystile.Project{ID: "p1", Name: "DATA", CreatedAt: after(time.Hour), UpdatedAt: after(2 * time.Hour)}
	write(t, b, func(tx store.Tx) error { return tx.UpdateProject(changed) }) // its own name in another case is free
	changed.CreatedAt = noon
	wantEqual(t, got(t, a, projectOf("p1")), changed)
	wantEqual(t, got(t, a, projectOf("p2")), project("p2", "other"))
}

func proveProjectAbsent(t *testing.T, a, _ store.Store) {
	createAccounts(t, a, "anna")
	createProjects(t, a, project("p1", "Data"))
	for _, id := range []string{"", "Data", "p2"} {
		_, err := tryGet(t, a, projectOf(id))
		wantErr(t, err, keystile.ErrNotFound)
	}
	_, err := tryGet(t, a, memberOf("p1", "id-anna"))
	wantErr(t, err, keystile.ErrNotFound)
	for name, fn := range map[string]func(store.Tx) error{
		"update project": func(tx store.Tx) error { return tx.UpdateProject(project("p2", "x")) },
		"delete project": func(tx store.Tx) error { return tx.DeleteProject("p2") },
		"update member": func(tx store.Tx) error {
			return tx.UpdateMember(membership("p1", "id-anna", keystile.ProjectOwner))
		},
		"remove member": func(tx store.Tx) error { return tx.RemoveMember("p1", "id-anna") },
	} {
		t.Run(name, func(t *testing.T) { wantErr(t, tryWrite(t, a, fn), keystile.ErrNotFound) })
	}
}

func proveMembers(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna", "bert")
	createProjects(t, a, project("p1", "one"), project("p2", "two"))
	anna, bert := membership("p1", "id-anna", keystile.ProjectMember), membership("p1", "id-bert", keystile.ProjectOwner)
	anna.AddedAt = after(time.Hour)
	addMembers(t, a, anna, bert, membership("p2", "id-anna", keystile.ProjectOwner))
	list := func() []keystile.Membership {
		t.Helper()
		return got(t, b, func(tx store.Tx) ([]keystile.Membership, error) { return tx.Members("p1") })
	}
	wantEqual(t, list(), []keystile.Membership{bert, anna})
	changed := anna
	changed.Role, changed.RGWWrite, changed.AddedAt = keystile.ProjectOwner, true, after(9*time.Hour)
	write(t, b, func(tx store.Tx) error { return tx.UpdateMember(changed) })
	changed.AddedAt = anna.AddedAt
	wantEqual(t, list(), []keystile.Membership{bert, changed})
	write(t, b, func(tx store.Tx) error { return tx.RemoveMember("p1", "id-bert") })
	wantEqual(t, list(), []keystile.Membership{changed})
	wantEqual(t, got(t, a, memberOf("p2", "id-anna")), membership("p2", "id-anna", keystile.ProjectOwner))
}

func proveMemberRefusals(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna")
	createProjects(t, a, project("p1", "one"))
	addMembers(t, a, membership("p1", "id-anna", keystile.ProjectOwner))
	add := func(m keystile.Membership) error {
		return tryWrite(t, b, func(tx store.Tx) error { return tx.AddMember(m) })
	}
	wantErr(t, add(membership("p1", "id-anna", keystile.ProjectMember)), keystile.ErrConflict)
	wantErr(t, add(membership("p1", "nobody", keystile.ProjectMember)), keystile.ErrNotFound)
	wantErr(t, add(membership("none", "id-anna", keystile.ProjectMember)), keystile.ErrNotFound)
	wantEqual(t, got(t, a, memberOf("p1", "id-anna")).Role, keystile.ProjectOwner)
}

func proveMembershipEnds(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna", "bert")
	createProjects(t, a, project("p1", "one"), project("p2", "two"))
	addMembers(t, a, membership("p1", "id-anna", keystile.ProjectOwner), membership("p2", "id-anna", keystile.ProjectOwner),
		membership("p2", "id-bert", keystile.ProjectMember))
	write(t, b, func(tx store.Tx) error { return tx.DeleteProject("p1") })
	_, err := tryGet(t, a, memberOf("p1", "id-anna"))
	wantErr(t, err, keystile.ErrNotFound)
	wantEqual(t, got(t, a, memberOf("p2", "id-anna")).Role, keystile.ProjectOwner)
	write(t, b, func(tx store.Tx) error { return tx.DeleteAccount("id-anna") })
	_, err = tryGet(t, a, memberOf("p2", "id-anna"))
	wantErr(t, err, keystile.ErrNotFound)
	wantEqual(t, got(t, a, memberOf("p2", "id-bert")).Role, keystile.ProjectMember)
	wantEqual(t, got(t, a, projectOf("p2")), project("p2", "two"))
}

func proveRevokeTokensIn(t *testing.T, a, b store.Store) {
	createAccounts(t, a, "anna", "bert")
	bound := func(id, account, project string) keystile.Token {
		x := token(id, account)
		x.ProjectID = project
		return x
	}
	dead := bound("dead", "id-anna", "p1")
	dead.RevokedAt = after(-time.Hour)
	createTokens(t, a, bound("a1", "id-anna", "p1"), bound("a2", "id-anna", "p2"), bound("b1", "id-bert", "p1"), token("free", "id-anna"), dead)
	revoke := func(project, account string) {
		t.Helper()
		write(t, b, func(tx store.Tx) error { return tx.RevokeTokensIn(project, account, noon) })
	}
	revoked := func() string {
		t.Helper()
		var ids []string
		for _, id := range []string{"a1", "a2", "b1", "free", "dead"} {
			if x := got(t, a, tokenOf(id)); !x.RevokedAt.IsZero() {
				ids = append(ids, id)
			}
		}
		return strings.Join(ids, " ")
	}
	revoke("", "") // no project is no project, not every token that is free
	wantEqual(t, revoked(), "dead")
	revoke("p1", "id-anna")
	wantEqual(t, revoked(), "a1 dead")
	revoke("p1", "")
	wantEqual(t, revoked(), "a1 b1 dead")
	wantEqual(t, got(t, a, tokenOf("dead")).RevokedAt, after(-time.Hour))
}
