package keystile_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"keystile/internal/keystile"
)

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"what is no letter or digit divides", `2026/11/a b.JPG?x="1"`, []string{"2026", "11", "a", "b", "jpg", "x", "1"}},
		{"each counts once", "a/A/a", []string{"a"}},
		{"an underscore divides", "my_key", []string{"my", "key"}},
		{"any script has letters", "Übung/写真/ÉTÉ", []string{"übung", "写真", "été"}},
		{"a mark belongs to its letter", "e\u0301te", []string{"e\u0301te"}},
		{"what is no text divides", "a\xffb\x00c", []string{"a", "b", "c"}},
		{"64 characters count", strings.Repeat("é", 70), []string{strings.Repeat("é", 64)}},
		{"nothing has none", " -/", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := keystile.Words(tt.text); !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestSearchWordsAreThere(t *testing.T) {
	for name, text := range map[string]string{"none": "--", "too long": strings.Repeat("a", keystile.MaxTextBytes+1)} {
		if _, err := (keystile.EventFilter{Text: text}).SearchWords(); !errors.Is(err, keystile.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
