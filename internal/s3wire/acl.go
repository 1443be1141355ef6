package s3wire

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// privateACL is the canned ACL that every object has anyway.
const privateACL = "private"

// cannedACLs are the values of x-amz-acl for objects (S3 User Guide, "Canned
// ACL").
var cannedACLs = []string{
	privateACL, "public-read", "public-read-write", "authenticated-read", "aws-exec-read",
	"bucket-owner-read", "bucket-owner-full-control",
}

// rightsByHeader are the x-amz-grant- headers and the right that each gives.
var rightsByHeader = map[string]string{
	"X-Amz-Grant-Full-Control": "FULL_CONTROL",
	"X-Amz-Grant-Read":         "READ",
	"X-Amz-Grant-Read-Acp":     "READ_ACP",
	"X-Amz-Grant-Write":        "WRITE",
	"X-Amz-Grant-Write-Acp":    "WRITE_ACP",
}

// granteeGroups are the groups that S3 knows.
var granteeGroups = []string{
	"http://acs.amazonaws.com/groups/global/AllUsers",
	"http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
	"http://acs.amazonaws.com/groups/s3/LogDelivery",
}

// maxGrants is S3's limit on the grants of one ACL.
const maxGrants = 100

// Grantee is who is given a right: an account by its canonical user id, by its
// e-mail address, or a group by its URI.
type Grantee struct {
	Kind  string // id, emailAddress or uri, as the headers have it
	Value string
}

// granteeKinds are the kinds with their names in XML: the type, and the element
// that has the value.
var granteeKinds = []struct{ kind, xsiType, element string }{
	{"id", "CanonicalUser", "ID"},
	{"emailAddress", "AmazonCustomerByEmail", "EmailAddress"},
	{"uri", "Group", "URI"},
}

func (g Grantee) check() error {
	if g.Value == "" || len(g.Value) > 1024 || !isText(g.Value) || strings.ContainsAny(g.Value, "\"\r\n") {
		return InvalidArgument.With("A grantee is not valid.")
	}
	if g.Kind == "uri" && !slices.Contains(granteeGroups, g.Value) {
		return InvalidArgument.With("The group %q is not known.", clip(g.Value))
	}
	return nil
}

// AccessGrant is one line of an ACL.
type AccessGrant struct {
	Grantee
	Right string // READ, WRITE, READ_ACP, WRITE_ACP or FULL_CONTROL
}

// AccessPolicy is an ACL as XML has it.
type AccessPolicy struct {
	Owner  string // canonical user id
	Grants []AccessGrant
}

// NeedsACL reports whether the request's headers give anybody a right on the
// object that nobody has by itself.
func (r *Request) NeedsACL() bool {
	return len(r.ACLGrants) > 0 || r.CannedACL != "" && r.CannedACL != privateACL
}

// PrivateACL reports whether all that the headers ask for is what holds anyway.
func (r *Request) PrivateACL() bool { return r.CannedACL == privateACL }

// readACL takes the ACL headers out.
func (r *Request) readACL() error {
	r.CannedACL = r.take("X-Amz-Acl")
	if r.CannedACL != "" && !slices.Contains(cannedACLs, r.CannedACL) {
		return InvalidArgument.With("The canned ACL %q is not known.", clip(r.CannedACL))
	}
	for name, right := range rightsByHeader {
		if _, ok := r.Header[name]; !ok {
			continue
		}
		grantees, err := parseGrantees(r.take(name))
		if err != nil {
			return err
		}
		for _, g := range grantees {
			r.ACLGrants = append(r.ACLGrants, AccessGrant{g, right})
		}
	}
	switch {
	case len(r.ACLGrants) > maxGrants:
		return InvalidArgument.With("An ACL has at most %d grants.", maxGrants)
	case r.CannedACL != "" && len(r.ACLGrants) > 0:
		return InvalidRequest.With("A canned ACL and grants cannot be given at once.")
	}
	return nil
}

// parseGrantees reads kind="value", kind="value" … The quotes may lack.
func parseGrantees(value string) ([]Grantee, error) {
	var list []Grantee
	for item := range strings.SplitSeq(value, ",") {
		kind, text, ok := strings.Cut(strings.TrimSpace(item), "=")
		kind, text = strings.TrimSpace(kind), strings.TrimSpace(text)
		if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
			text = text[1 : len(text)-1]
		}
		g := Grantee{Value: text}
		for _, k := range granteeKinds {
			if strings.EqualFold(k.kind, kind) {
				g.Kind = k.kind
			}
		}
		if !ok || g.Kind == "" {
			return nil, InvalidArgument.With("A grantee is given as id, emailAddress or uri.")
		}
		if err := g.check(); err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	return list, nil
}

// SetACLHeaders writes canned ACL and grants in their one form.
func SetACLHeaders(h http.Header, canned string, grants []AccessGrant) {
	if canned != "" {
		h.Set("X-Amz-Acl", canned)
	}
	for name, right := range rightsByHeader {
		var list []string
		for _, g := range grants {
			if g.Right == right {
				list = append(list, g.Kind+`="`+g.Value+`"`)
			}
		}
		if len(list) > 0 {
			slices.Sort(list)
			h.Set(name, strings.Join(list, ", "))
		}
	}
}

// GrantsTo reports whether one of the request's ACL headers names the account.
func (r *Request) GrantsTo(id string) bool {
	return slices.ContainsFunc(r.ACLGrants, func(g AccessGrant) bool { return g.Kind == "id" && g.Value == id })
}

// ReplaceAccount returns the grants with one account's id in the place of
// another's.
func ReplaceAccount(grants []AccessGrant, from, to string) []AccessGrant {
	replaced := slices.Clone(grants)
	for i, g := range replaced {
		if g.Kind == "id" && g.Value == from {
			replaced[i].Value = to
		}
	}
	return replaced
}

// ParseAccessPolicy reads a PutObjectAcl body strictly.
func ParseAccessPolicy(body []byte) (AccessPolicy, error) {
	root, err := parseXML(body, strict)
	if err != nil {
		return AccessPolicy{}, malformed(err)
	}
	policy, err := root.accessPolicy()
	if err != nil {
		return AccessPolicy{}, err
	}
	for _, g := range policy.Grants {
		if err := g.check(); err != nil {
			return AccessPolicy{}, err
		}
	}
	return policy, nil
}

// ParseAccessAnswer reads a backend's answer to GetObjectAcl.
func ParseAccessAnswer(body []byte) (AccessPolicy, error) {
	root, err := parseXML(body, lenient)
	if err != nil {
		return AccessPolicy{}, err
	}
	policy, err := root.accessPolicy()
	if err != nil {
		return AccessPolicy{}, fmt.Errorf("%w: the ACL is not one: %w", errXML, err)
	}
	return policy, nil
}

func (n *node) accessPolicy() (AccessPolicy, error) {
	var policy AccessPolicy
	if n.name != "AccessControlPolicy" || len(n.children) != 2 {
		return policy, malformed(nil)
	}
	for _, c := range n.children {
		switch c.name {
		case "Owner":
			f, err := c.fields("ID", "DisplayName")
			if err != nil || f["ID"] == "" || policy.Owner != "" {
				return policy, malformed(err)
			}
			policy.Owner = f["ID"]
		case "AccessControlList":
			if len(c.children) > maxGrants || policy.Grants != nil {
				return policy, malformed(nil)
			}
			for _, line := range c.children {
				grant, err := line.accessGrant()
				if err != nil {
					return policy, err
				}
				policy.Grants = append(policy.Grants, grant)
			}
		default:
			return policy, malformed(nil)
		}
	}
	if policy.Owner == "" {
		return policy, malformed(nil)
	}
	return policy, nil
}

func (n *node) accessGrant() (AccessGrant, error) {
	if n.name != "Grant" || len(n.children) != 2 {
		return AccessGrant{}, malformed(nil)
	}
	var grant AccessGrant
	for _, c := range n.children {
		switch {
		case c.name == "Grantee" && grant.Kind == "":
			for _, k := range granteeKinds {
				if k.xsiType == c.xsiType {
					f, err := c.fields(k.element, "DisplayName")
					if err != nil {
						return AccessGrant{}, malformed(err)
					}
					grant.Grantee = Grantee{k.kind, f[k.element]}
				}
			}
		case c.name == "Permission" && grant.Right == "" && len(c.children) == 0:
			grant.Right = c.text
		default:
			return AccessGrant{}, malformed(nil)
		}
	}
	if grant.Kind == "" || !isRight(grant.Right) {
		return AccessGrant{}, malformed(nil)
	}
	return grant, nil
}

func isRight(s string) bool {
	for _, right := range rightsByHeader {
		if s == right {
			return true
		}
	}
	return false
}

const xsiNamespace = "http://www.w3.org/2001/XMLSchema-instance"

// Marshal renders the policy. The owner's name stands wherever its id does; it
// may be empty.
func (p AccessPolicy) Marshal(ownerName string) []byte {
	doc := &document{}
	doc.open("AccessControlPolicy", xmlNamespace)
	doc.open("Owner", "")
	doc.text("ID", p.Owner)
	doc.optional("DisplayName", ownerName)
	doc.close("Owner")
	doc.open("AccessControlList", "")
	for _, g := range p.Grants {
		doc.open("Grant", "")
		for _, k := range granteeKinds {
			if k.kind != g.Kind {
				continue
			}
			doc.buf.WriteString(`<Grantee xmlns:xsi="` + xsiNamespace + `" xsi:type="` + k.xsiType + `">`)
			doc.text(k.element, g.Value)
			if g.Kind == "id" && g.Value == p.Owner {
				doc.optional("DisplayName", ownerName)
			}
			doc.close("Grantee")
		}
		doc.text("Permission", g.Right)
		doc.close("Grant")
	}
	doc.close("AccessControlList")
	doc.close("AccessControlPolicy")
	return doc.bytes()
}
