package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Bindings are the use cases of anonymous bindings; for admins.
type Bindings struct {
	*core
	backends *backendLookup
}

// BindingInfo is a binding with the name of its creator.
type BindingInfo struct {
	keystile.Binding
	CreatedByName string
}

// List returns all open bindings, by name.
func (b *Bindings) List(ctx context.Context, a Actor) (list []BindingInfo, err error) {
	err = b.read(ctx, a, "binding.list", "", admins, func(tx store.Tx) error {
		rows, err := tx.Bindings()
		if err != nil {
			return err
		}
		names := namesIn(tx)
		for _, row := range rows {
			creator, err := names.of(row.CreatedBy, SystemName)
			if err != nil {
				return err
			}
			list = append(list, BindingInfo{row, creator})
		}
		return nil
	})
	return list, err
}

// NewBinding is what is chosen of a binding. Name defaults to the bucket's,
// Mode to read.
type NewBinding struct {
	Name          string
	Bucket        keystile.Bucket
	Prefix        string
	Mode          keystile.BindingMode
	RatePerSecond float64
	IndexDocument string
}

// Create opens a bucket to anonymous reads.
func (b *Bindings) Create(ctx context.Context, a Actor, in NewBinding) (info BindingInfo, err error) {
	binding := keystile.Binding{
		Name: in.Name, Bucket: in.Bucket, Prefix: in.Prefix, Mode: in.Mode, RatePerSecond: in.RatePerSecond,
		IndexDocument: in.IndexDocument,
	}
	if binding.Name == "" {
		binding.Name = in.Bucket.Name
	}
	if binding.Mode == "" {
		binding.Mode = keystile.ModeRead
	}
	err = b.mutate(ctx, a, act{action: "binding.create", target: binding.Name, who: admins, do: func(ch *change) error {
		ch.aboutBucket(binding.Bucket)
		if err := b.check(ch, binding); err != nil {
			return err
		}
		binding.CreatedBy, binding.CreatedAt = ch.actor.Account.ID, ch.now
		if binding.Generation, err = ch.stamp(); err != nil {
			return err
		}
		ch.changed("opens", "%s/%s", binding.Bucket, binding.Prefix)
		ch.changed("mode", "%s", binding.Mode)
		ch.changed("rate_per_second", "%g", binding.RatePerSecond)
		if binding.IndexDocument != "" {
			ch.changed("index_document", "%s", binding.IndexDocument)
		}
		info = BindingInfo{binding, ch.actor.Account.Name}
		err := ch.CreateBinding(binding)
		if errors.Is(err, keystile.ErrConflict) {
			return &Explained{fmt.Sprintf("there is an anonymous binding %q already", binding.Name), err}
		}
		return err
	}})
	return info, err
}

func (b *Bindings) check(ch *change, binding keystile.Binding) error {
	var faults keystile.Faults
	if err := binding.Check(); err != nil && !errors.As(err, &faults) {
		return err
	}
	for i, f := range faults {
		// The rules of a scope are checked as those of a grant called "bucket";
		// the fields of a binding stand at the top.
		faults[i].Field = strings.TrimPrefix(f.Field, "bucket.")
	}
	exists, err := b.backends.exists(ch, binding.Bucket.Backend)
	if err != nil {
		return err
	}
	named := slices.ContainsFunc(faults, func(f keystile.Fault) bool { return f.Field == "backend" })
	if !exists && !named {
		faults.Add("backend", "there is no such backend")
	}
	return faults.Err()
}

// Remove closes a binding.
func (b *Bindings) Remove(ctx context.Context, a Actor, name string) error {
	return b.mutate(ctx, a, act{action: "binding.remove", target: name, who: admins, ends: true, do: func(ch *change) error {
		binding, err := ch.Binding(name)
		if err != nil {
			return err
		}
		ch.aboutBucket(binding.Bucket)
		if !binding.RemovedAt.IsZero() {
			return fmt.Errorf("binding %s: %w", name, keystile.ErrNotFound)
		}
		generation, err := ch.stamp()
		if err != nil {
			return err
		}
		return ch.RemoveBinding(name, ch.now, generation)
	}})
}
