package s3wire_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"keystile/internal/s3wire"
)

const (
	myID = "0123abcd"
	xsi  = ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`
)

func canonicalUser(id string) string {
	return grantOf("CanonicalUser", "<ID>"+id+"</ID><DisplayName>n</DisplayName>", "FULL_CONTROL")
}

func group(name string) string {
	return grantOf("Group", "<URI>http://acs.amazonaws.com/groups/"+name+"</URI>", "READ")
}

func grantOf(xsiType, who, right string) string {
	return "<Grant><Grantee" + xsi + ` xsi:type="` + xsiType + `">` + who + "</Grantee><Permission>" + right + "</Permission></Grant>"
}

func policyOf(owner, grants string) string {
	return "<AccessControlPolicy" + ns + "><Owner><ID>" + owner + "</ID></Owner><AccessControlList>" + grants + "</AccessControlList></AccessControlPolicy>"
}

func TestAccessPolicies(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		grants     int // -1: refused
	}{
		{"the owner alone", policyOf(myID, canonicalUser(myID)), 1},
		{"no grant at all", policyOf(myID, ""), 0},
		{"a group", policyOf(myID, canonicalUser(myID)+group("global/AllUsers")), 2},
		{"an e-mail address", policyOf(myID, grantOf("AmazonCustomerByEmail", "<EmailAddress>a@example.org</EmailAddress>", "READ")), 1},
		{"the namespace at the root", strings.Replace(policyOf(myID, ""), ns, ns+xsi, 1), 0},
		{"an unknown group", policyOf(myID, group("global/Nobody")), -1},
		{"an unknown type", policyOf(myID, grantOf("Role", "<ID>x</ID>", "READ")), -1},
		{"the element of another type", policyOf(myID, grantOf("Group", "<ID>x</ID>", "READ")), -1},
		{"an unknown right", policyOf(myID, grantOf("CanonicalUser", "<ID>x</ID>", "OWN")), -1},
		{"an empty id", policyOf(myID, grantOf("CanonicalUser", "<ID></ID>", "READ")), -1},
		{"a quote in an id", policyOf(myID, grantOf("CanonicalUser", "<ID>a&quot;</ID>", "READ")), -1},
		{"two owners", strings.Replace(policyOf(myID, ""), "<Owner>", "<Owner><ID>x</ID></Owner><Owner>", 1), -1},
		{"two ids", policyOf(myID, grantOf("CanonicalUser", "<ID>a</ID><ID>b</ID>", "READ")), -1},
		{"two grantees", policyOf(myID, "<Grant><Grantee/><Grantee/><Permission>READ</Permission></Grant>"), -1},
		{"no owner", "<AccessControlPolicy><AccessControlList/></AccessControlPolicy>", -1},
		{"an owner without an id", policyOf("", ""), -1},
		{"a type without its namespace", policyOf(myID, `<Grant><Grantee type="Group"><URI>u</URI></Grantee><Permission>READ</Permission></Grant>`), -1},
		{"another attribute", policyOf(myID, `<Grant a="b"/>`), -1},
		{"too many", policyOf(myID, strings.Repeat(canonicalUser("x"), 101)), -1},
		{"another document", "<Tagging/>", -1},
		{"a document type", `<!DOCTYPE a>` + policyOf(myID, ""), -1},
	} {
		policy, err := s3wire.ParseAccessPolicy([]byte(tt.body))
		switch {
		case tt.grants < 0:
			if err == nil || s3wire.AsError(err).Status != http.StatusBadRequest {
				t.Errorf("%s: %v", tt.name, err)
			}
		case err != nil || len(policy.Grants) != tt.grants || policy.Owner != myID:
			t.Errorf("%s: %+v %v", tt.name, policy, err)
		}
	}
}

func TestAnAccountIsReplacedAsOwnerAndGrantee(t *testing.T) {
	policy, err := s3wire.ParseAccessPolicy([]byte(policyOf(myID, canonicalUser(myID)+canonicalUser("other"))))
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(policy.Grants)
	policy.Owner, policy.Grants = "real", s3wire.ReplaceAccount(policy.Grants, myID, "real")
	if before[0].Value != myID {
		t.Error("the original was changed")
	}
	again, err := s3wire.ParseAccessAnswer(policy.Marshal("the name"))
	if err != nil || again.Owner != "real" || again.Grants[0].Value != "real" || again.Grants[1].Value != "other" {
		t.Errorf("%+v %v", again, err)
	}
	if n := strings.Count(string(policy.Marshal("the name")), "<DisplayName>the name</DisplayName>"); n != 2 {
		t.Errorf("the owner's name stands %d times", n)
	}
}

func TestACLHeaders(t *testing.T) {
	for _, tt := range []struct {
		name, headers string
		needs         bool
		code          string
		out           http.Header
	}{
		{"nothing", "", false, "", http.Header{}},
		{"private", "x-amz-acl: private", false, "", http.Header{"X-Amz-Acl": {"private"}}},
		{"public", "x-amz-acl: public-read", true, "", http.Header{"X-Amz-Acl": {"public-read"}}},
		{"an unknown one", "x-amz-acl: all", false, "InvalidArgument", nil},
		{"a bucket's", "x-amz-acl: log-delivery-write", false, "InvalidArgument", nil},
		{
			"grants", `x-amz-grant-read: id="b", ID=a,uri="http://acs.amazonaws.com/groups/global/AllUsers"`, true, "",
			http.Header{"X-Amz-Grant-Read": {`id="a", id="b", uri="http://acs.amazonaws.com/groups/global/AllUsers"`}},
		},
		{"an unknown group", `x-amz-grant-read: uri="http://example.org"`, false, "InvalidArgument", nil},
		{"an unknown kind", `x-amz-grant-read: role="x"`, false, "InvalidArgument", nil},
		{"a bare word", `x-amz-grant-read: everyone`, false, "InvalidArgument", nil},
		{"an open quote", `x-amz-grant-read: id="x`, false, "InvalidArgument", nil},
		{"an empty one", `x-amz-grant-read:`, false, "InvalidArgument", nil},
		{"both kinds", "x-amz-acl: private\nx-amz-grant-read: id=\"x\"", false, "InvalidRequest", nil},
		{"two of one", "x-amz-grant-read: id=\"x\"\nx-amz-grant-read: id=\"y\"", false, "InvalidArgument", nil},
		{"a right over the bucket", `x-amz-grant-write: id="x"`, false, "NotImplemented", nil},
	} {
		r, err := tryRead("PUT /photos/a", tt.headers)
		if err != nil {
			t.Fatal(err)
		}
		req, err := s3wire.Parse(r)
		if tt.code != "" {
			if err == nil || s3wire.AsError(err).Code != tt.code {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		out := http.Header{}
		s3wire.SetACLHeaders(out, req.CannedACL, req.ACLGrants)
		if err != nil || req.NeedsACL() != tt.needs || len(out) != len(tt.out) {
			t.Errorf("%s: %v, needs %v, %v", tt.name, err, req.NeedsACL(), out)
		}
		for name := range tt.out {
			if out.Get(name) != tt.out.Get(name) {
				t.Errorf("%s: %s", tt.name, out.Get(name))
			}
		}
	}
}

// FuzzACLHeaders: what is accepted is written in one form, and read back the
// same.
func FuzzACLHeaders(f *testing.F) {
	for _, s := range []string{`id="a", uri=http://acs.amazonaws.com/groups/global/AllUsers`, `emailAddress="a@b"`, `id="a,b"`, `ID = "a"`, `id=a=b`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		read := func(value string) (s3wire.Request, error) {
			r, err := tryRead("PUT /photos/a?acl", "x-amz-grant-read: "+value)
			if err != nil {
				return s3wire.Request{}, err
			}
			return s3wire.Parse(r)
		}
		req, err := read(value)
		if err != nil || len(req.ACLGrants) == 0 {
			return
		}
		out := http.Header{}
		s3wire.SetACLHeaders(out, req.CannedACL, req.ACLGrants)
		again, err := read(out.Get("X-Amz-Grant-Read"))
		if err != nil || len(out) != 1 {
			t.Fatalf("%q is written as %v, %v", value, out, err)
		}
		for _, g := range req.ACLGrants {
			if !slices.Contains(again.ACLGrants, g) || len(again.ACLGrants) != len(req.ACLGrants) {
				t.Fatalf("%+v is read back as %+v", req.ACLGrants, again.ACLGrants)
			}
		}
	})
}
