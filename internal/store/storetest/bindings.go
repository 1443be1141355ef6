package storetest

import (
	"strings"
	"testing"
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

func binding(name string) keystile.Binding {
	return keystile.Binding{
		Name: name, Bucket: keystile.Bucket{Backend: "main", Name: "public-" + name}, Prefix: "www/",
		Mode: keystile.ModeReadList, RatePerSecond: 2.5, IndexDocument: "index.html", CreatedBy: "admin", CreatedAt: noon, Generation: 1,
	}
}

func bindingOf(name string) func(store.Tx) (keystile.Binding, error) {
	return func(tx store.Tx) (keystile.Binding, error) { return tx.Binding(name) }
}

func createBinding(t *testing.T, s store.Store, b keystile.Binding) {
	t.Helper()
	write(t, s, func(tx store.Tx) error { return tx.CreateBinding(b) })
}

func bindingNames(all []keystile.Binding) string {
	names := make([]string, len(all))
	for i, b := range all {
		names[i] = b.Name
	}
	return strings.Join(names, " ")
}

func testBindings(t *testing.T, open Open) {
	proveAll(t, open, []promise{
		{"every field comes back on the other handle", func(t *testing.T, a, b store.Store) {
			createBinding(t, a, binding("one"))
			wantEqual(t, got(t, b, bindingOf("one")), binding("one"))
			plain := keystile.Binding{Name: "two", Bucket: keystile.Bucket{Backend: "b", Name: "bbb"}, Mode: keystile.ModeRead}
			createBinding(t, a, plain)
			wantEqual(t, got(t, b, bindingOf("two")), plain)
		}},
		{"the open ones are listed by name", func(t *testing.T, a, b store.Store) {
			wantEqual(t, len(got(t, a, store.Tx.Bindings)), 0)
			for _, name := range []string{"one", "two", "alpha"} {
				createBinding(t, a, binding(name))
			}
			write(t, a, func(tx store.Tx) error { return tx.RemoveBinding("one", noon, 2) })
			wantEqual(t, bindingNames(got(t, b, store.Tx.Bindings)), "alpha two")
		}},
		{"an open one's name is taken", proveBindingTaken},
		{"a removed one is not found but stays for the gateways", proveBindingRemoved},
		{"a removed one's name can be taken again", proveBindingAgain},
		{"changes come in order of generation, removed ones too", proveBindingChanges},
	})
}

func proveBindingTaken(t *testing.T, a, b store.Store) {
	createBinding(t, a, binding("one"))
	other := binding("one")
	other.Bucket.Name = "another"
	for _, s := range []store.Store{a, b} {
		wantErr(t, tryWrite(t, s, func(tx store.Tx) error { return tx.CreateBinding(other) }), keystile.ErrConflict)
	}
	wantEqual(t, got(t, b, bindingOf("one")), binding("one"))
}

func proveBindingRemoved(t *testing.T, a, b store.Store) {
	createBinding(t, a, binding("one"))
	remove := func(tx store.Tx) error { return tx.RemoveBinding("one", after(time.Hour), 5) }
	write(t, a, remove)
	_, err := tryGet(t, b, bindingOf("one"))
	wantErr(t, err, keystile.ErrNotFound)
	wantErr(t, tryWrite(t, b, remove), keystile.ErrNotFound)
	wantErr(t, tryWrite(t, b, func(tx store.Tx) error { return tx.RemoveBinding("none", noon, 6) }), keystile.ErrNotFound)
	gone := binding("one")
	gone.RemovedAt, gone.Generation = after(time.Hour), 5
	wantEqual(t, got(t, b, changedBindings(0)), []keystile.Binding{gone})
}

func changedBindings(since int64) func(store.Tx) ([]keystile.Binding, error) {
	return func(tx store.Tx) ([]keystile.Binding, error) { return tx.ChangedBindings(since) }
}

func proveBindingAgain(t *testing.T, a, b store.Store) {
	createBinding(t, a, binding("one"))
	write(t, a, func(tx store.Tx) error { return tx.RemoveBinding("one", noon, 5) })
	again := keystile.Binding{Name: "one", Bucket: keystile.Bucket{Backend: "cold", Name: "fresh"}, Mode: keystile.ModeRead,
		CreatedBy: "other", CreatedAt: after(time.Hour), Generation: 6}
	createBinding(t, b, again)
	wantEqual(t, got(t, a, bindingOf("one")), again)
	wantEqual(t, got(t, a, changedBindings(0)), []keystile.Binding{again})
}

func proveBindingChanges(t *testing.T, a, b store.Store) {
	for i, name := range []string{"one", "two", "three"} {
		x := binding(name)
		x.Generation = int64(9 - i)
		createBinding(t, a, x)
	}
	wantEqual(t, bindingNames(got(t, b, changedBindings(0))), "three two one")
	wantEqual(t, bindingNames(got(t, b, changedBindings(7))), "two one")
	write(t, a, func(tx store.Tx) error { return tx.RemoveBinding("three", noon, 10) })
	wantEqual(t, bindingNames(got(t, b, changedBindings(8))), "one three")
	wantEqual(t, bindingNames(got(t, b, changedBindings(10))), "")
}
