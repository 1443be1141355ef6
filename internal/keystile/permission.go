package keystile

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Permission is a set of rights that a grant gives on its bucket and prefix.
type Permission uint8

// The rights. ACL and BypassGovernance are rare and never implied by others.
const (
	Read             Permission = 1 << iota // get objects, their metadata, tags and attributes
	List                                    // list keys, versions and uploads
	Write                                   // put and copy objects, multipart uploads, tags
	Delete                                  // delete objects and versions
	ACL                                     // read and set object ACLs
	BypassGovernance                        // delete under governance retention
)

var permissionNames = []struct {
	bit  Permission
	name string
}{
	{Read, "read"}, {List, "list"}, {Write, "write"}, {Delete, "delete"},
	{ACL, "acl"}, {BypassGovernance, "bypass-governance"},
}

// Has reports whether p holds every right in q. The empty set holds nothing.
func (p Permission) Has(q Permission) bool { return q != 0 && p&q == q }

// Names lists the rights in their fixed order.
func (p Permission) Names() []string {
	names := []string{}
	for _, n := range permissionNames {
		if p&n.bit != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

func (p Permission) String() string { return strings.Join(p.Names(), ",") }

// ParsePermissions reads names such as "read" and "list". An unknown or
// repeated name is ErrInvalid.
func ParsePermissions(names []string) (Permission, error) {
	var p Permission
	for _, name := range names {
		bit, err := parsePermission(name)
		if err != nil {
			return 0, err
		}
		if p&bit != 0 {
			return 0, fmt.Errorf("permission %q is named twice: %w", name, ErrInvalid)
		}
		p |= bit
	}
	return p, nil
}

func parsePermission(name string) (Permission, error) {
	for _, n := range permissionNames {
		if n.name == name {
			return n.bit, nil
		}
	}
	return 0, fmt.Errorf("unknown permission %q (read, list, write, delete, acl, bypass-governance): %w", name, ErrInvalid)
}

// MarshalJSON writes the rights as a list of names.
func (p Permission) MarshalJSON() ([]byte, error) { return json.Marshal(p.Names()) }

// UnmarshalJSON reads a list of names.
func (p *Permission) UnmarshalJSON(b []byte) error {
	var names []string
	if err := json.Unmarshal(b, &names); err != nil {
		return err
	}
	parsed, err := ParsePermissions(names)
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
