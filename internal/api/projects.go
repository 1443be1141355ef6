package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// projects serves projects and their members.
type projects struct{ projects *control.Projects }

func (h projects) mount(r *router) {
	const tag = "Projects"
	register(r, operation{method: http.MethodGet, path: "/api/projects", id: "listProjects", tag: tag,
		summary: "List the projects that the account may see"}, h.list)
	register(r, operation{method: http.MethodPost, path: "/api/projects", id: "createProject", tag: tag,
		summary: "Make a project", status: http.StatusCreated, description: "For admins."}, h.create)
	register(r, operation{method: http.MethodGet, path: "/api/projects/{id}", id: "getProject", tag: tag,
		summary: "Show a project"}, h.get)
	register(r, operation{method: http.MethodPatch, path: "/api/projects/{id}", id: "updateProject", tag: tag,
		summary: "Rename a project", description: "For its owners."}, h.update)
	register(r, operation{method: http.MethodDelete, path: "/api/projects/{id}", id: "deleteProject", tag: tag,
		summary:     "Delete a project",
		description: "For admins. Its memberships go, and the API tokens that are bound to it are revoked."}, h.delete)
	h.mountMembers(r, tag)
}

func (h projects) mountMembers(r *router, tag string) {
	register(r, operation{method: http.MethodGet, path: "/api/projects/{id}/members", id: "listMembers", tag: tag,
		summary: "List a project's members"}, h.members)
	register(r, operation{method: http.MethodPost, path: "/api/projects/{id}/members", id: "addMember", tag: tag,
		summary: "Add a member", status: http.StatusCreated, description: "For owners."}, h.addMember)
	register(r, operation{method: http.MethodPatch, path: "/api/projects/{id}/members/{account}", id: "updateMember", tag: tag,
		summary:     "Change a member's role and permissions",
		description: "For owners. A new role without permissions takes them away. The last owner stays one."}, h.updateMember)
	register(r, operation{method: http.MethodDelete, path: "/api/projects/{id}/members/{account}", id: "removeMember", tag: tag,
		summary:     "Remove a member",
		description: "For owners. The member's API tokens that are bound to the project are revoked. The last owner stays."}, h.removeMember)
}

// Project groups accounts with what they share.
type Project struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Access    string    `json:"access" enum:"read,write,owner,admin" doc:"what the account that asks may do in it"`
	Owners    []string  `json:"owners" doc:"account names"`
	Members   int       `json:"members" doc:"how many there are, owners too"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// NewProject is what is chosen of a project.
type NewProject struct {
	Name  string `json:"name" example:"Data platform" doc:"1 to 64 characters, unique in any case"`
	Owner string `json:"owner,omitempty" doc:"account name of its first owner; absent: the account that asks"`
}

// ProjectEdit changes what it has.
type ProjectEdit struct {
	Name string `json:"name"`
}

// Member is an account in a project.
type Member struct {
	Account       string    `json:"account"`
	AccountRole   string    `json:"account_role" enum:"admin,user,readonly"`
	AccountStatus string    `json:"account_status" enum:"active,disabled"`
	Role          string    `json:"role" enum:"owner,member"`
	Permissions   []string  `json:"permissions" enum:"rgw:write" doc:"of a member; an owner may all without them"`
	Access        string    `json:"access" enum:"none,read,write,owner,admin" doc:"what it may do in the project: account role, status, role and permissions together"`
	AddedAt       time.Time `json:"added_at"`
}

// NewMember is who becomes what.
type NewMember struct {
	Account     string   `json:"account" example:"alice"`
	Role        string   `json:"role" enum:"owner,member"`
	Permissions []string `json:"permissions,omitempty" enum:"rgw:write" maxItems:"1"`
}

// MemberEdit changes what it has.
type MemberEdit struct {
	Role        *string   `json:"role,omitempty" enum:"owner,member"`
	Permissions *[]string `json:"permissions,omitempty" enum:"rgw:write" maxItems:"1"`
}

// ByMember names a member in the path.
type ByMember struct {
	ByID
	Account string `path:"account"`
}

func projectView(p control.ProjectInfo) Project {
	owners := p.Owners
	if owners == nil {
		owners = []string{}
	}
	return Project{p.ID, p.Name, p.Access.String(), owners, p.Members, p.CreatedAt, p.UpdatedAt}
}

func memberView(m control.MemberInfo) Member {
	account := accountView(m.Account)
	permissions := []string{}
	if m.RGWWrite {
		permissions = append(permissions, keystile.PermissionRGWWrite)
	}
	return Member{account.Name, account.Role, account.Status, string(m.Role), permissions, m.Access().String(), m.AddedAt}
}

func (h projects) list(ctx context.Context, _ *nothing) (*JSON[List[Project]], error) {
	list, err := h.projects.List(ctx, actorOf(ctx))
	return reply(listOf(list, projectView)), err
}

func (h projects) create(ctx context.Context, in *JSON[NewProject]) (*JSON[Project], error) {
	made, err := h.projects.Create(ctx, actorOf(ctx), in.Body.Name, in.Body.Owner)
	return reply(projectView(made)), err
}

func (h projects) get(ctx context.Context, in *ByID) (*JSON[Project], error) {
	found, err := h.projects.Get(ctx, actorOf(ctx), in.ID)
	return reply(projectView(found)), err
}

func (h projects) update(ctx context.Context, in *struct {
	ByID
	JSON[ProjectEdit]
}) (*JSON[Project], error) {
	renamed, err := h.projects.Rename(ctx, actorOf(ctx), in.ID, in.Body.Name)
	return reply(projectView(renamed)), err
}

func (h projects) delete(ctx context.Context, in *ByID) (*nothing, error) {
	return nil, h.projects.Delete(ctx, actorOf(ctx), in.ID)
}

func (h projects) members(ctx context.Context, in *ByID) (*JSON[List[Member]], error) {
	list, err := h.projects.Members(ctx, actorOf(ctx), in.ID)
	return reply(listOf(list, memberView)), err
}

func (h projects) addMember(ctx context.Context, in *struct {
	ByID
	JSON[NewMember]
}) (*JSON[Member], error) {
	added, err := h.projects.AddMember(ctx, actorOf(ctx), in.ID, in.Body.Account,
		keystile.ProjectRole(in.Body.Role), len(in.Body.Permissions) > 0)
	return reply(memberView(added)), err
}

func (h projects) updateMember(ctx context.Context, in *struct {
	ByMember
	JSON[MemberEdit]
}) (*JSON[Member], error) {
	var edit control.MemberEdit
	if in.Body.Role != nil {
		role := keystile.ProjectRole(*in.Body.Role)
		edit.Role = &role
	}
	if in.Body.Permissions != nil {
		write := len(*in.Body.Permissions) > 0
		edit.RGWWrite = &write
	}
	changed, err := h.projects.UpdateMember(ctx, actorOf(ctx), in.ID, in.Account, edit)
	return reply(memberView(changed)), err
}

func (h projects) removeMember(ctx context.Context, in *ByMember) (*nothing, error) {
	return nil, h.projects.RemoveMember(ctx, actorOf(ctx), in.ID, in.Account)
}
