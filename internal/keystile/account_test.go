package keystile_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"keystile/internal/keystile"
)

func TestAccountNames(t *testing.T) {
	for _, name := range []string{"jo", "admin", "j.doe@example.com", "a_b", "a-1", "0a", strings.Repeat("a", 64)} {
		var faults keystile.Faults
		if keystile.CheckAccountName(name, &faults); faults.Err() != nil {
			t.Errorf("%q: %v", name, faults)
		}
	}
	for _, name := range []string{
		"", "a", "A", "Admin", "a b", "a/b", "a:b", "-a", "a-", ".a", "a.", "@a", "a@", "ä1", "a\n", "a\x00b", strings.Repeat("a", 65),
	} {
		var faults keystile.Faults
		if keystile.CheckAccountName(name, &faults); faults.Err() == nil || faults[0].Field != "name" {
			t.Errorf("%q passes: %v", name, faults)
		}
	}
}

func TestPasswordLengths(t *testing.T) {
	for _, p := range []string{strings.Repeat("p", 12), strings.Repeat("ü", 12), strings.Repeat("ü", 256), keystile.NewPassword().Reveal()} {
		var faults keystile.Faults
		if keystile.CheckPassword(p, &faults); faults.Err() != nil {
			t.Errorf("%d bytes: %v", len(p), faults)
		}
	}
	for _, p := range []string{"", "short", strings.Repeat("p", 11), strings.Repeat("ü", 11), strings.Repeat("p", 257)} {
		var faults keystile.Faults
		if keystile.CheckPassword(p, &faults); faults.Err() == nil {
			t.Errorf("%d bytes pass", len(p))
		} else if p != "" && strings.Contains(faults.Error(), p) {
			t.Errorf("the fault quotes the password: %v", faults)
		}
	}
}

func TestRoles(t *testing.T) {
	for _, r := range []keystile.Role{keystile.RoleAdmin, keystile.RoleUser, keystile.RoleReadonly} {
		if !r.Valid() {
			t.Errorf("%q is not valid", r)
		}
	}
	for _, r := range []keystile.Role{"", "Admin", "root", "admin "} {
		if r.Valid() {
			t.Errorf("%q is valid", r)
		}
	}
}

func TestTokensAreRandomAndHashed(t *testing.T) {
	token, hash := keystile.NewToken()
	other, otherHash := keystile.NewToken()
	if !strings.HasPrefix(token.Reveal(), keystile.TokenPrefix) || len(token.Reveal()) != 3+43 {
		t.Errorf("a token of %d characters", len(token.Reveal()))
	}
	if token.Equal(other) || hash == otherHash || hash != keystile.HashToken(token.Reveal()) || len(hash) != 64 {
		t.Error("tokens or their hashes are wrong")
	}
	if strings.Contains(hash, token.Reveal()) {
		t.Error("the hash holds the token")
	}
	key, keyHash := keystile.NewSessionKey()
	if len(key.Reveal()) != 43 || keyHash != keystile.HashToken(key.Reveal()) || strings.HasPrefix(key.Reveal(), keystile.TokenPrefix) {
		t.Error("a session key is wrong, or looks like a token")
	}
}

func TestBackendCheck(t *testing.T) {
	good := keystile.Backend{ID: "prod-1", Kind: keystile.KindS3, Endpoint: "https://s3.example.com:9000", Region: "us-east-1", AccessKeyID: "AK"}
	for name, change := range map[string]func(*keystile.Backend){
		"as it is":          func(*keystile.Backend) {},
		"plain HTTP":        func(b *keystile.Backend) { b.Endpoint = "http://10.0.0.1" },
		"slash at the end":  func(b *keystile.Backend) { b.Endpoint += "/" },
		"IPv6":              func(b *keystile.Backend) { b.Endpoint = "http://[::1]:9000" },
		"one letter":        func(b *keystile.Backend) { b.ID = "a" },
		"odd key ID":        func(b *keystile.Backend) { b.AccessKeyID = "tenant$user:sub" },
		"region of a Ceph":  func(b *keystile.Backend) { b.Region = "my_zone.default" },
		"embedded needs no": func(b *keystile.Backend) { b.Kind, b.Endpoint, b.AccessKeyID = keystile.KindEmbedded, "", "" },
	} {
		b := good
		change(&b)
		if err := b.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, tt := range []struct {
		field  string
		change func(*keystile.Backend, string)
		values []string
	}{
		{"id", func(b *keystile.Backend, v string) { b.ID = v }, []string{
			"", "-a", "a-", "A", "a/b", "a b", "a:b", "a.b", "a@b", "ä", "a\n", strings.Repeat("a", 64),
		}},
		{"kind", func(b *keystile.Backend, v string) { b.Kind = keystile.BackendKind(v) }, []string{"", "S3", "gcs"}},
		{"region", func(b *keystile.Backend, v string) { b.Region = v }, []string{
			"", "us east", "a/b", "a,b", "a\r\nb", "ä", strings.Repeat("a", 65),
		}},
		{"access_key_id", func(b *keystile.Backend, v string) { b.AccessKeyID = v }, []string{
			"", "a b", "a/b", "a,b", "a\nb", "ä", strings.Repeat("a", 257),
		}},
		{"endpoint", func(b *keystile.Backend, v string) { b.Endpoint = v }, []string{
			"", "s3.example.com", "//s3.example.com", "ftp://s3.example.com", "https://", "https:///x", "https://:9000",
			"https://user:pw@s3.example.com", "https://user@s3.example.com", "https://s3.example.com/path", "https://s3.example.com?x=1",
			"https://s3.example.com?", "https://s3.example.com#", "https://s3.example.com#f", "https://s3 example.com", "https://s3.example.com:http",
			"https://s3.example.com:0", "https://s3.example.com:65536", "https://s3.example.com:99999999999999999999", "http:s3.example.com", "https://a\nb",
		}},
	} {
		for _, v := range tt.values {
			b := good
			tt.change(&b, v)
			err := b.Check()
			if !errors.Is(err, keystile.ErrInvalid) || !slices.Equal(fields(t, err), []string{tt.field}) {
				t.Errorf("%s %q: %v", tt.field, v, err)
			}
		}
	}
	embedded := good
	embedded.Kind = keystile.KindEmbedded
	if err := embedded.Check(); !errors.Is(err, keystile.ErrInvalid) {
		t.Errorf("embedded with an endpoint: %v", err)
	}
	var none keystile.Backend
	if got := fields(t, none.Check()); !slices.Equal(got, []string{"id", "region", "kind"}) {
		t.Errorf("an empty backend has faults of %v", got)
	}
}

func TestFaultsOfNothingAreNoError(t *testing.T) {
	var faults keystile.Faults
	if faults.Err() != nil {
		t.Error("no faults are an error")
	}
	faults.Add("a", "is %d", 1)
	if err := faults.Err(); !errors.Is(err, keystile.ErrInvalid) || errors.Is(err, keystile.ErrDenied) || err.Error() != "a: is 1" {
		t.Errorf("%v", err)
	}
}
