package keystile_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"keystile/internal/keystile"
)

func TestBindingCheck(t *testing.T) {
	good := keystile.Binding{Name: "public", Bucket: bucket("photos"), Prefix: "2026/", Mode: keystile.ModeRead}
	for name, change := range map[string]func(*keystile.Binding){
		"as it is":         func(*keystile.Binding) {},
		"whole bucket":     func(b *keystile.Binding) { b.Prefix = "" },
		"listing":          func(b *keystile.Binding) { b.Mode = keystile.ModeReadList },
		"a rate":           func(b *keystile.Binding) { b.RatePerSecond = 0.5 },
		"the highest rate": func(b *keystile.Binding) { b.RatePerSecond = 100_000 },
		"an old bucket":    func(b *keystile.Binding) { b.Bucket.Name = "Old_Name" },
	} {
		b := good
		change(&b)
		if err := b.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, tt := range []struct {
		name, field string
		change      func(*keystile.Binding)
	}{
		{"no name", "name", func(b *keystile.Binding) { b.Name = "" }},
		{"the gateway's own name", "name", func(b *keystile.Binding) { b.Name = "-" }},
		{"a reserved name", "name", func(b *keystile.Binding) { b.Name = "admin" }},
		{"an old kind of name", "name", func(b *keystile.Binding) { b.Name = "Old_Name" }},
		{"no mode", "mode", func(b *keystile.Binding) { b.Mode = "" }},
		{"a mode that writes", "mode", func(b *keystile.Binding) { b.Mode = "read-write" }},
		{"negative rate", "rate_per_second", func(b *keystile.Binding) { b.RatePerSecond = -1 }},
		{"huge rate", "rate_per_second", func(b *keystile.Binding) { b.RatePerSecond = 100_001 }},
		{"infinite rate", "rate_per_second", func(b *keystile.Binding) { b.RatePerSecond = math.Inf(1) }},
		{"no number as rate", "rate_per_second", func(b *keystile.Binding) { b.RatePerSecond = math.NaN() }},
		{"no backend", "bucket.backend", func(b *keystile.Binding) { b.Bucket.Backend = "" }},
		{"a reserved bucket", "bucket.bucket", func(b *keystile.Binding) { b.Bucket.Name = "minio" }},
		{"a dotted prefix", "bucket.prefix", func(b *keystile.Binding) { b.Prefix = "a/../" }},
	} {
		b := good
		tt.change(&b)
		err := b.Check()
		if !errors.Is(err, keystile.ErrInvalid) || !slices.Equal(fields(t, err), []string{tt.field}) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestBindingOpensReadsOnly(t *testing.T) {
	for _, tt := range []struct {
		mode keystile.BindingMode
		list bool
	}{{keystile.ModeRead, false}, {keystile.ModeReadList, true}} {
		b := keystile.Binding{Name: "public", Bucket: bucket("photos"), Prefix: "2026/", Mode: tt.mode}
		need := func(p keystile.Permission, target keystile.Target, bucketName, name string) keystile.Need {
			return keystile.Need{Permission: p, Bucket: bucket(bucketName), Target: target, Name: name}
		}
		allowed := []keystile.Need{need(keystile.Read, keystile.TargetObject, "photos", "2026/a")}
		listing := need(keystile.List, keystile.TargetPrefix, "photos", "2026/")
		refused := []keystile.Need{
			need(keystile.Read, keystile.TargetObject, "photos", "2025/a"),
			need(keystile.Read, keystile.TargetObject, "public", "2026/a"),
			need(keystile.List, keystile.TargetPrefix, "photos", ""),
			need(keystile.List, keystile.TargetPrefix, "photos", "2026"),
			need(keystile.Write, keystile.TargetObject, "photos", "2026/a"),
			need(keystile.Delete, keystile.TargetObject, "photos", "2026/a"),
			need(keystile.ACL, keystile.TargetObject, "photos", "2026/a"),
		}
		if tt.list {
			allowed = append(allowed, listing)
		} else {
			refused = append(refused, listing)
		}
		for _, n := range allowed {
			if err := b.Authorize(n); err != nil {
				t.Errorf("%s: %v", tt.mode, err)
			}
		}
		for _, n := range refused {
			if err := b.Authorize(n); !errors.Is(err, keystile.ErrDenied) {
				t.Errorf("%s lets %v through: %v", tt.mode, n, err)
			}
		}
		if err := b.Authorize(); !errors.Is(err, keystile.ErrDenied) {
			t.Errorf("%s: nothing asked is let through: %v", tt.mode, err)
		}
	}
	broken := keystile.Binding{Bucket: bucket("photos"), Mode: "other"}
	if err := broken.Authorize(keystile.Need{Bucket: bucket("photos"), Target: keystile.TargetBucket}); !errors.Is(err, keystile.ErrDenied) {
		t.Errorf("an unknown mode opens the bucket: %v", err)
	}
}
