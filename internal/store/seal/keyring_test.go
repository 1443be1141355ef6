package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

var here = Where{Table: "credentials", Row: "AKIA1", Field: "secret"}

func ring(t *testing.T, primary Key, older ...Key) *Keyring {
	t.Helper()
	r, err := New(primary, older...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealedValueOpensInItsPlace(t *testing.T) {
	r := ring(t, NewKey())
	for _, plain := range []string{"", "s", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", strings.Repeat("x", 100_000), "ключ\x00"} {
		blob := r.Seal(here, []byte(plain))
		if len(blob) != len(plain)+Overhead {
			t.Errorf("blob has %d bytes, want %d", len(blob), len(plain)+Overhead)
		}
		if plain != "" && plain != "s" && bytes.Contains(blob, []byte(plain)) {
			t.Error("the blob holds the plain text")
		}
		got, err := r.Open(here, blob)
		if err != nil || string(got) != plain {
			t.Errorf("Open = %q, %v, want %q", got, err, plain)
		}
	}
}

func TestSameValueNeverSealsAlike(t *testing.T) {
	r := ring(t, NewKey())
	if bytes.Equal(r.Seal(here, []byte("s")), r.Seal(here, []byte("s"))) {
		t.Error("two seals of one value are equal: the nonce repeats")
	}
}

func TestEveryTamperedByteIsRefused(t *testing.T) {
	r := ring(t, NewKey())
	blob := r.Seal(here, []byte("secret"))
	for i := range blob {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			bad := bytes.Clone(blob)
			bad[i] ^= flip
			want := ErrCorrupt
			if i >= 1 && i < headBytes {
				want = ErrWrongKey // the key's name was altered
			}
			if plain, err := r.Open(here, bad); !errors.Is(err, want) || plain != nil {
				t.Errorf("byte %d ^ %#x: Open = %q, %v, want %v", i, flip, plain, err, want)
			}
		}
	}
}

func TestBlobOfAnyOtherLengthIsRefused(t *testing.T) {
	r := ring(t, NewKey())
	blob := r.Seal(here, []byte("secret"))
	for n := range blob {
		if _, err := r.Open(here, blob[:n]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut to %d bytes: %v, want ErrCorrupt", n, err)
		}
	}
	if _, err := r.Open(here, append(bytes.Clone(blob), 0)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("one byte longer: %v, want ErrCorrupt", err)
	}
	if _, err := r.Open(here, nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("no blob: %v, want ErrCorrupt", err)
	}
}

func TestMovedBlobIsRefused(t *testing.T) {
	r := ring(t, NewKey())
	blob := r.Seal(here, []byte("secret"))
	for _, there := range []Where{
		{"backends", "AKIA1", "secret"},
		{"credentials", "AKIA2", "secret"},
		{"credentials", "AKIA1", "previous"},
		{"credentialsA", "KIA1", "secret"}, // the same letters, split elsewhere
		{"credentials", "AKIA1secret", ""},
		{"credentials", "", "AKIA1secret"},
		{},
	} {
		if _, err := r.Open(there, blob); !errors.Is(err, ErrCorrupt) {
			t.Errorf("opened at %+v: %v, want ErrCorrupt", there, err)
		}
	}
}

func TestWrongKeyIsToldFromCorruption(t *testing.T) {
	blob := ring(t, NewKey()).Seal(here, []byte("secret"))
	_, err := ring(t, NewKey(), NewKey()).Open(here, blob)
	if !errors.Is(err, ErrWrongKey) || errors.Is(err, ErrCorrupt) {
		t.Errorf("Open = %v, want ErrWrongKey alone", err)
	}
}

// A blob that claims another key of the ring than the one which sealed it.
func TestBlobUnderAnotherKeysNameIsRefused(t *testing.T) {
	a, b := NewKey(), NewKey()
	blob := ring(t, a).Seal(here, []byte("secret"))
	id := b.id()
	copy(blob[1:headBytes], id[:])
	if _, err := ring(t, a, b).Open(here, blob); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Open = %v, want ErrCorrupt", err)
	}
}

func TestOlderKeysOpenAndThePrimarySeals(t *testing.T) {
	older, newer := NewKey(), NewKey()
	before := ring(t, older).Seal(here, []byte("old"))
	both := ring(t, newer, older)
	if got, err := both.Open(here, before); err != nil || string(got) != "old" {
		t.Errorf("the older key's blob: %q, %v", got, err)
	}
	after := both.Seal(here, []byte("new"))
	if got, err := ring(t, newer).Open(here, after); err != nil || string(got) != "new" {
		t.Errorf("the primary key alone: %q, %v", got, err)
	}
	if _, err := ring(t, older).Open(here, after); !errors.Is(err, ErrWrongKey) {
		t.Errorf("the older key alone: %v, want ErrWrongKey", err)
	}
	if both.PrimaryID() != ring(t, newer).PrimaryID() || both.PrimaryID() == ring(t, older).PrimaryID() {
		t.Error("PrimaryID does not name the primary key")
	}
}

func TestEmptyKeyMakesNoRing(t *testing.T) {
	if _, err := New(Key{}); err == nil {
		t.Error("a ring with an empty primary key")
	}
	if _, err := New(NewKey(), Key{}); err == nil {
		t.Error("a ring with an empty older key")
	}
}

func TestKeysNeverPrint(t *testing.T) {
	key := NewKey()
	r := ring(t, key)
	hidden := struct {
		inner  Key
		Outer  Key
		ring   *Keyring
		nested []any
	}{key, key, r, []any{key, &key, r}}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%p"} {
		for _, value := range []any{key, &key, r, *r, hidden, &hidden, []Key{key}, map[string]Key{"k": key}} {
			fmt.Fprintf(&out, verb, value) //nolint:govet // wrong verbs are the point
		}
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "key", key, "hidden", hidden, "ring", r)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "key", key, "hidden", hidden, "ring", r)
	for _, value := range []any{key, &key, hidden, []Key{key}} {
		b, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	text := out.String()
	if !strings.Contains(text, redacted) {
		t.Error("nothing was redacted")
	}
	raw := key.raw()
	for _, form := range []string{
		string(raw), fmt.Sprintf("%x", raw), fmt.Sprintf("%X", raw), strings.Trim(fmt.Sprintf("%d", raw), "[]"),
		strings.TrimSpace(key.encode()), fmt.Sprintf("%#v", raw),
	} {
		if strings.Contains(text, form) {
			t.Errorf("the key was printed as %q", form)
		}
	}
}

func TestErrorsNameThePlaceAndNoSecret(t *testing.T) {
	r := ring(t, NewKey())
	blob := r.Seal(here, []byte("hunter2"))
	blob[len(blob)-1] ^= 1
	_, err := r.Open(here, blob)
	if err == nil || !strings.Contains(err.Error(), "AKIA1") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %q", err)
	}
}
