package control

import (
	"errors"
	"fmt"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// projectAccess tells what the actor may do in a project, as it is in this
// transaction: whoever acts on what a project holds asks here. An absent project
// is ErrNotFound. An actor whose API token is bound to a project has no access
// to others, and that of an owner at most to its own: what platform-admins do
// concerns more than one project.
func projectAccess(tx store.Tx, a Actor, projectID string) (keystile.ProjectAccess, error) {
	if a.ProjectID != "" && a.ProjectID != projectID {
		return keystile.NoAccess, nil
	}
	if _, err := tx.Project(projectID); err != nil {
		return keystile.NoAccess, err
	}
	member, err := tx.Member(projectID, a.Account.ID)
	if err != nil && !errors.Is(err, keystile.ErrNotFound) {
		return keystile.NoAccess, err
	}
	access := member.Access(a.Account.Role)
	if a.ProjectID != "" {
		access = min(access, keystile.OwnerAccess)
	}
	return access, nil
}

// needAccess refuses an actor who may do less in the project than is needed.
// Who has no access at all does not learn whether the project exists.
func needAccess(tx store.Tx, a Actor, projectID string, need keystile.ProjectAccess) (keystile.ProjectAccess, error) {
	access, err := projectAccess(tx, a, projectID)
	switch {
	case err != nil:
		return access, err
	case access == keystile.NoAccess:
		return access, fmt.Errorf("project %s: %w", projectID, errHidden)
	case access < need:
		return access, fmt.Errorf("project %s needs %s, has %s: %w", projectID, need, access, keystile.ErrDenied)
	}
	return access, nil
}
