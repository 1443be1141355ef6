package sqlstore

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path/filepath"
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/store"
	"keystile/internal/store/seal"
)

// frozen is what has shipped: a released migration has run on someone's data and
// is never edited. A new one is added here with the release that brings it.
var frozen = map[string]string{
	"sqlite/00001_first.sql":             "92cad8c8d8285b743b4c85a5e201fc2d902f15e73455920d34a78b99f01bf619",
	"sqlite/00002_traffic.sql":           "88c504a245d3513843773df1a71fc4418ee48f8d84948678b67e4ce63bb43381",
	"sqlite/00003_abilities.sql":         "660de02edf52c3ea2c14a1106c3f59b9efeaf7b5b58b49212a57a68d83b72ac5",
	"sqlite/00004_cors.sql":              "1eeb76212124afa381468393edea49f7caee50e894cba0832736fde6a98bba73",
	"sqlite/00005_binding_index.sql":     "b3ffe4078c73a5d0e76476534362f0f0000127eb94bc9190f31efd98f7fc8356",
	"sqlite/00006_projects.sql":          "24002de9432e3ced58977b951bc24a8b318948691bbd49ef2ef675bc14c9dd5c",
	"sqlite/00008_quota.sql":             "39c3f72d6994a2d01acb4d0a07825b19a7069c77029c32d1927fe0b81a8ec5e2",
	"sqlite/00009_outbox.sql":            "e4e16da868eae80825cb1e4c5f8671e4864e7f9d77c55950074a836052c020f7",
	"sqlite/00019_parts.sql":             "8c18c38226c39df8cd544297c45926a379d568056e4f8c608a7f4467ad6f6c81",
	"sqlite/00020_event_reaches.sql":     "9b65a92b3bb38ab951d79882d4cf189a7d13be08d20a5ab5ca01e78000717aa0",
	"sqlite/00021_recorded_spending.sql": "1d64282b8c54d5b1049adf623325a05b6c444397daf9925ea0f1ef1ab3c77a45",
	"sqlite/00022_refused_uploads.sql":   "e14494037807ba16b29397a5793dacf15232d2241d7b897c3d01ac691e890ad0",
	"sqlite/00017_scans.sql":             "d6d44a7528290a3d423d09a2bcb1b0d9edeab4843b9860782eee487ab594acf8",
	"sqlite/00018_event_terms.sql":       "a2efbf91905f928ee83927b475e403d76766aa36eb9de3e0629cf4b85c3f4970",
	"sqlite/00015_limits.sql":            "67c6df1e450ceda2c62dc8494d94a7297e253c15975d62698742763fad79b1f6",
	"sqlite/00016_audit_views.sql":       "7c5a91b2c3e1d63c361169d5cf55b3876be11150cd05c78325c51d0059e64e46",
	"sqlite/00014_event_words.sql":       "39c6dfddbbf4b88cc4e68e88e9d155a2b8c411d796f3c212a9b41d3f5480936d",
	"sqlite/00012_meters.sql":            "bb482b6c5358098f1624ce72f5f080736c155a5980d7f23d55d4a933272187fe",
	"sqlite/00011_webhooks.sql":          "6b3d9a9affc51f8ba7155717e6512196423644588a4e38f8930d8372c38013fa",
	"sqlite/00013_owned_buckets.sql":     "3db473d04770d37749b944c70bcabdee6f12d8acaa97148c5ff79e579f78e59e",
	"sqlite/00007_rgw.sql":               "958b2cdb2eaae2da871cd462d36c8280e3b05013d8ddb01944a190ef2da2be9f",
}

func TestShippedMigrationsAreFrozen(t *testing.T) {
	found := 0
	err := fs.WalkDir(migrations, "migrations", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel("migrations", path)
		if err != nil {
			return err
		}
		text, err := fs.ReadFile(migrations, path)
		if err != nil {
			return err
		}
		found++
		sum := sha256.Sum256(text)
		if got := hex.EncodeToString(sum[:]); got != frozen[name] {
			t.Errorf("%s has checksum %s, want %q", name, got, frozen[name])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found != len(frozen) {
		t.Errorf("%d migrations, %d are frozen", found, len(frozen))
	}
}

func TestSecondMigrationAppliesNothing(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "keystile.db"), ringOf(t, seal.NewKey()))
	schema := func() (all string) {
		t.Helper()
		err := db.writer.QueryRowContext(t.Context(),
			`SELECT group_concat(type || ' ' || name || ' ' || coalesce(sql, ''), char(10)) FROM (SELECT * FROM sqlite_master ORDER BY name)`).Scan(&all)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := schema()
	provider, err := migrator(db.writer)
	if err != nil {
		t.Fatal(err)
	}
	results, err := provider.Up(t.Context())
	if err != nil || len(results) != 0 {
		t.Errorf("a second run applied %d migrations, %v", len(results), err)
	}
	if schema() != before {
		t.Error("a second run changed the schema")
	}
}

// Events of a database from before are found by their words.
func TestEventsGetTheirWords(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "keystile.db"), ringOf(t, seal.NewKey()))
	want := gatewayEvent(7)
	want.Open, want.Result = false, keystile.ResultDenied
	want.Key, want.Detail.Changes = "a_b/Photo <7>.jpg", map[string]string{"note": `"second"`}
	must(t, db.Write(t.Context(), func(tx store.Tx) error { return tx.AppendEvents([]keystile.Event{want}) }))
	provider, err := migrator(db.writer)
	must(t, err)
	_, err = db.writer.ExecContext(t.Context(), `DROP TABLE event_words; DELETE FROM goose_db_version WHERE version_id >= 14`)
	must(t, err)
	_, err = provider.UpTo(t.Context(), 14)
	must(t, err)
	for _, text := range []string{"photo 7", "b second note", "akia"} {
		f := keystile.EventFilter{Text: text, Result: want.Result, Account: want.Account, AccessKeyID: want.Detail.AccessKeyID,
			Backend: want.Backend, Bucket: want.Bucket, ActionPrefix: want.Action}
		must(t, db.Read(t.Context(), func(tx store.Tx) error {
			found, _, err := tx.Events(keystile.EventPage{Filter: f, Limit: 10})
			if len(found) != 1 {
				t.Errorf("%q finds %d events", text, len(found))
			}
			return err
		}))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
