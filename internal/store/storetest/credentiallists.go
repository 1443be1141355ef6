package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func testCredentialLists(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"an empty store lists nothing", func(t *testing.T, a, _ store.Store) {
			wantEqual(t, listed(t, a, store.CredentialFilter{}), "")
		}},
		{"the newest comes first, by id where the time is equal", proveNewestFirst},
		{"an owner's are listed alone", proveOwnerFilter},
		{"text is found in id or description in any case", proveTextFilter},
		{"wildcards in the text stand for themselves", proveWildcards},
		{"pages hold every credential once", proveCredentialPages},
		{"a page after an absent credential is invalid", func(t *testing.T, a, _ store.Store) {
			createCredentials(t, a, credential("AK1"))
			_, err := tryGet(t, a, func(tx store.Tx) ([]keystile.Credential, error) {
				return tx.Credentials(store.CredentialFilter{After: "AK2"})
			})
			wantErr(t, err, keystile.ErrInvalid)
		}},
	})
}

// listed is the ids of a list with blanks between them.
func listed(t *testing.T, s store.Store, f store.CredentialFilter) string {
	t.Helper()
	var ids []string
	for _, c := range got(t, s, func(tx store.Tx) ([]keystile.Credential, error) { return tx.Credentials(f) }) {
		ids = append(ids, c.AccessKeyID)
	}
	return strings.Join(ids, " ")
}

func createdAt(id string, at time.Duration) keystile.Credential {
	c := credential(id)
	c.CreatedAt = after(at)
	return c
}

func proveNewestFirst(t *testing.T, a, b store.Store) {
	createCredentials(t, a, createdAt("B", 0), createdAt("A", 0), createdAt("C", -time.Microsecond),
		createdAt("D", time.Hour), createdAt("E", time.Microsecond))
	wantEqual(t, listed(t, b, store.CredentialFilter{}), "D E B A C")
	wantEqual(t, listed(t, b, store.CredentialFilter{Limit: 2}), "D E")
	wantEqual(t, listed(t, b, store.CredentialFilter{Limit: 99}), "D E B A C")
}

func proveOwnerFilter(t *testing.T, a, b store.Store) {
	owned := func(id, owner string) keystile.Credential {
		c := credential(id)
		c.Owner = owner
		return c
	}
	createCredentials(t, a, owned("A", "anna"), owned("B", "bert"), owned("C", "anna"), owned("D", ""), owned("E", "Anna"))
	wantEqual(t, listed(t, b, store.CredentialFilter{Owner: "anna"}), "C A")
	wantEqual(t, listed(t, b, store.CredentialFilter{Owner: "anna", After: "C"}), "A")
	wantEqual(t, listed(t, b, store.CredentialFilter{Owner: "anna", Text: "of a"}), "A")
	wantEqual(t, listed(t, b, store.CredentialFilter{Owner: "nobody"}), "")
	wantEqual(t, listed(t, b, store.CredentialFilter{}), "E D C B A")
}

func described(id, description string) keystile.Credential {
	c := credential(id)
	c.Description = description
	return c
}

func proveTextFilter(t *testing.T, a, b store.Store) {
	createCredentials(t, a, described("AKIAONE", "Nightly backup"), described("AKIATWO", "ÄRGER mit Größe"),
		described("AKIATHREE", "one more"))
	for text, want := range map[string]string{
		"":         "AKIATWO AKIATHREE AKIAONE",
		"akia":     "AKIATWO AKIATHREE AKIAONE",
		"One":      "AKIATHREE AKIAONE", // the description of one, the id of the other
		"BACKUP":   "AKIAONE",
		"ärger":    "AKIATWO",
		"GRÖß":     "AKIATWO",
		"y b":      "AKIAONE",
		"ONE Nigh": "", // not across id and description
		"xyz":      "",
	} {
		if ids := listed(t, b, store.CredentialFilter{Text: text}); ids != want {
			t.Errorf("%q: %q, want %q", text, ids, want)
		}
	}
}

func proveWildcards(t *testing.T, a, b store.Store) {
	createCredentials(t, a, described("A", "100% sure"), described("B", "under_score"), described("C", `back\slash`),
		described("D", "it's"), described("E", "plain"))
	for text, want := range map[string]string{
		"%": "A", "_": "B", `\`: "C", "'": "D", "0% s": "A", "r_s": "B", "rXs": "", `\%`: "", "p%n": "", "*": "", "?": "",
	} {
		if ids := listed(t, b, store.CredentialFilter{Text: text}); ids != want {
			t.Errorf("%q: %q, want %q", text, ids, want)
		}
	}
}

func proveCredentialPages(t *testing.T, a, b store.Store) {
	const many = 23
	for i := range many { // several at each time
		createCredentials(t, a, createdAt(fmt.Sprintf("AK%02d", i), time.Duration(i/4)*time.Second))
	}
	whole := listed(t, b, store.CredentialFilter{})
	for _, size := range []int{1, 4, 5, 22, 23, 24} {
		var pages []string
		for last := ""; ; {
			page := listed(t, b, store.CredentialFilter{After: last, Limit: size})
			if page == "" {
				break
			}
			pages = append(pages, page)
			ids := strings.Fields(page)
			last = ids[len(ids)-1]
		}
		if joined := strings.Join(pages, " "); joined != whole {
			t.Errorf("pages of %d: %s\nwant %s", size, joined, whole)
		}
	}
}
