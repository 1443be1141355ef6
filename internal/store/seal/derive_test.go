package seal

import (
	"bytes"
	"testing"
)

func TestDerivedKeysBelongToKeyAndPurpose(t *testing.T) {
	key, err := ParseKey("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseKey("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	if err != nil {
		t.Fatal(err)
	}
	derived := key.Derive("tokens")
	if len(derived) != KeyBytes || bytes.Equal(derived, key.raw()) {
		t.Fatalf("derived %d bytes", len(derived))
	}
	if !bytes.Equal(derived, again.Derive("tokens")) {
		t.Error("the same master key and purpose derive another key")
	}
	for name, other := range map[string][]byte{"another purpose": key.Derive("token"), "another master key": NewKey().Derive("tokens")} {
		if bytes.Equal(derived, other) {
			t.Errorf("%s derives the same key", name)
		}
	}
}
