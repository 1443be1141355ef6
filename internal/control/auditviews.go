package control

import (
	"context"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Views are the named filters of the actor's account, by name.
func (t *Audit) Views(ctx context.Context, a Actor) (views []keystile.AuditView, err error) {
	err = t.read(ctx, a, "auditview.list", "", admins, func(tx store.Tx) error {
		views, err = tx.AuditViews(a.Account.ID)
		return err
	})
	return views, err
}

// SaveView names a filter, or gives a name another one.
func (t *Audit) SaveView(ctx context.Context, a Actor, name string, filter map[string]string) (view keystile.AuditView, err error) {
	view = keystile.AuditView{AccountID: a.Account.ID, Name: name, Filter: filter}
	err = t.mutate(ctx, a, act{action: "auditview.save", target: printable(name, maxViewTarget), who: admins, do: func(ch *change) error {
		if err := view.Check(); err != nil {
			return err
		}
		views, err := ch.AuditViews(a.Account.ID)
		if err != nil {
			return err
		}
		known := false
		for _, v := range views {
			known = known || v.Name == name
		}
		if !known && len(views) >= keystile.MaxAuditViews {
			return explain(keystile.ErrConflict, "an account has at most %d views: remove one", keystile.MaxAuditViews)
		}
		view.SavedAt = ch.now
		return ch.SaveAuditView(view)
	}})
	return view, err
}

// maxViewTarget bounds a name in an event, in bytes.
const maxViewTarget = 256

// RemoveView removes a named filter.
func (t *Audit) RemoveView(ctx context.Context, a Actor, name string) error {
	return t.mutate(ctx, a, act{action: "auditview.remove", target: printable(name, maxViewTarget), who: admins, ends: true, do: func(ch *change) error {
		return ch.DeleteAuditView(a.Account.ID, name)
	}})
}
