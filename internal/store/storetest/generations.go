package storetest

import (
	"testing"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func testGenerations(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"the generation of a new store is 0", func(t *testing.T, a, b store.Store) {
			wantEqual(t, got(t, a, store.Tx.Generation), 0)
			wantEqual(t, got(t, b, store.Tx.Generation), 0)
		}},
		{"the next generation is one more, on any handle", func(t *testing.T, a, b store.Store) {
			for i := range int64(6) {
				s, other := a, b
				if i%2 == 1 {
					s, other = b, a
				}
				write(t, s, func(tx store.Tx) error {
					n, err := tx.NextGeneration()
					wantEqual(t, n, i+1)
					return err
				})
				wantEqual(t, got(t, other, store.Tx.Generation), i+1)
			}
		}},
		{"one transaction may take several generations", func(t *testing.T, a, b store.Store) {
			write(t, a, func(tx store.Tx) error {
				for want := range int64(3) {
					n, err := tx.NextGeneration()
					must(t, err)
					wantEqual(t, n, want+1)
				}
				return nil
			})
			wantEqual(t, got(t, b, store.Tx.Generation), 3)
		}},
		{"an absent setting is not found", func(t *testing.T, a, _ store.Store) {
			_, err := tryGet(t, a, setting("none"))
			wantErr(t, err, keystile.ErrNotFound)
		}},
		{"a setting is replaced", func(t *testing.T, a, b store.Store) {
			for _, value := range []string{"one", "", "zwei ✓", "three\nlines"} {
				write(t, a, func(tx store.Tx) error { return tx.SetSetting("first.run", value) })
				wantEqual(t, got(t, b, setting("first.run")), value)
			}
			_, err := tryGet(t, b, setting("FIRST.RUN"))
			wantErr(t, err, keystile.ErrNotFound)
		}},
	})
}
