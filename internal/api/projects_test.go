package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// crew is a site with a project and an account of each standing in it: olga owns
// it, mona is a member, wim a member who may write, rory owns it and is readonly;
// uma is in another.
func crew(t *testing.T) (s *site, project, other string) {
	t.Helper()
	s = newSite(t)
	ctx, system := t.Context(), control.System()
	for _, name := range []string{"olga", "mona", "wim"} {
		_, _, err := s.control.Accounts.Create(ctx, system, control.NewAccount{Name: name, Role: keystile.RoleUser, Password: keystile.NewSecret(sitePassword)})
		must(t, err)
	}
	made, err := s.control.Projects.Create(ctx, system, "Data", "olga")
	must(t, err)
	for _, m := range []struct {
		name  string
		role  keystile.ProjectRole
		write bool
	}{{"mona", keystile.ProjectMember, false}, {"wim", keystile.ProjectMember, true}, {"rory", keystile.ProjectOwner, false}} {
		_, err := s.control.Projects.AddMember(ctx, system, made.ID, m.name, m.role, m.write)
		must(t, err)
	}
	second, err := s.control.Projects.Create(ctx, system, "Web", "uma")
	must(t, err)
	return s, made.ID, second.ID
}

// bound sends a token of the account that is bound to the project.
func (s *site) bound(account, project string) client {
	s.t.Helper()
	made := into[TokenWithValue](s.as(account).do("POST", "/api/tokens", NewToken{Name: "ci", ProjectID: project}).want(201))
	if made.ProjectID != project {
		s.t.Fatalf("made %+v", made.Token)
	}
	return s.bearer(made.Value)
}

func TestWhoMayDoWhatInAProject(t *testing.T) {
	s, project, _ := crew(t)
	bound := map[string]client{}
	for _, name := range []string{"root", "olga", "mona", "wim", "rory"} {
		bound[name] = s.bound(name, project)
	}
	path := "/api/projects/" + project
	for _, tt := range []struct {
		who                                 string
		client                              client
		access                              string // empty: not found
		show, rename, add, change, takeAway int
	}{
		{"an outsider", s.as("uma"), "", 404, 404, 404, 404, 404},
		{"a member", s.as("mona"), "read", 200, 403, 403, 403, 403},
		{"a member who may write", s.as("wim"), "write", 200, 403, 403, 403, 403},
		{"a readonly owner", s.as("rory"), "read", 200, 403, 403, 403, 403},
		{"an owner", s.as("olga"), "owner", 200, 200, 201, 200, 204},
		{"an admin", s.as("root"), "admin", 200, 200, 201, 200, 204},
		{"an owner's session", s.signIn("olga"), "owner", 200, 200, 201, 200, 204},
		{"a member's token", bound["mona"], "read", 200, 403, 403, 403, 403},
		{"a writing member's token", bound["wim"], "write", 200, 403, 403, 403, 403},
		{"a readonly owner's token", bound["rory"], "read", 200, 403, 403, 403, 403},
		{"an owner's token", bound["olga"], "owner", 200, 200, 201, 200, 204},
		{"an admin's token is an owner's", bound["root"], "owner", 200, 200, 201, 200, 204},
	} {
		t.Run(tt.who, func(t *testing.T) {
			c := tt.client.on(t)
			shown := c.do("GET", path, nil).want(tt.show)
			if tt.show == 200 {
				if got := into[Project](shown); got.Access != tt.access || got.Members != 4 || !slices.Equal(got.Owners, []string{"olga", "rory"}) {
					t.Errorf("shown as %+v", got)
				}
			}
			list := into[List[Project]](c.do("GET", "/api/projects", nil).want(200)).Items
			seen := slices.ContainsFunc(list, func(p Project) bool { return p.ID == project })
			if seen != (tt.show == 200) {
				t.Errorf("listed: %v, of %+v", seen, list)
			}
			c.do("GET", path+"/members", nil).want(tt.show)
			c.do("PATCH", path, `{"name":"Data"}`).want(tt.rename)
			c.do("POST", path+"/members", `{"account":"uma","role":"member"}`).want(tt.add)
			c.do("PATCH", path+"/members/uma", `{"permissions":["rgw:write"]}`).want(tt.change)
			c.do("DELETE", path+"/members/uma", nil).want(tt.takeAway)
		})
	}
}

func TestOnlyAdminsMakeAndDeleteProjects(t *testing.T) {
	s, project, _ := crew(t)
	for who, c := range map[string]client{"an owner": s.as("olga"), "an owner's token": s.bound("olga", project), "an admin's token": s.bound("root", project)} {
		c.do("DELETE", "/api/projects/"+project, nil).wantCode(403, "denied")
		if c.do("POST", "/api/projects", `{"name":"mine"}`).status != 403 {
			t.Errorf("%s makes a project", who)
		}
	}
	made := into[Project](s.as("root").do("POST", "/api/projects", `{"name":"Mine"}`).want(201))
	if made.Access != "admin" || !slices.Equal(made.Owners, []string{"root"}) || made.Members != 1 {
		t.Errorf("made %+v", made)
	}
	given := into[Project](s.as("root").do("POST", "/api/projects", `{"name":"Theirs","owner":"uma"}`).want(201))
	if !slices.Equal(given.Owners, []string{"uma"}) {
		t.Errorf("made %+v", given)
	}
	root, token := s.as("root"), s.bound("uma", given.ID)
	token.do("GET", "/api/projects/"+given.ID, nil).want(200)
	root.do("DELETE", "/api/projects/"+given.ID, nil).want(204)
	root.do("GET", "/api/projects/"+given.ID, nil).wantCode(404, "not_found")
	token.do("GET", "/api/projects/"+given.ID, nil).want(401) // it died with the project
	root.do("POST", "/api/projects", `{"name":"Theirs"}`).want(201)
}

func TestProjectFaults(t *testing.T) {
	s, project, _ := crew(t)
	root := s.as("root")
	root.do("PATCH", "/api/accounts/mona", `{"disabled":true}`).want(200)
	for _, tt := range []struct{ name, method, path, body, field string }{
		{"blank name", "POST", "", `{"name":" "}`, "name"},
		{"long name", "POST", "", `{"name":"` + strings.Repeat("n", 65) + `"}`, "name"},
		{"a blank before the name", "PATCH", "/" + project, `{"name":" x"}`, "name"},
		{"unknown owner", "POST", "", `{"name":"x","owner":"nobody"}`, "owner"},
		{"disabled owner", "POST", "", `{"name":"x","owner":"mona"}`, "owner"},
		{"unknown member", "POST", "/" + project + "/members", `{"account":"nobody","role":"member"}`, "account"},
		{"unknown role", "POST", "/" + project + "/members", `{"account":"uma","role":"boss"}`, "role"},
		{"no role", "POST", "/" + project + "/members", `{"account":"uma"}`, "role"},
		{"unknown permission", "POST", "/" + project + "/members", `{"account":"uma","role":"member","permissions":["rgw:admin"]}`, "permissions[0]"},
		{"unknown role of a member", "PATCH", "/" + project + "/members/wim", `{"role":"boss"}`, "role"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			faults := root.on(t).do(tt.method, "/api/projects"+tt.path, tt.body).wantCode(422, "invalid").problem().Error.Detail.Faults
			if len(faults) != 1 || faults[0].Field != tt.field {
				t.Errorf("faults %+v, want %s", faults, tt.field)
			}
		})
	}
	root.do("POST", "/api/projects", `{"name":"dATA"}`).wantCode(409, "conflict")
	root.do("PATCH", "/api/projects/"+project, `{"name":"web"}`).wantCode(409, "conflict")
	root.do("POST", "/api/projects/"+project+"/members", `{"account":"wim","role":"owner"}`).wantCode(409, "conflict")
	root.do("PATCH", "/api/projects/"+project+"/members/uma", `{"role":"owner"}`).wantCode(404, "not_found")
	root.do("DELETE", "/api/projects/"+project+"/members/uma", nil).wantCode(404, "not_found")
}

func TestMembersChange(t *testing.T) {
	s, project, _ := crew(t)
	olga, path := s.as("olga"), "/api/projects/"+project+"/members/wim"
	for _, tt := range []struct{ name, body, role, permissions, access string }{
		{"nothing given, nothing changed", `{}`, "member", "rgw:write", "write"},
		{"permissions taken away", `{"permissions":[]}`, "member", "", "read"},
		{"permissions given", `{"permissions":["rgw:write"]}`, "member", "rgw:write", "write"},
		{"an owner needs none", `{"role":"owner"}`, "owner", "", "owner"},
		{"a new role starts without", `{"role":"member"}`, "member", "", "read"},
		{"both at once", `{"role":"member","permissions":["rgw:write"]}`, "member", "rgw:write", "write"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := into[Member](olga.on(t).do("PATCH", path, tt.body).want(200))
			if got.Role != tt.role || strings.Join(got.Permissions, " ") != tt.permissions || got.Access != tt.access {
				t.Errorf("became %+v", got)
			}
			if own := into[Project](s.as("wim").on(t).do("GET", "/api/projects/"+project, nil).want(200)); own.Access != tt.access {
				t.Errorf("has %s, want %s", own.Access, tt.access)
			}
		})
	}
}

func TestTheLastOwnerStays(t *testing.T) {
	s, project, _ := crew(t)
	root, members := s.as("root"), "/api/projects/"+project+"/members"
	refuse := func() {
		t.Helper()
		for _, c := range []client{root, s.as("olga")} {
			c.do("PATCH", members+"/olga", `{"role":"member"}`).wantCode(409, "conflict")
			c.do("DELETE", members+"/olga", nil).wantCode(409, "conflict")
		}
	}
	refuse() // rory owns it too, but is readonly
	root.do("PATCH", members+"/mona", `{"role":"owner"}`).want(200)
	root.do("PATCH", "/api/accounts/mona", `{"disabled":true}`).want(200)
	refuse() // a disabled one is none
	root.do("PATCH", "/api/accounts/mona", `{"disabled":false}`).want(200)
	s.as("olga").do("DELETE", members+"/olga", nil).want(204)
	s.as("olga").do("GET", members, nil).wantCode(404, "not_found")
	root.do("DELETE", members+"/rory", nil).want(204) // who could not act anyway may go
	root.do("DELETE", "/api/accounts/mona", nil).want(204)
	if left := into[Project](root.do("GET", "/api/projects/"+project, nil).want(200)); len(left.Owners) != 0 || left.Members != 1 {
		t.Errorf("left %+v", left)
	}
	root.do("PATCH", members+"/wim", `{"role":"owner"}`).want(200)
}

// A token bound to a project is refused by every operation but those of the
// project, and those that only tell who and where one is.
func TestBoundTokensDoNothingElse(t *testing.T) {
	operations := operationsOf(t)
	s, names := seeded(t)
	project := names.Replace("{project}")
	token := s.bound("root", project)
	open := []string{"getServer", "getSession"}
	for _, sc := range scenarios {
		op := operations[sc.id]
		if strings.HasPrefix(op.path, "/api/projects/") || strings.HasPrefix(op.path, "/rgw/users") || strings.HasPrefix(op.path, "/rgw/jobs/") || sc.id == "listProjects" || slices.Contains(open, sc.id) {
			continue
		}
		t.Run(sc.id+" "+sc.event, func(t *testing.T) {
			var body any
			if sc.body != "" {
				body = names.Replace(sc.body)
			}
			a := token.on(t).do(op.method, names.Replace(sc.path), body)
			a.wantCode(403, "denied")
			if events := s.eventsOf(a); len(events) != 1 || events[0].Result != keystile.ResultDenied {
				t.Errorf("events %+v", events)
			}
		})
	}
}

func TestBoundTokensStayInTheirProject(t *testing.T) {
	s, project, other := crew(t)
	olga, root := s.bound("olga", project), s.bound("root", project)
	for who, c := range map[string]client{"an owner's": olga, "an admin's": root} {
		list := into[List[Project]](c.do("GET", "/api/projects", nil).want(200)).Items
		if len(list) != 1 || list[0].ID != project {
			t.Errorf("%s token lists %+v", who, list)
		}
		for _, path := range []string{"", "/members"} {
			c.do("GET", "/api/projects/"+project+path, nil).want(200)
			c.do("GET", "/api/projects/"+other+path, nil).wantCode(404, "not_found")
		}
		c.do("PATCH", "/api/projects/"+other, `{"name":"x"}`).wantCode(404, "not_found")
		c.do("POST", "/api/projects/"+other+"/members", `{"account":"olga","role":"owner"}`).wantCode(404, "not_found")
	}
	for _, id := range []string{other, "none"} {
		faults := s.as("olga").do("POST", "/api/tokens", NewToken{Name: "ci", ProjectID: id}).wantCode(422, "invalid").problem().Error.Detail.Faults
		if len(faults) != 1 || faults[0].Field != "project_id" {
			t.Errorf("faults %+v", faults)
		}
	}
}

func TestBoundTokensDieWithTheMembership(t *testing.T) {
	s, project, _ := crew(t)
	root, free, bound := s.as("root"), s.as("wim"), s.bound("wim", project)
	bound.do("GET", "/api/projects/"+project, nil).want(200)
	root.do("DELETE", "/api/projects/"+project+"/members/wim", nil).want(204)
	bound.do("GET", "/api/projects/"+project, nil).wantCode(401, "unauthenticated")
	free.do("GET", "/api/projects/"+project, nil).wantCode(404, "not_found")
	root.do("POST", "/api/projects/"+project+"/members", `{"account":"wim","role":"member"}`).want(201)
	bound.do("GET", "/api/projects/"+project, nil).wantCode(401, "unauthenticated") // coming back revives none
	free.do("GET", "/api/projects/"+project, nil).want(200)
}

func TestProjectActsAreAudited(t *testing.T) {
	s, project, _ := crew(t)
	olga := s.as("olga")
	path := "/api/projects/" + project
	for _, tt := range []struct {
		method, path, body, action string
		status                     int
		changes                    map[string]string
	}{
		{"PATCH", path, `{"name":"Lake"}`, "project.rename", 200, map[string]string{"name": "Lake"}},
		{"POST", path + "/members", `{"account":"uma","role":"member","permissions":["rgw:write"]}`, "project.member.add", 201,
			map[string]string{"account": "uma", "role": "member", "permissions": "rgw:write"}},
		{"PATCH", path + "/members/uma", `{"role":"owner"}`, "project.member.update", 200, map[string]string{"account": "uma", "role": "owner"}},
		{"DELETE", path + "/members/uma", "", "project.member.remove", 204, map[string]string{"account": "uma"}},
	} {
		t.Run(tt.action, func(t *testing.T) {
			var body any
			if tt.body != "" {
				body = tt.body
			}
			events := s.eventsOf(olga.on(t).do(tt.method, tt.path, body).want(tt.status))
			if len(events) != 1 {
				t.Fatalf("events %+v", events)
			}
			e := events[0]
			if e.Action != tt.action || e.Account != "olga" || e.Detail.Target != project || e.Result != keystile.ResultOK || e.Status != tt.status {
				t.Errorf("event %+v", e)
			}
			for field, want := range tt.changes {
				if e.Detail.Changes[field] != want {
					t.Errorf("changes %v, want %s %q", e.Detail.Changes, field, want)
				}
			}
		})
	}
	denied := s.eventsOf(s.as("uma").do("GET", path, nil).want(http.StatusNotFound))
	if len(denied) != 1 || denied[0].Action != "project.show" || denied[0].Result != keystile.ResultDenied || denied[0].Detail.Target != project {
		t.Errorf("events %+v", denied)
	}
}
