package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"keystile/internal/client"
)

type projectCommands struct {
	APIFlags
	Create       projectCreate       `cmd:"" help:"Make a project."`
	List         projectList         `cmd:"" help:"List projects."`
	Show         projectShow         `cmd:"" help:"Show one project with its members."`
	Rename       projectRename       `cmd:"" help:"Give a project another name."`
	Delete       projectDelete       `cmd:"" help:"Delete a project; the API tokens that are bound to it end."`
	AddMember    projectAddMember    `cmd:"" help:"Make an account a member."`
	EditMember   projectEditMember   `cmd:"" help:"Change a member's role and permissions."`
	RemoveMember projectRemoveMember `cmd:"" help:"Take an account out of a project; its API tokens that are bound to the project end."`
}

// ProjectArg is the argument of commands about one project.
type ProjectArg struct {
	Project string `arg:"" help:"The project's name or id."`
}

// projectID finds the id behind a name; an id stands for itself.
func (c *caller) projectID(ctx context.Context, nameOrID string) (string, error) {
	if uuid.Validate(nameOrID) == nil {
		return nameOrID, nil
	}
	list, err := c.Projects(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range list {
		if strings.EqualFold(p.Name, nameOrID) {
			return p.ID, nil
		}
	}
	return "", fmt.Errorf("there is no project %q, or the account is not a member of it", nameOrID)
}

type projectCreate struct {
	Name  string `arg:"" help:"The project's name, unique in any case."`
	Owner string `help:"The account that owns it first. Default: the own one." placeholder:"ACCOUNT"`
}

// Run creates.
func (cmd projectCreate) Run(ctx context.Context, c *caller) error {
	made, err := c.CreateProject(ctx, client.NewProject{Name: cmd.Name, Owner: cmd.Owner})
	if err != nil {
		return err
	}
	return c.project(made)
}

func (c *caller) project(p client.Project) error {
	if c.json {
		return printJSON(c.con.out, p)
	}
	return projectFields(p).write(c.con.out)
}

func projectFields(p client.Project) *fields {
	var f fields
	f.add("Name", p.Name)
	f.add("ID", p.ID)
	f.add("Owners", strings.Join(p.Owners, ", "))
	f.add("Members", fmt.Sprint(p.Members))
	f.add("You may", p.Access)
	f.add("Created", shortTime(p.CreatedAt))
	return &f
}

type projectList struct{}

// Run lists.
func (projectList) Run(ctx context.Context, c *caller) error {
	list, err := c.Projects(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, list)
	}
	t := table{head: []string{"NAME", "OWNERS", "MEMBERS", "YOU MAY", "ID", "CREATED"}}
	for _, p := range list {
		t.add(p.Name, strings.Join(p.Owners, ", "), fmt.Sprint(p.Members), p.Access, p.ID, shortTime(p.CreatedAt))
	}
	return t.write(c.con.out, "No projects.")
}

type projectShow struct{ ProjectArg }

// Run shows one with its members.
func (cmd projectShow) Run(ctx context.Context, c *caller) error {
	id, err := c.projectID(ctx, cmd.Project)
	if err != nil {
		return err
	}
	found, err := c.Project(ctx, id)
	if err != nil {
		return err
	}
	members, err := c.Members(ctx, id)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.con.out, struct {
			client.Project
			Members []client.Member `json:"members"`
		}{found, members})
	}
	if err := projectFields(found).write(c.con.out); err != nil {
		return err
	}
	t := table{head: []string{"", "ACCOUNT", "ROLE", "MAY", "ADDED"}}
	for _, m := range members {
		t.add("", m.Account, m.Role, m.Access, shortTime(m.AddedAt))
	}
	if _, err := fmt.Fprintln(c.con.out); err != nil {
		return err
	}
	return t.write(c.con.out, "No members.")
}

type projectRename struct {
	ProjectArg
	Name string `arg:"" help:"The new name."`
}

// Run renames.
func (cmd projectRename) Run(ctx context.Context, c *caller) error {
	id, err := c.projectID(ctx, cmd.Project)
	if err != nil {
		return err
	}
	renamed, err := c.RenameProject(ctx, id, cmd.Name)
	if err != nil {
		return err
	}
	return c.project(renamed)
}

type projectDelete struct {
	ProjectArg
	Confirm
}

// Run deletes.
func (cmd projectDelete) Run(ctx context.Context, c *caller) error {
	id, err := c.projectID(ctx, cmd.Project)
	if err != nil {
		return err
	}
	if err := cmd.ask(c.con, "Delete the project "+cmd.Project+"? The API tokens that are bound to it end for good."); err != nil {
		return err
	}
	if err := c.DeleteProject(ctx, id); err != nil {
		return err
	}
	return c.done("Deleted %s.", cmd.Project)
}
