package keystile_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"keystile/internal/keystile"
)

const rl = keystile.Read | keystile.List

func bucket(name string) keystile.Bucket { return keystile.Bucket{Backend: "prod", Name: name} }

func TestParseGrant(t *testing.T) {
	for _, tt := range []struct {
		text  string
		exact bool
		want  keystile.Grant
	}{
		{"prod/photos:read", false, keystile.Grant{Bucket: bucket("photos"), Permission: keystile.Read}},
		{"prod/photos:read,list", false, keystile.Grant{Bucket: bucket("photos"), Permission: rl}},
		{"prod/photos:list,read", false, keystile.Grant{Bucket: bucket("photos"), Permission: rl}},
		{"prod/photos:read@pics", false, keystile.Grant{Bucket: bucket("photos"), Permission: keystile.Read, Alias: "pics"}},
		{"prod/photos/2026:read", false, keystile.Grant{Bucket: bucket("photos"), Permission: keystile.Read, Prefix: "2026/"}},
		{"prod/photos/2026/:read", false, keystile.Grant{Bucket: bucket("photos"), Permission: keystile.Read, Prefix: "2026/"}},
		{"prod/photos/2026:read", true, keystile.Grant{Bucket: bucket("photos"), Permission: keystile.Read, Prefix: "2026"}},
		{"prod/photos/a:b/c:write,delete", false, keystile.Grant{
			Bucket: bucket("photos"), Permission: keystile.Write | keystile.Delete, Prefix: "a:b/c/",
		}},
		{"prod/photos/me@home:read", false, keystile.Grant{Bucket: bucket("photos"), Permission: keystile.Read, Prefix: "me@home/"}},
		{"prod/photos/a b,c:acl,bypass-governance", true, keystile.Grant{
			Bucket: bucket("photos"), Permission: keystile.ACL | keystile.BypassGovernance, Prefix: "a b,c",
		}},
		{"prod/photos/read:read@pics", true, keystile.Grant{
			Bucket: bucket("photos"), Permission: keystile.Read, Prefix: "read", Alias: "pics",
		}},
	} {
		got, err := keystile.ParseGrant(tt.text, tt.exact)
		if err != nil || got != tt.want {
			t.Errorf("%q, exact %v: %+v, %v", tt.text, tt.exact, got, err)
			continue
		}
		if again, err := keystile.ParseGrant(got.String(), true); err != nil || again != got {
			t.Errorf("%q reads back as %+v, %v", got, again, err)
		}
	}
}

func TestParseGrantRefuses(t *testing.T) {
	for _, text := range []string{
		"", ":", "prod", "prod/photos", "prod/photos:", "prod/photos:,", "prod/photos:read,", "prod/photos:,read",
		"prod/photos:READ", "prod/photos:read list", "prod/photos:read, list", "prod/photos:all", "prod/photos:*",
		"prod/photos:read,read", "prod/photos:read;list", "prod/photos:read@", "prod/photos:@pics",
		"/photos:read", "prod/:read", "prod:read", "/:read", "//:read", "photos:read",
		"prod/photos/:read", // an empty variable must not open the whole bucket
		"prod/photos:read@a:b",
	} {
		if got, err := keystile.ParseGrant(text, false); !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestColonsBelongToThePrefix(t *testing.T) {
	g, err := keystile.ParseGrant("prod/photos:read:list", false)
	must(t, err)
	if err := keystile.CheckGrants([]keystile.Grant{g}); !errors.Is(err, keystile.ErrInvalid) {
		t.Errorf("two lists of permissions make %+v, %v", g, err)
	}
}

func FuzzParseGrant(f *testing.F) {
	for _, s := range []string{"prod/photos:read", "a/b/c:d:read,list@x", "p/b/\xff:read", "p/b/p/:write@", "p//x:read"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, exact bool) {
		g, err := keystile.ParseGrant(text, exact)
		if err != nil {
			if !errors.Is(err, keystile.ErrInvalid) {
				t.Fatalf("%v is no ErrInvalid", err)
			}
			return
		}
		if g.Permission == 0 || g.Bucket.Backend == "" || g.Bucket.Name == "" {
			t.Fatalf("%q gives %+v", text, g)
		}
		if !exact && g.Prefix != "" && !strings.HasSuffix(g.Prefix, "/") {
			t.Fatalf("prefix %q has no slash", g.Prefix)
		}
		if keystile.CheckGrants([]keystile.Grant{g}) != nil {
			return
		}
		again, err := keystile.ParseGrant(g.String(), true)
		if err != nil || again != g {
			t.Fatalf("%+v is written %q and read back as %+v, %v", g, g, again, err)
		}
	})
}

func TestCheckGrantsAccepts(t *testing.T) {
	many := make([]keystile.Grant, 1000)
	for i := range many {
		many[i] = keystile.Grant{Bucket: bucket(fmt.Sprintf("b%04d", i)), Permission: keystile.Read}
	}
	for name, grants := range map[string][]keystile.Grant{
		"two prefixes of one bucket": {
			{Bucket: bucket("a-1"), Permission: rl, Prefix: "x/"}, {Bucket: bucket("a-1"), Permission: keystile.Write, Prefix: "y/"},
		},
		"two aliases of one bucket": {
			{Bucket: bucket("a-1"), Permission: rl, Alias: "one"}, {Bucket: bucket("a-1"), Permission: rl, Alias: "two"},
		},
		"same name on two backends, one aliased": {
			{Bucket: bucket("a-1"), Permission: rl}, {Bucket: keystile.Bucket{Backend: "old", Name: "a-1"}, Permission: rl, Alias: "a-1-old"},
		},
		"an alias that shows a prefix, by two grants, beside the bucket itself": {
			{Bucket: bucket("a-1"), Permission: rl, Prefix: "x/", Alias: "one"}, {Bucket: bucket("a-1"), Permission: keystile.Write, Prefix: "x/", Alias: "one"},
			{Bucket: bucket("a-1"), Permission: rl},
		},
		"an alias that shows a prefix under the bucket's own name": {
			{Bucket: bucket("a-1"), Permission: rl, Prefix: "x/", Alias: "a-1"},
		},
		"two prefixes under two aliases": {
			{Bucket: bucket("a-1"), Permission: rl, Prefix: "x/", Alias: "one"}, {Bucket: bucket("a-1"), Permission: rl, Prefix: "y/", Alias: "two"},
		},
		"an alias that is another's real name where that one has an alias": {
			{Bucket: bucket("a-1"), Permission: rl, Alias: "b-1"}, {Bucket: bucket("b-1"), Permission: rl, Alias: "a-1"},
		},
		"an old name":       {{Bucket: bucket("Old_Name"), Permission: rl}},
		"an exact prefix":   {{Bucket: bucket("a-1"), Permission: rl, Prefix: "log-"}},
		"a thousand grants": many,
	} {
		if err := keystile.CheckGrants(grants); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckGrantsRefuses(t *testing.T) {
	good := keystile.Grant{Bucket: bucket("photos"), Permission: rl}
	for _, tt := range []struct {
		name   string
		change func(*keystile.Grant)
		field  string
	}{
		{"no backend", func(g *keystile.Grant) { g.Bucket.Backend = "" }, "grants[1].backend"},
		{"no bucket", func(g *keystile.Grant) { g.Bucket.Name = "" }, "grants[1].bucket"},
		{"a reserved bucket", func(g *keystile.Grant) { g.Bucket.Name = "admin" }, "grants[1].bucket"},
		{"a reserved bucket in capitals", func(g *keystile.Grant) { g.Bucket.Name = "Swift" }, "grants[1].bucket"},
		{"a bucket with a slash", func(g *keystile.Grant) { g.Bucket.Name = "a/b" }, "grants[1].bucket"},
		{"no permission", func(g *keystile.Grant) { g.Permission = 0 }, "grants[1].permissions"},
		{"a prefix too long", func(g *keystile.Grant) { g.Prefix = strings.Repeat("p", 1025) }, "grants[1].prefix"},
		{"a prefix not UTF-8", func(g *keystile.Grant) { g.Prefix = "a\xff/" }, "grants[1].prefix"},
		{"a prefix with a NUL", func(g *keystile.Grant) { g.Prefix = "a\x00/" }, "grants[1].prefix"},
		{"a dotted prefix", func(g *keystile.Grant) { g.Prefix = "a/../b/" }, "grants[1].prefix"},
		{"a prefix that begins with a slash", func(g *keystile.Grant) { g.Prefix = "/a/" }, "grants[1].prefix"},
		{"a prefix with an empty segment", func(g *keystile.Grant) { g.Prefix = "a//" }, "grants[1].prefix"},
		{"a lone slash as prefix", func(g *keystile.Grant) { g.Prefix = "/" }, "grants[1].prefix"},
		{"an alias in capitals", func(g *keystile.Grant) { g.Alias = "Pics" }, "grants[1].alias"},
		{"an alias that is reserved", func(g *keystile.Grant) { g.Alias = "minio" }, "grants[1].alias"},
		{"an alias that is the gateway's", func(g *keystile.Grant) { g.Alias = "-" }, "grants[1].alias"},
		{"an alias that hides a prefix without room for keys", func(g *keystile.Grant) { g.Alias, g.Prefix = "pics", strings.Repeat("p", 1024) }, "grants[1].prefix"},
		{"an alias that is the name of a bucket whose prefix is not hidden", func(g *keystile.Grant) { g.Alias, g.Prefix = "photos", "2026/" }, "grants[1].alias"},
		{"the name of another bucket", func(g *keystile.Grant) { g.Bucket.Name, g.Alias = "other", "photos" }, "grants[1].alias"},
		{"the same name on another backend", func(g *keystile.Grant) { g.Bucket.Backend = "old" }, "grants[1].alias"},
	} {
		second := good
		tt.change(&second)
		err := keystile.CheckGrants([]keystile.Grant{good, second})
		if !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := fields(t, err); !slices.Contains(got, tt.field) {
			t.Errorf("%s: faults of %v, want %s", tt.name, got, tt.field)
		}
	}
	if err := keystile.CheckGrants(nil); !errors.Is(err, keystile.ErrInvalid) {
		t.Errorf("no grant at all: %v", err)
	}
	if err := keystile.CheckGrants(make([]keystile.Grant, 1001)); !errors.Is(err, keystile.ErrInvalid) {
		t.Errorf("1001 grants: %v", err)
	}
}

func TestCheckGrantsReportsEveryFault(t *testing.T) {
	err := keystile.CheckGrants([]keystile.Grant{
		{Bucket: keystile.Bucket{Name: "admin"}, Prefix: "a//b", Alias: "X"},
		{Bucket: bucket("fine"), Permission: rl},
		{Bucket: bucket("x")},
	})
	want := []string{
		"grants[0].backend", "grants[0].bucket", "grants[0].permissions", "grants[0].prefix", "grants[0].alias",
		"grants[2].bucket", "grants[2].permissions",
	}
	if got := fields(t, err); !slices.Equal(got, want) {
		t.Errorf("faults of %v, want %v", got, want)
	}
	if text := err.Error(); strings.Contains(text, ": invalid") || !strings.Contains(text, "grants[2].bucket: ") {
		t.Errorf("reads %q", text)
	}
}

func fields(t *testing.T, err error) []string {
	t.Helper()
	var faults keystile.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("%v has no faults", err)
	}
	var names []string
	for _, f := range faults {
		names = append(names, f.Field)
		if f.Message == "" {
			t.Errorf("%s has no message", f.Field)
		}
	}
	return names
}

func TestGrantAllows(t *testing.T) {
	const object, prefix, whole = keystile.TargetObject, keystile.TargetPrefix, keystile.TargetBucket
	grant := keystile.Grant{Bucket: bucket("photos"), Prefix: "2026/", Permission: rl}
	for _, tt := range []struct {
		name       string
		permission keystile.Permission
		bucket     keystile.Bucket
		target     keystile.Target
		key        string
		want       bool
	}{
		{"inside the prefix", keystile.Read, bucket("photos"), object, "2026/a.jpg", true},
		{"the folder itself", keystile.Read, bucket("photos"), object, "2026/", true},
		{"deep inside", keystile.Read, bucket("photos"), object, "2026/a/b/c", true},
		{"listing exactly the prefix", keystile.List, bucket("photos"), prefix, "2026/", true},
		{"listing a longer prefix", keystile.List, bucket("photos"), prefix, "2026/a", true},
		{"the bucket's existence", keystile.List, bucket("photos"), whole, "", true},
		{"two rights at once", rl, bucket("photos"), prefix, "2026/", true},

		{"slash ends the prefix", keystile.Read, bucket("photos"), object, "20260/a.jpg", false},
		{"without the slash", keystile.Read, bucket("photos"), object, "2026", false},
		{"other case", keystile.Read, bucket("photos"), object, "2026/"[:4] + "\\a", false},
		{"key before the prefix", keystile.Read, bucket("photos"), object, "a/2026/a.jpg", false},
		{"slash first", keystile.Read, bucket("photos"), object, "/2026/a.jpg", false},
		{"encoded slash", keystile.Read, bucket("photos"), object, "2026%2Fa.jpg", false},
		{"empty key", keystile.Read, bucket("photos"), object, "", false},
		{"listing everything", keystile.List, bucket("photos"), prefix, "", false},
		{"listing a shorter prefix", keystile.List, bucket("photos"), prefix, "2026", false},
		{"listing beside", keystile.List, bucket("photos"), prefix, "2025/", false},
		{"other bucket", keystile.Read, bucket("payroll"), object, "2026/a.jpg", false},
		{"other bucket's existence", keystile.List, bucket("payroll"), whole, "", false},
		{"same name on another backend", keystile.Read, keystile.Bucket{Backend: "old", Name: "photos"}, object, "2026/a.jpg", false},
		{"read is not write", keystile.Write, bucket("photos"), object, "2026/a.jpg", false},
		{"read is not delete", keystile.Delete, bucket("photos"), object, "2026/a.jpg", false},
		{"read is not acl", keystile.ACL, bucket("photos"), object, "2026/a.jpg", false},
		{"read is not bypassing retention", keystile.BypassGovernance, bucket("photos"), object, "2026/a.jpg", false},
		{"one of two rights is not both", keystile.Read | keystile.Write, bucket("photos"), object, "2026/a.jpg", false},
		{"no right asked", 0, bucket("photos"), object, "2026/a.jpg", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			need := keystile.Need{Permission: tt.permission, Bucket: tt.bucket, Target: tt.target, Name: tt.key}
			if got := grant.Allows(need); got != tt.want {
				t.Errorf("Allows(%v) = %v, want %v", need, got, tt.want)
			}
		})
	}
}

func TestGrantWithoutPermissionAllowsNothing(t *testing.T) {
	grant := keystile.Grant{Bucket: bucket("photos")}
	for _, target := range []keystile.Target{keystile.TargetObject, keystile.TargetPrefix, keystile.TargetBucket} {
		for p := range keystile.Permission(64) {
			if grant.Allows(keystile.Need{Permission: p, Bucket: bucket("photos"), Target: target, Name: "k"}) {
				t.Errorf("allows %v on target %d", p, target)
			}
		}
	}
}

func TestPermissions(t *testing.T) {
	all := []string{"read", "list", "write", "delete", "acl", "bypass-governance"}
	p, err := keystile.ParsePermissions(all)
	must(t, err)
	if !slices.Equal(p.Names(), all) || p.String() != strings.Join(all, ",") {
		t.Errorf("named %v", p.Names())
	}
	for i, a := range all {
		one, err := keystile.ParsePermissions([]string{a})
		must(t, err)
		for j, b := range all {
			other, _ := keystile.ParsePermissions([]string{b})
			if one.Has(other) != (i == j) {
				t.Errorf("%s.Has(%s) = %v", a, b, one.Has(other))
			}
		}
		if !p.Has(one) || one.Has(p) || one.Has(0) {
			t.Errorf("%s holds the wrong rights", a)
		}
	}
	for _, names := range [][]string{{"Read"}, {""}, {" read"}, {"read", "read"}, {"admin"}, {"read,list"}} {
		if _, err := keystile.ParsePermissions(names); !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("%q: %v", names, err)
		}
	}
}

func TestPermissionsAsJSON(t *testing.T) {
	data, err := rl.MarshalJSON()
	if err != nil || string(data) != `["read","list"]` {
		t.Errorf("%s, %v", data, err)
	}
	if data, _ := keystile.Permission(0).MarshalJSON(); string(data) != `[]` {
		t.Errorf("none is written %s", data)
	}
	var p keystile.Permission
	if err := p.UnmarshalJSON([]byte(`["write","delete"]`)); err != nil || p != keystile.Write|keystile.Delete {
		t.Errorf("%v, %v", p, err)
	}
	for _, bad := range []string{`["root"]`, `["read","read"]`, `"read"`, `3`, `{}`, `[1]`, `[`} {
		p = keystile.Read
		if err := p.UnmarshalJSON([]byte(bad)); err == nil || p != keystile.Read {
			t.Errorf("%s gives %v, %v", bad, p, err)
		}
	}
}

func TestAnAliasStandsForOnePlace(t *testing.T) {
	whole := keystile.Grant{Bucket: bucket("shared"), Permission: rl, Alias: "team-a"}
	under := func(prefix string) keystile.Grant {
		g := whole
		g.Prefix = prefix
		return g
	}
	for name, second := range map[string]keystile.Grant{
		"another prefix":      under("team-b/"),
		"a longer prefix":     under("team-a/logs/"),
		"without the slash":   under("team-a"),
		"the whole bucket":    whole,
		"another bucket":      {Bucket: bucket("other"), Permission: rl, Prefix: "team-a/", Alias: "team-a"},
		"another backend":     {Bucket: keystile.Bucket{Backend: "old", Name: "shared"}, Permission: rl, Prefix: "team-a/", Alias: "team-a"},
		"a real bucket":       {Bucket: bucket("team-a"), Permission: rl},
		"a real one's prefix": {Bucket: bucket("team-a"), Permission: rl, Prefix: "team-a/"},
	} {
		err := keystile.CheckGrants([]keystile.Grant{under("team-a/"), second})
		if got := fields(t, err); !slices.Equal(got, []string{"grants[1].alias"}) {
			t.Errorf("%s: faults of %v", name, got)
		}
	}
}
