package sqlstore

import (
	"strings"
	"time"

	"keystile/internal/keystile"
)

const projectColumns = `id, name, created_at, updated_at`

func scanProject(row scanner) (keystile.Project, error) {
	var p keystile.Project
	err := row.Scan(&p.ID, &p.Name, instant{&p.CreatedAt}, instant{&p.UpdatedAt})
	return p, err
}

func (t *tx) CreateProject(p keystile.Project) error {
	_, err := t.exec(`INSERT INTO projects (`+projectColumns+`, name_low) VALUES ($1, $2, $3, $4, $5)`,
		p.ID, p.Name, micros(p.CreatedAt), micros(p.UpdatedAt), strings.ToLower(p.Name))
	return about(err, "project %q", p.Name)
}

func (t *tx) Project(id string) (keystile.Project, error) {
	p, err := get(t, scanProject, `SELECT `+projectColumns+` FROM projects WHERE id = $1`, id)
	return p, about(err, "project %s", id)
}

func (t *tx) Projects() ([]keystile.Project, error) {
	all, err := list(t, scanProject, `SELECT `+projectColumns+` FROM projects ORDER BY name_low`)
	return all, about(err, "projects")
}

func (t *tx) ProjectsOf(accountID string) ([]keystile.Project, error) {
	all, err := list(t, scanProject, `SELECT `+projectColumns+` FROM projects
		WHERE id IN (SELECT project_id FROM project_members WHERE account_id = $1) ORDER BY name_low`, accountID)
	return all, about(err, "projects of account %s", accountID)
}

func (t *tx) UpdateProject(p keystile.Project) error {
	err := t.execOne(`UPDATE projects SET name = $1, name_low = $2, updated_at = $3 WHERE id = $4`,
		p.Name, strings.ToLower(p.Name), micros(p.UpdatedAt), p.ID)
	return about(err, "project %s", p.ID)
}

func (t *tx) DeleteProject(id string) error {
	return about(t.execOne(`DELETE FROM projects WHERE id = $1`, id), "project %s", id)
}

const memberColumns = `project_id, account_id, role, rgw_write, added_at`

func scanMembership(row scanner) (keystile.Membership, error) {
	var m keystile.Membership
	err := row.Scan(&m.ProjectID, &m.AccountID, &m.Role, &m.RGWWrite, instant{&m.AddedAt})
	return m, err
}

func (t *tx) AddMember(m keystile.Membership) error {
	_, err := t.exec(`INSERT INTO project_members (`+memberColumns+`) VALUES ($1, $2, $3, $4, $5)`,
		m.ProjectID, m.AccountID, m.Role, m.RGWWrite, micros(m.AddedAt))
	return about(err, "member %s of project %s", m.AccountID, m.ProjectID)
}

func (t *tx) Member(projectID, accountID string) (keystile.Membership, error) {
	m, err := get(t, scanMembership, `SELECT `+memberColumns+` FROM project_members
		WHERE project_id = $1 AND account_id = $2`, projectID, accountID)
	return m, about(err, "member %s of project %s", accountID, projectID)
}

func (t *tx) Members(projectID string) ([]keystile.Membership, error) {
	all, err := list(t, scanMembership, `SELECT `+memberColumns+` FROM project_members
		WHERE project_id = $1 ORDER BY added_at, account_id`, projectID)
	return all, about(err, "members of project %s", projectID)
}

func (t *tx) UpdateMember(m keystile.Membership) error {
	err := t.execOne(`UPDATE project_members SET role = $1, rgw_write = $2 WHERE project_id = $3 AND account_id = $4`,
		m.Role, m.RGWWrite, m.ProjectID, m.AccountID)
	return about(err, "member %s of project %s", m.AccountID, m.ProjectID)
}

func (t *tx) RemoveMember(projectID, accountID string) error {
	err := t.execOne(`DELETE FROM project_members WHERE project_id = $1 AND account_id = $2`, projectID, accountID)
	return about(err, "member %s of project %s", accountID, projectID)
}

func (t *tx) RevokeTokensIn(projectID, accountID string, at time.Time) error {
	_, err := t.exec(`UPDATE tokens SET revoked_at = $1
		WHERE project_id = $2 AND project_id <> '' AND ($3 = '' OR account_id = $3) AND revoked_at = 0`, micros(at), projectID, accountID)
	return about(err, "tokens in project %s", projectID)
}
