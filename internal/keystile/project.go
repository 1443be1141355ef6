package keystile

import (
	"strings"
	"time"
)

// MaxProjectNameRunes bounds the name of a project.
const MaxProjectNameRunes = 64

// Project groups accounts with what they share: RGW users, and API tokens that
// are good for nothing else.
type Project struct {
	ID        string // UUID
	Name      string // unique in any case
	CreatedAt time.Time
	UpdatedAt time.Time
}

// CheckProjectName bounds a project's name: one line without blanks around it.
func CheckProjectName(name string, faults *Faults) {
	before := len(*faults)
	CheckText("name", name, MaxProjectNameRunes, faults)
	if len(*faults) == before && strings.TrimSpace(name) != name {
		faults.Add("name", "must not begin or end with a blank")
	}
}

// ProjectRole is what an account is in a project.
type ProjectRole string

// The roles in a project. An owner manages its members.
const (
	ProjectOwner  ProjectRole = "owner"
	ProjectMember ProjectRole = "member"
)

// Valid reports whether r is one of the roles.
func (r ProjectRole) Valid() bool { return r == ProjectOwner || r == ProjectMember }

// PermissionRGWWrite lets a member change the project's RGW users, their
// buckets and objects. Owners may without it.
const PermissionRGWWrite = "rgw:write"

// Membership is an account's place in a project.
type Membership struct {
	ProjectID string
	AccountID string
	Role      ProjectRole
	RGWWrite  bool // has PermissionRGWWrite; never set for an owner, who needs none
	AddedAt   time.Time
}

// ProjectAccess is what someone may do in a project. Each level may do all that
// the ones below it may, so that levels are compared with < and >=.
type ProjectAccess int

// The levels. Without access the project is not found.
const (
	NoAccess    ProjectAccess = iota
	ReadAccess                // sees the project and what it holds
	WriteAccess               // changes RGW users, their buckets and objects
	OwnerAccess               // manages members too
	AdminAccess               // sets quotas and locks too: a platform-admin
)

// String is the level as clients read it.
func (a ProjectAccess) String() string {
	switch a {
	case ReadAccess:
		return "read"
	case WriteAccess:
		return "write"
	case OwnerAccess:
		return "owner"
	case AdminAccess:
		return "admin"
	}
	return "none"
}

// Access is what the membership gives to an account of the role, where it is
// not zero. A readonly account sees what it is a member of and changes nothing.
func (m Membership) Access(role Role) ProjectAccess {
	switch {
	case role == RoleAdmin:
		return AdminAccess
	case !role.Valid() || !m.Role.Valid():
		return NoAccess
	case role == RoleReadonly:
		return ReadAccess
	case m.Role == ProjectOwner:
		return OwnerAccess
	case m.RGWWrite:
		return WriteAccess
	}
	return ReadAccess
}
