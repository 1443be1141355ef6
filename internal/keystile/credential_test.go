package keystile_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestAuthorize(t *testing.T) {
	c := keystile.Credential{Grants: []keystile.Grant{
		{Bucket: bucket("photos"), Permission: keystile.Read, Prefix: "2026/"},
		{Bucket: bucket("photos"), Permission: keystile.Write, Prefix: "inbox/"},
		{Bucket: bucket("logs"), Permission: rl},
	}}
	need := func(p keystile.Permission, b, key string) keystile.Need {
		return keystile.Need{Permission: p, Bucket: bucket(b), Name: key}
	}
	for _, tt := range []struct {
		name  string
		needs []keystile.Need
		want  bool
	}{
		{"one need covered", []keystile.Need{need(keystile.Read, "photos", "2026/a")}, true},
		{"each need by another grant", []keystile.Need{need(keystile.Write, "photos", "inbox/a"), need(keystile.Read, "logs", "x")}, true},
		{"nothing asked", nil, false},
		{"one of two not covered", []keystile.Need{need(keystile.Read, "photos", "2026/a"), need(keystile.Read, "payroll", "x")}, false},
		{"the last of many not covered", []keystile.Need{
			need(keystile.Read, "logs", "x"), need(keystile.Read, "logs", "y"), need(keystile.Delete, "logs", "z"),
		}, false},
		{"rights of two grants do not add up on one key", []keystile.Need{need(keystile.Write, "photos", "2026/a")}, false},
		{"rights of two grants do not add up in one need", []keystile.Need{need(keystile.Read|keystile.Write, "photos", "inbox/a")}, false},
		{"an empty need", []keystile.Need{{}}, false},
	} {
		err := c.Authorize(tt.needs...)
		if (err == nil) != tt.want || (err != nil && !errors.Is(err, keystile.ErrDenied)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	var nobody keystile.Credential
	if err := nobody.Authorize(keystile.Need{Bucket: bucket("photos"), Target: keystile.TargetBucket}); !errors.Is(err, keystile.ErrDenied) {
		t.Errorf("without grants: %v", err)
	}
}

func TestResolveKnowsOnlyClientNames(t *testing.T) {
	c := keystile.Credential{Grants: []keystile.Grant{
		{Bucket: bucket("photos"), Permission: rl},
		{Bucket: keystile.Bucket{Backend: "old", Name: "photos"}, Permission: rl, Alias: "photos-old"},
		{Bucket: bucket("payroll"), Permission: rl, Alias: "sums"},
		{Bucket: bucket("photos"), Permission: keystile.Write, Prefix: "inbox/"},
		{Bucket: bucket("shared"), Permission: rl, Prefix: "team-a/", Alias: "team-a"},
	}}
	for name, want := range map[string]string{
		"photos": "prod/photos", "photos-old": "old/photos", "sums": "prod/payroll", "team-a": "prod/shared/team-a/",
	} {
		if got, err := c.Resolve(name); err != nil || got.String() != want {
			t.Errorf("%s is %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "payroll", "shared", "Photos", "photos/", "other", "prod/photos"} {
		if got, err := c.Resolve(name); !errors.Is(err, keystile.ErrDenied) {
			t.Errorf("%q is %v, %v", name, got, err)
		}
	}
	if got, want := c.Buckets(), []string{"photos", "photos-old", "sums", "team-a"}; !slices.Equal(got, want) {
		t.Errorf("lists %v, want %v", got, want)
	}
}

func TestStatus(t *testing.T) {
	past, future := noon.Add(-time.Hour), noon.Add(time.Hour)
	for _, tt := range []struct {
		name string
		c    keystile.Credential
		want keystile.Status
	}{
		{"plain", keystile.Credential{}, keystile.StatusActive},
		{"expires later", keystile.Credential{ExpiresAt: future}, keystile.StatusActive},
		{"expires in the next instant", keystile.Credential{ExpiresAt: noon.Add(1)}, keystile.StatusActive},
		{"expires now", keystile.Credential{ExpiresAt: noon}, keystile.StatusExpired},
		{"expired", keystile.Credential{ExpiresAt: past}, keystile.StatusExpired},
		{"disabled", keystile.Credential{DisabledAt: past}, keystile.StatusDisabled},
		{"disabled at a later clock", keystile.Credential{DisabledAt: future}, keystile.StatusDisabled},
		{"disabled outranks expired", keystile.Credential{DisabledAt: past, ExpiresAt: past}, keystile.StatusDisabled},
		{"revoked", keystile.Credential{RevokedAt: past}, keystile.StatusRevoked},
		{"revoked at a later clock", keystile.Credential{RevokedAt: future}, keystile.StatusRevoked},
		{"revoked outranks all", keystile.Credential{RevokedAt: past, DisabledAt: past, ExpiresAt: past}, keystile.StatusRevoked},
	} {
		if got := tt.c.StatusAt(noon); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestCredentialCheck(t *testing.T) {
	good := keystile.Credential{
		Description: "nightly backup", Grants: []keystile.Grant{{Bucket: bucket("photos"), Permission: rl}}, ExpiresAt: noon.Add(time.Second),
	}
	must(t, good.Check(noon))
	for _, tt := range []struct {
		name   string
		change func(*keystile.Credential)
		fields []string
	}{
		{"no description", func(c *keystile.Credential) { c.Description = "" }, []string{"description"}},
		{"a blank one", func(c *keystile.Credential) { c.Description = " \t " }, []string{"description"}},
		{"one too long", func(c *keystile.Credential) { c.Description = strings.Repeat("ü", 257) }, []string{"description"}},
		{"two lines", func(c *keystile.Credential) { c.Description = "a\nb" }, []string{"description"}},
		{"an escape sequence", func(c *keystile.Credential) { c.Description = "a\x1b[31m" }, []string{"description"}},
		{"not UTF-8", func(c *keystile.Credential) { c.Description = "a\xff" }, []string{"description"}},
		{"expiry now", func(c *keystile.Credential) { c.ExpiresAt = noon }, []string{"expires_at"}},
		{"expiry past", func(c *keystile.Credential) { c.ExpiresAt = noon.Add(-time.Second) }, []string{"expires_at"}},
		{"no grants", func(c *keystile.Credential) { c.Grants = nil }, []string{"grants"}},
		{"everything at once", func(c *keystile.Credential) {
			*c = keystile.Credential{ExpiresAt: noon, Grants: []keystile.Grant{{Bucket: bucket("photos")}}}
		}, []string{"description", "grants[0].permissions", "expires_at"}},
	} {
		c := good
		tt.change(&c)
		err := c.Check(noon)
		if !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := fields(t, err); !slices.Equal(got, tt.fields) {
			t.Errorf("%s: faults of %v, want %v", tt.name, got, tt.fields)
		}
	}
	longest := good
	longest.Description, longest.ExpiresAt = strings.Repeat("ü", 256), time.Time{}
	must(t, longest.Check(noon))
}

func TestKeyPairs(t *testing.T) {
	id := regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`)
	secret := regexp.MustCompile(`^[A-Za-z0-9+/]{40}$`)
	ids, secrets := map[string]bool{}, map[string]bool{}
	const n = 10_000
	for range n {
		accessKeyID, s := keystile.NewKeyPair()
		if !id.MatchString(accessKeyID) || !secret.MatchString(s.Reveal()) {
			t.Fatalf("%q with a secret of %d characters", accessKeyID, len(s.Reveal()))
		}
		ids[accessKeyID], secrets[s.Reveal()] = true, true
	}
	if len(ids) != n || len(secrets) != n {
		t.Errorf("%d ids and %d secrets of %d differ", len(ids), len(secrets), n)
	}
}
