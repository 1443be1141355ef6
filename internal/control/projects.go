package control

import (
	"context"
	"errors"
	"slices"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Projects are the use cases of projects. Admins make and delete them; their
// members see them; owners rename them and manage their members. Others' are not
// found.
type Projects struct{ *core }

// ProjectInfo is a project as the one who asks may see it.
type ProjectInfo struct {
	keystile.Project
	Access  keystile.ProjectAccess // of the one who asks
	Owners  []string               // account names, sorted
	Members int                    // owners too
}

// List returns the projects that the actor may see, by name.
func (s *Projects) List(ctx context.Context, a Actor) (list []ProjectInfo, err error) {
	err = s.readIn(ctx, a, "project.list", "", anyone, func(tx store.Tx) error {
		projects, err := seenProjects(tx, a)
		if err != nil {
			return err
		}
		list = make([]ProjectInfo, 0, len(projects))
		for _, p := range projects {
			info, err := projectInfo(tx, a, p)
			if err != nil {
				return err
			}
			list = append(list, info)
		}
		return nil
	})
	return list, err
}

func seenProjects(tx store.Tx, a Actor) ([]keystile.Project, error) {
	if a.ProjectID != "" {
		access, err := projectAccess(tx, a, a.ProjectID)
		if access == keystile.NoAccess {
			if errors.Is(err, keystile.ErrNotFound) {
				err = nil
			}
			return nil, err
		}
		p, err := tx.Project(a.ProjectID)
		return []keystile.Project{p}, err
	}
	if admins(a.Account.Role) {
		return tx.Projects()
	}
	return tx.ProjectsOf(a.Account.ID)
}

func projectInfo(tx store.Tx, a Actor, p keystile.Project) (info ProjectInfo, err error) {
	info.Project = p
	if info.Access, err = projectAccess(tx, a, p.ID); err != nil {
		return info, err
	}
	members, err := tx.Members(p.ID)
	if err != nil {
		return info, err
	}
	info.Members = len(members)
	for _, m := range members {
		if m.Role != keystile.ProjectOwner {
			continue
		}
		account, err := tx.Account(m.AccountID)
		if err != nil {
			return info, err
		}
		info.Owners = append(info.Owners, account.Name)
	}
	slices.Sort(info.Owners)
	return info, nil
}

// Get returns one project.
func (s *Projects) Get(ctx context.Context, a Actor, id string) (info ProjectInfo, err error) {
	err = s.readIn(ctx, a, "project.show", id, anyone, func(tx store.Tx) error {
		if _, err := needAccess(tx, a, id, keystile.ReadAccess); err != nil {
			return err
		}
		project, err := tx.Project(id)
		if err != nil {
			return err
		}
		info, err = projectInfo(tx, a, project)
		return err
	})
	return info, err
}

// maxProjects bounds how many there are, so that their list can come whole.
const maxProjects = 10_000

// Create makes a project with its first owner, the actor where none is named;
// for admins.
func (s *Projects) Create(ctx context.Context, a Actor, name, owner string) (info ProjectInfo, err error) {
	if owner == "" {
		owner = a.Account.Name
	}
	err = s.mutate(ctx, a, act{action: "project.create", who: admins, do: func(ch *change) error {
		var faults keystile.Faults
		keystile.CheckProjectName(name, &faults)
		account, err := ch.memberToBe(owner, "owner", &faults)
		if err != nil {
			return err
		}
		if err := faults.Err(); err != nil {
			return err
		}
		all, err := ch.Projects()
		if err != nil {
			return err
		}
		if len(all) >= maxProjects {
			return explain(keystile.ErrConflict, "there are %d projects already", len(all))
		}
		project := keystile.Project{ID: newID(), Name: name, CreatedAt: ch.now, UpdatedAt: ch.now}
		ch.event.Detail.Target = project.ID
		ch.changed("name", "%s", name)
		ch.changed("owner", "%s", account.Name)
		if err := nameTaken(ch.CreateProject(project), name); err != nil {
			return err
		}
		first := keystile.Membership{ProjectID: project.ID, AccountID: account.ID, Role: keystile.ProjectOwner, AddedAt: ch.now}
		if err := ch.AddMember(first); err != nil {
			return err
		}
		info, err = projectInfo(ch, ch.actor, project)
		return err
	}})
	return info, err
}

func nameTaken(err error, name string) error {
	if errors.Is(err, keystile.ErrConflict) {
		return &Explained{"there is a project " + name + " already", err}
	}
	return err
}

// Rename gives a project another name; for its owners.
func (s *Projects) Rename(ctx context.Context, a Actor, id, name string) (info ProjectInfo, err error) {
	err = s.inProject(ctx, a, "project.rename", id, keystile.OwnerAccess, func(ch *change) error {
		var faults keystile.Faults
		if keystile.CheckProjectName(name, &faults); faults.Err() != nil {
			return faults.Err()
		}
		project, err := ch.Project(id)
		if err != nil {
			return err
		}
		project.Name, project.UpdatedAt = name, ch.now
		ch.changed("name", "%s", name)
		if err := nameTaken(ch.UpdateProject(project), name); err != nil {
			return err
		}
		info, err = projectInfo(ch, ch.actor, project)
		return err
	})
	return info, err
}

// Delete removes a project with its memberships and revokes the API tokens that
// are bound to it; for admins.
func (s *Projects) Delete(ctx context.Context, a Actor, id string) error {
	return s.inProject(ctx, a, "project.delete", id, keystile.AdminAccess, func(ch *change) error {
		project, err := ch.Project(id)
		if err != nil {
			return err
		}
		ch.changed("name", "%s", project.Name)
		users, err := ch.RGWUsers(store.RGWUserFilter{ProjectID: id, Limit: 1})
		if err != nil {
			return err
		}
		if len(users) > 0 {
			return explain(keystile.ErrConflict, "the project has RGW users: delete them first")
		}
		if err := ch.RevokeTokensIn(id, "", ch.now); err != nil {
			return err
		}
		return ch.DeleteProject(id)
	})
}

// inProject runs an act on a project for those with enough access to it.
func (s *Projects) inProject(ctx context.Context, a Actor, action, id string, need keystile.ProjectAccess, do func(*change) error) error {
	return s.mutate(ctx, a, act{action: action, target: id, who: anyone, inProject: true, do: func(ch *change) error {
		if _, err := needAccess(ch, ch.actor, id, need); err != nil {
			return err
		}
		return do(ch)
	}})
}

// memberToBe finds the account that is to become a member.
func (ch *change) memberToBe(name, field string, faults *keystile.Faults) (keystile.Account, error) {
	account, err := ch.AccountByName(name)
	switch {
	case errors.Is(err, keystile.ErrNotFound):
		faults.Add(field, "there is no such account")
		return account, nil
	case err != nil:
		return account, err
	case !account.DisabledAt.IsZero():
		faults.Add(field, "the account is disabled")
	}
	return account, nil
}

// projectOf tells a fault where a project that a token is to be bound to is not
// one of the actor's.
func (ch *change) projectOf(projectID string, faults *keystile.Faults) error {
	access, err := projectAccess(ch, ch.actor, projectID)
	if errors.Is(err, keystile.ErrNotFound) || err == nil && access == keystile.NoAccess {
		faults.Add("project_id", "there is no such project, or the account is not a member of it")
		return nil
	}
	return err
}

// MemberInfo is a member with the account.
type MemberInfo struct {
	keystile.Membership
	Account keystile.Account
}

// Access is what the account may do in the project.
func (m MemberInfo) Access() keystile.ProjectAccess {
	if !m.Account.DisabledAt.IsZero() {
		return keystile.NoAccess
	}
	return m.Membership.Access(m.Account.Role)
}

// Members returns those of a project, in the order in which they were added.
func (s *Projects) Members(ctx context.Context, a Actor, id string) (list []MemberInfo, err error) {
	err = s.readIn(ctx, a, "project.member.list", id, anyone, func(tx store.Tx) error {
		if _, err := needAccess(tx, a, id, keystile.ReadAccess); err != nil {
			return err
		}
		list, err = members(tx, id)
		return err
	})
	return list, err
}

func members(tx store.Tx, id string) ([]MemberInfo, error) {
	all, err := tx.Members(id)
	list := make([]MemberInfo, len(all))
	for i, m := range all {
		account, err := tx.Account(m.AccountID)
		if err != nil {
			return nil, err
		}
		list[i] = MemberInfo{m, account}
	}
	return list, err
}

// AddMember makes an account a member of a project; for its owners.
func (s *Projects) AddMember(ctx context.Context, a Actor, id, name string, role keystile.ProjectRole, rgwWrite bool) (member MemberInfo, err error) {
	err = s.inProject(ctx, a, "project.member.add", id, keystile.OwnerAccess, func(ch *change) error {
		var faults keystile.Faults
		if member.Account, err = ch.memberToBe(name, "account", &faults); err != nil {
			return err
		}
		checkProjectRole(role, &faults)
		if err := faults.Err(); err != nil {
			return err
		}
		member.Membership = keystile.Membership{
			ProjectID: id, AccountID: member.Account.ID, Role: role, RGWWrite: rgwWrite && role == keystile.ProjectMember, AddedAt: ch.now,
		}
		ch.tellMember(member)
		err := ch.Tx.AddMember(member.Membership)
		if errors.Is(err, keystile.ErrConflict) {
			return &Explained{"the project has " + name + " as a member already", err}
		}
		return err
	})
	return member, err
}

func checkProjectRole(role keystile.ProjectRole, faults *keystile.Faults) {
	if !role.Valid() {
		faults.Add("role", "must be owner or member")
	}
}

func (ch *change) tellMember(m MemberInfo) {
	ch.changed("account", "%s", m.Account.Name)
	ch.changed("role", "%s", m.Role)
	if m.RGWWrite {
		ch.changed("permissions", "%s", keystile.PermissionRGWWrite)
	}
}

// MemberEdit changes what is not nil. A new role without RGWWrite takes the
// permission away.
type MemberEdit struct {
	Role     *keystile.ProjectRole
	RGWWrite *bool
}

// UpdateMember changes a member's role and permission; for owners. The last
// owner who can act stays one.
func (s *Projects) UpdateMember(ctx context.Context, a Actor, id, name string, edit MemberEdit) (member MemberInfo, err error) {
	err = s.inProject(ctx, a, "project.member.update", id, keystile.OwnerAccess, func(ch *change) error {
		if member, err = ch.memberNamed(id, name); err != nil {
			return err
		}
		changed := member
		if edit.Role != nil {
			var faults keystile.Faults
			if checkProjectRole(*edit.Role, &faults); faults.Err() != nil {
				return faults.Err()
			}
			changed.Role, changed.RGWWrite = *edit.Role, false
		}
		if edit.RGWWrite != nil {
			changed.RGWWrite = *edit.RGWWrite
		}
		changed.RGWWrite = changed.RGWWrite && changed.Role == keystile.ProjectMember
		ch.tellMember(changed)
		if err := ch.anOwnerIsLeft(id, member, changed); err != nil {
			return err
		}
		member = changed
		return ch.Tx.UpdateMember(changed.Membership)
	})
	return member, err
}

// RemoveMember takes an account out of a project and revokes its API tokens that
// are bound to it; for owners. The last owner who can act stays.
func (s *Projects) RemoveMember(ctx context.Context, a Actor, id, name string) error {
	return s.inProject(ctx, a, "project.member.remove", id, keystile.OwnerAccess, func(ch *change) error {
		member, err := ch.memberNamed(id, name)
		if err != nil {
			return err
		}
		ch.changed("account", "%s", name)
		if err := ch.anOwnerIsLeft(id, member, MemberInfo{}); err != nil {
			return err
		}
		if err := ch.RevokeTokensIn(id, member.AccountID, ch.now); err != nil {
			return err
		}
		return ch.Tx.RemoveMember(id, member.AccountID)
	})
}

func (ch *change) memberNamed(id, name string) (member MemberInfo, err error) {
	if member.Account, err = ch.AccountByName(name); err != nil {
		return member, err
	}
	member.Membership, err = ch.Member(id, member.Account.ID)
	return member, err
}

// anOwnerIsLeft refuses to turn the last owner who can act into something less.
// Disabling and deleting accounts does not ask: cutting someone off comes first,
// and admins look after a project without an owner.
func (ch *change) anOwnerIsLeft(id string, was, becomes MemberInfo) error {
	if !actingOwner(was) || actingOwner(becomes) {
		return nil
	}
	all, err := members(ch, id)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.AccountID != was.AccountID && actingOwner(m) {
			return nil
		}
	}
	return explain(keystile.ErrConflict, "the project's last owner is %s: make another account an owner first", was.Account.Name)
}

func actingOwner(m MemberInfo) bool {
	return m.Role == keystile.ProjectOwner && m.Account.Role != keystile.RoleReadonly && m.Account.DisabledAt.IsZero()
}
