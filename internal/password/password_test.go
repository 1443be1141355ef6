package password

import (
	"context"
	"errors"
	"strings"
	"testing"
)

var cheap = Params{MemoryKiB: 64, Passes: 1, Lanes: 1}

func TestVerify(t *testing.T) {
	h := New(cheap)
	phc, err := h.Hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(phc, "correct") || !strings.HasPrefix(phc, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("Hash = %q", phc)
	}
	for _, tt := range []struct {
		name, password string
		hasher         *Hasher
		ok, stale      bool
	}{
		{"the password", "correct horse battery", h, true, false},
		{"another", "correct horse batterz", h, false, false},
		{"a shorter one", "correct horse", h, false, false},
		{"none", "", h, false, false},
		{"made at another cost", "correct horse battery", New(Params{128, 1, 1}), true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ok, stale, err := tt.hasher.Verify(t.Context(), phc, tt.password)
			if err != nil || ok != tt.ok || stale != tt.stale {
				t.Errorf("Verify = %v, %v, %v; want %v, %v", ok, stale, err, tt.ok, tt.stale)
			}
		})
	}
}

func TestSaltsDiffer(t *testing.T) {
	h := New(cheap)
	a, _ := h.Hash(t.Context(), "same")
	b, _ := h.Hash(t.Context(), "same")
	if a == b {
		t.Error("two hashes of one password are equal")
	}
}

// The reference vector of the argon2 command line tool:
// echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32
func TestReferenceVector(t *testing.T) {
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	ok, _, err := New(cheap).Verify(t.Context(), phc, "password")
	if err != nil || !ok {
		t.Errorf("Verify = %v, %v", ok, err)
	}
}

func TestMalformedHashes(t *testing.T) {
	for _, phc := range []string{
		"",
		"plain text",
		"$2b$10$abcdefghijklmnopqrstuv",
		"$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$",
		"$argon2id$v=19$m=64,t=1,p=1,x=2$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=1,p=1$!$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	} {
		if _, _, err := New(cheap).Verify(t.Context(), phc, "password"); !errors.Is(err, ErrFormat) {
			t.Errorf("Verify(%q): %v, want ErrFormat", phc, err)
		}
	}
}

func TestWaitingHonoursTheContext(t *testing.T) {
	h := New(cheap)
	for range maxConcurrent {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash = %v, want context.Canceled", err)
	}
	if err := h.VerifyNothing(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("VerifyNothing = %v, want context.Canceled", err)
	}
}
