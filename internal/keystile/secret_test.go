package keystile_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"keystile/internal/keystile"
)

const clear = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"

type holder struct {
	Open   keystile.Secret
	hidden keystile.Secret
	list   []keystile.Secret
	deep   *struct{ s keystile.Secret }
}

func newHolder() holder {
	s := keystile.NewSecret(clear)
	return holder{Open: s, hidden: s, list: []keystile.Secret{s}, deep: &struct{ s keystile.Secret }{s}}
}

func TestSecretNeverPrints(t *testing.T) {
	s := keystile.NewSecret(clear)
	values := map[string]any{
		"value": s, "pointer": &s, "struct": newHolder(), "pointer to struct": ptr(newHolder()),
		"slice": []keystile.Secret{s}, "map": map[string]keystile.Secret{"k": s},
		"any in a map": map[string]any{"k": s}, "pair": keystile.CredentialSecrets{Current: s, Previous: s},
		"wrapped in an error": fmt.Errorf("signing with %v: %w", s, errors.New("no")),
	}
	var verbs []string
	for _, c := range "vTtbcdoOqxXUeEfFgGsp" {
		verbs = append(verbs, "%"+string(c), "%+"+string(c), "%#"+string(c), "%60"+string(c), "%-3.2"+string(c))
	}
	for name, v := range values {
		for _, verb := range verbs {
			if got := fmt.Sprintf(verb, v); leaks(got) {
				t.Errorf("%s with %s prints %s", name, verb, got)
			}
		}
		if got := fmt.Sprint(v); leaks(got) {
			t.Errorf("Sprint of %s prints %s", name, got)
		}
	}
}

// leaks finds the secret as text or hex, or a good part of it.
func leaks(s string) bool {
	lower := strings.ToLower(s)
	for i := 0; i+6 <= len(clear); i++ {
		part := clear[i : i+6]
		if strings.Contains(s, part) || strings.Contains(lower, fmt.Sprintf("%x", part)) {
			return true
		}
	}
	return false
}

func TestLeakFinderFindsLeaks(t *testing.T) {
	for _, s := range []string{clear, "x" + clear[5:20], fmt.Sprintf("%x", clear), fmt.Sprintf("%X", clear)} {
		if !leaks(s) {
			t.Errorf("%q passes", s)
		}
	}
}

func TestSecretIsRedactedByEncoders(t *testing.T) {
	h := newHolder()
	asJSON, err := json.Marshal(map[string]any{"h": h, "s": h.Open, "p": &h.Open})
	must(t, err)
	asXML, err := xml.Marshal(keystile.CredentialSecrets{Current: h.Open})
	must(t, err)
	text, err := h.Open.MarshalText()
	must(t, err)
	for name, got := range map[string]string{"JSON": string(asJSON), "XML": string(asXML), "text": string(text)} {
		if leaks(got) || !strings.Contains(got, "redacted") {
			t.Errorf("%s: %s", name, got)
		}
	}
	var back keystile.Secret
	if err := json.Unmarshal([]byte(`"`+clear+`"`), &back); err == nil || leaks(err.Error()) {
		t.Errorf("reading a secret from JSON: %v", err)
	}
}

func TestSecretIsRedactedBySlog(t *testing.T) {
	h := newHolder()
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		log := slog.New(handler).With("with", h.Open).WithGroup("g")
		log.Info("m", "s", h.Open, "p", &h.Open, "h", h, "hp", &h, slog.Any("any", []keystile.Secret{h.Open}))
	}
	if got := out.String(); leaks(got) || !strings.Contains(got, "redacted") {
		t.Errorf("logged %s", got)
	}
}

func TestSecretComparesByValue(t *testing.T) {
	a, b := keystile.NewSecret("same"), keystile.NewSecret("same")
	if !a.Equal(b) {
		t.Error("equal secrets differ")
	}
	for _, other := range []string{"", "sam", "samf", "same "} {
		if a.Equal(keystile.NewSecret(other)) {
			t.Errorf("%q equals %q", "same", other)
		}
	}
	if a.Reveal() != "same" || a.IsZero() {
		t.Error("the value is lost")
	}
	var zero keystile.Secret
	if !zero.IsZero() || zero.Reveal() != "" || !keystile.NewSecret("").IsZero() || !zero.Equal(keystile.NewSecret("")) {
		t.Error("the zero secret is not empty")
	}
}

func ptr[T any](v T) *T { return &v }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
