package sampling_test

import (
	"encoding/json"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/sampling"
	"keystile/internal/store"
	"keystile/internal/store/freshstore"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheHighestShareThatAppliesCounts(t *testing.T) {
	db := freshstore.Open(t)
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	uploads, payroll := keystile.Bucket{Backend: "prod", Name: "uploads"}, keystile.Bucket{Backend: "prod", Name: "payroll"}
	rates := sampling.New(db, 0.1, func() time.Time { return now })
	must(t, rates.Sync(t.Context()))
	if got := rates.Rate("AK1", uploads); got != 0.1 {
		t.Errorf("without rules %g", got)
	}
	text, err := json.Marshal(keystile.SamplingRules{
		{AccessKeyID: "AK1", Rate: 1, Until: now.Add(time.Hour)},
		{AccessKeyID: "AK2", Rate: 0},
		{Bucket: payroll, Rate: 0.5},
		{Rate: 0.2, Until: now.Add(2 * time.Hour)},
	})
	must(t, err)
	must(t, db.Write(t.Context(), func(tx store.Tx) error { return tx.SetSetting(keystile.SamplingSetting, string(text)) }))
	must(t, rates.Sync(t.Context()))
	for _, tt := range []struct {
		name   string
		after  time.Duration
		key    string
		bucket keystile.Bucket
		want   float64
	}{
		{"of a credential", 0, "AK1", payroll, 1},
		{"of a credential, when it has ended", time.Hour, "AK1", payroll, 0.5},
		{"of a bucket", 0, "AK3", payroll, 0.5},
		{"of a bucket without a signature", 0, "", payroll, 0.5},
		{"of all", 0, "AK3", uploads, 0.2},
		{"of all, over a lower one of a credential", 0, "AK2", uploads, 0.2},
		{"the configured share when all have ended", 2 * time.Hour, "AK1", uploads, 0.1},
		{"of a bucket of the same name elsewhere", 2 * time.Hour, "AK3", keystile.Bucket{Backend: "cold", Name: "payroll"}, 0.1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at := now
			defer func() { now = at }()
			now = now.Add(tt.after)
			if got := rates.Rate(tt.key, tt.bucket); got != tt.want {
				t.Errorf("%g, want %g", got, tt.want)
			}
		})
	}
}
