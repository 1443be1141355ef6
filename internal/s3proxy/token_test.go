package s3proxy

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"keystile/internal/keystile"
)

func here(change ...func(*listing)) listing {
	l := listing{place: keystile.Place{Bucket: keystile.Bucket{Backend: "prod", Name: "shared"}, Hidden: "team-a/"}, prefix: "x", delimiter: "/"}
	for _, c := range change {
		c(&l)
	}
	return l
}

func TestATokenOpensForItsListingAlone(t *testing.T) {
	sealer := tokenSealer{keystile.NewSecretKey()}
	const backendToken = "team-a/last key"
	token := sealer.seal(here(), backendToken)
	if got, err := sealer.open(here(), token); err != nil || got != backendToken {
		t.Fatalf("opens as %q, %v", got, err)
	}
	if sealer.seal(here(), backendToken) == token {
		t.Error("two tokens for the same page are the same: the nonce repeats")
	}
	if raw, err := base64.RawURLEncoding.DecodeString(token); err != nil || strings.Contains(string(raw), "team") {
		t.Errorf("the token reads %q, %v", raw, err)
	}
	for name, other := range map[string]listing{
		"another backend":   here(func(l *listing) { l.place.Bucket.Backend = "prod2" }),
		"another bucket":    here(func(l *listing) { l.place.Bucket.Name = "share" }),
		"another prefix":    here(func(l *listing) { l.place.Hidden = "team-b/" }),
		"a longer one":      here(func(l *listing) { l.place.Hidden, l.prefix = "team-a/x", "" }),
		"another query":     here(func(l *listing) { l.prefix = "y" }),
		"another delimiter": here(func(l *listing) { l.delimiter = "" }),
		"a part moved over": here(func(l *listing) { l.prefix, l.delimiter = "x/", "" }),
	} {
		if got, err := sealer.open(other, token); !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := (tokenSealer{keystile.NewSecretKey()}).open(here(), token); !errors.Is(err, keystile.ErrInvalid) {
		t.Errorf("another gateway's key: %q, %v", got, err)
	}
	for i := range token {
		altered := token[:i] + string(rune(token[i]^1)) + token[i+1:]
		if got, err := sealer.open(here(), altered); !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("byte %d altered: %q, %v", i, got, err)
		}
		if got, err := sealer.open(here(), token[:i]); !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("cut at %d: %q, %v", i, got, err)
		}
	}
}

// FuzzToken: nothing opens but what was sealed, and that opens for nothing else.
func FuzzToken(f *testing.F) {
	sealer := tokenSealer{keystile.NewSecret("a key of a test, thirty-two bytes")}
	f.Add("", "team-a/", "", "", "token")
	f.Add("AAAA", "a", "b", "/", "")
	f.Add(sealer.seal(listing{place: keystile.Place{Hidden: "a"}}, "team-a/x"), "a", "", "", "team-a/x")
	f.Fuzz(func(t *testing.T, token, hidden, prefix, delimiter, backendToken string) {
		l := listing{keystile.Place{Hidden: hidden}, prefix, delimiter}
		if opened, err := sealer.open(l, token); err == nil && token != "" {
			if again, err := sealer.open(l, token); err != nil || again != opened {
				t.Fatalf("%q opens as %q, then as %q, %v", token, opened, again, err)
			}
			if hidden != "a" || opened != "team-a/x" {
				t.Fatalf("%q was never sealed and opens as %q", token, opened)
			}
		}
		sealed := sealer.seal(l, backendToken)
		if opened, err := sealer.open(l, sealed); err != nil || opened != backendToken {
			t.Fatalf("%q opens as %q, %v", backendToken, opened, err)
		}
		for _, other := range []listing{
			{keystile.Place{Hidden: hidden + "x"}, prefix, delimiter}, {keystile.Place{Hidden: hidden}, prefix + "x", delimiter},
			{keystile.Place{Hidden: hidden}, prefix, delimiter + "x"}, {keystile.Place{Hidden: prefix}, hidden + "x", delimiter},
		} {
			if opened, err := sealer.open(other, sealed); err == nil {
				t.Fatalf("a token of %+v opens for %+v as %q", l, other, opened)
			}
		}
	})
}
