package control

import (
	"context"
	"errors"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// Backends are the use cases of upstream endpoints; for admins.
type Backends struct {
	*core
	upstreams Upstreams
	backends  *backendLookup
}

// BackendInfo is a backend with its health.
type BackendInfo struct {
	keystile.Backend
	Health keystile.Health
}

// backendLookup finds backends in the configuration and in the store.
type backendLookup struct{ upstreams Upstreams }

func (l *backendLookup) declared(id string) (keystile.Backend, bool) {
	for _, b := range l.upstreams.Declared() {
		if b.ID == id {
			return b, true
		}
	}
	return keystile.Backend{}, false
}

func (l *backendLookup) get(tx store.Tx, id string) (keystile.Backend, error) {
	if b, ok := l.declared(id); ok {
		return b, nil
	}
	return tx.Backend(id)
}

func (l *backendLookup) exists(tx store.Tx, id string) (bool, error) {
	_, err := l.get(tx, id)
	if errors.Is(err, keystile.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// List returns all backends, by id.
func (b *Backends) List(ctx context.Context, a Actor) (list []BackendInfo, err error) {
	err = b.read(ctx, a, "backend.list", "", admins, func(tx store.Tx) error {
		list, err = b.all(tx)
		return err
	})
	return list, err
}

// Get returns one backend.
func (b *Backends) Get(ctx context.Context, a Actor, id string) (info BackendInfo, err error) {
	err = b.read(ctx, a, "backend.show", id, admins, func(tx store.Tx) error {
		backend, err := b.backends.get(tx, id)
		info = BackendInfo{backend, b.upstreams.Health()[id]}
		return err
	})
	return info, err
}

// NewBackend is a backend of kind s3 or ceph-rgw as an admin adds it.
type NewBackend struct {
	ID          string
	Kind        keystile.BackendKind
	Endpoint    string
	Region      string
	PathStyle   bool
	AccessKeyID string
	Secret      keystile.Secret

	ForceHashing bool
	Scratch      string

	AdminEndpoint    string
	AdminAccessKeyID string
	AdminSecret      keystile.Secret
}

// Create adds a backend.
func (b *Backends) Create(ctx context.Context, a Actor, in NewBackend) (info BackendInfo, err error) {
	backend := keystile.Backend{
		ID: in.ID, Kind: in.Kind, Endpoint: in.Endpoint, Region: in.Region, PathStyle: in.PathStyle,
		AccessKeyID: in.AccessKeyID, ForceHashing: in.ForceHashing, Scratch: in.Scratch, Source: keystile.SourceStore,
		AdminEndpoint: in.AdminEndpoint, AdminAccessKeyID: in.AdminAccessKeyID,
	}
	err = b.mutate(ctx, a, act{
		action: "backend.create", target: in.ID, who: admins,
		prepare: func(ctx context.Context) error { return b.check(ctx, backend, in) },
		do: func(ch *change) error {
			ch.event.Backend = in.ID
			exists, err := b.backends.exists(ch, in.ID)
			if err != nil {
				return err
			}
			if exists {
				return explain(keystile.ErrConflict, "there is a backend %q already", in.ID)
			}
			backend.CreatedAt, backend.UpdatedAt = ch.now, ch.now
			if backend.Generation, err = ch.stamp(); err != nil {
				return err
			}
			ch.describeBackend(backend)
			info = BackendInfo{Backend: backend}
			if err := ch.CreateBackend(backend, in.Secret); err != nil || in.AdminSecret.IsZero() {
				return err
			}
			return ch.SetBackendAdminSecret(backend.ID, in.AdminSecret)
		},
	})
	return info, err
}

func (b *Backends) check(ctx context.Context, backend keystile.Backend, in NewBackend) error {
	var faults keystile.Faults
	if err := backend.Check(); err != nil && !errors.As(err, &faults) {
		return err
	}
	if backend.Kind == keystile.KindEmbedded {
		faults.Add("kind", "an embedded backend is declared in the configuration file")
	}
	if in.Secret.IsZero() {
		faults.Add("secret_access_key", "a secret access key is needed")
	}
	if isCeph := backend.Kind == keystile.KindCeph; isCeph == in.AdminSecret.IsZero() {
		faults.Add("admin_secret_access_key", "the secret of the Admin Ops API's key is needed for kind %s, and for no other", keystile.KindCeph)
	}
	if err := faults.Err(); err != nil {
		return err
	}
	return b.checkEndpoint(ctx, backend)
}

func (b *Backends) checkEndpoint(ctx context.Context, backend keystile.Backend) error {
	err := b.upstreams.CheckEndpoint(ctx, backend)
	var faults keystile.Faults
	if errors.Is(err, keystile.ErrInvalid) && !errors.As(err, &faults) {
		return keystile.Faults{{Field: "endpoint", Message: "this address may not be connected to"}}
	}
	return err
}

func (ch *change) describeBackend(b keystile.Backend) {
	ch.changed("endpoint", "%s", b.Endpoint)
	ch.changed("region", "%s", b.Region)
	ch.changed("path_style", "%t", b.PathStyle)
	ch.changed("access_key_id", "%s", b.AccessKeyID)
	ch.changed("force_hashing", "%t", b.ForceHashing)
	ch.changed("scratch", "%s", b.Scratch)
	if b.Kind == keystile.KindCeph {
		ch.changed("admin_endpoint", "%s", b.AdminURL())
		ch.changed("admin_access_key_id", "%s", b.AdminAccessKeyID)
	}
}

// BackendEdit changes what is not nil.
type BackendEdit struct {
	Endpoint    *string
	Region      *string
	PathStyle   *bool
	AccessKeyID *string
	Secret      *keystile.Secret

	ForceHashing *bool
	Scratch      *string

	AdminEndpoint    *string
	AdminAccessKeyID *string
	AdminSecret      *keystile.Secret
}

// Update edits a backend that was added here. A new endpoint or access key asks
// for the secret again, so that nobody can have requests signed with the stored
// secret sent elsewhere.
func (b *Backends) Update(ctx context.Context, a Actor, id string, edit BackendEdit) (info BackendInfo, err error) {
	err = b.mutate(ctx, a, act{
		action: "backend.update", target: id, who: admins,
		prepare: func(ctx context.Context) error { return b.checkEdit(ctx, id, edit) },
		do: func(ch *change) error {
			ch.event.Backend = id
			backend, err := b.editable(ch, id)
			if err != nil {
				return err
			}
			if err := edit.apply(ch, &backend); err != nil {
				return err
			}
			secret, err := ch.BackendSecret(id)
			if err != nil {
				return err
			}
			if edit.Secret != nil {
				secret = *edit.Secret
				ch.changed("secret_access_key", "replaced")
			}
			backend.UpdatedAt = ch.now
			if backend.Generation, err = ch.stamp(); err != nil {
				return err
			}
			info = BackendInfo{backend, b.upstreams.Health()[id]}
			if err := ch.UpdateBackend(backend, secret); err != nil || edit.AdminSecret == nil {
				return err
			}
			ch.changed("admin_secret_access_key", "replaced")
			return ch.SetBackendAdminSecret(id, *edit.AdminSecret)
		},
	})
	return info, err
}

// checkEdit looks a new endpoint up outside of the transaction.
func (b *Backends) checkEdit(ctx context.Context, id string, edit BackendEdit) error {
	if edit.Secret != nil && edit.Secret.IsZero() {
		return keystile.Faults{{Field: "secret_access_key", Message: "a secret access key is needed"}}
	}
	if edit.AdminSecret != nil && edit.AdminSecret.IsZero() {
		return keystile.Faults{{Field: "admin_secret_access_key", Message: "a secret access key is needed"}}
	}
	for field, endpoint := range map[string]*string{"endpoint": edit.Endpoint, "admin_endpoint": edit.AdminEndpoint} {
		if endpoint == nil || *endpoint == "" && field == "admin_endpoint" {
			continue
		}
		if err := b.checkNewEndpoint(ctx, id, field, *endpoint); err != nil {
			return err
		}
	}
	return nil
}

func (b *Backends) checkNewEndpoint(ctx context.Context, id, field, endpoint string) error {
	proposed := keystile.Backend{ID: id, Kind: keystile.KindS3, Endpoint: endpoint, Region: "any", AccessKeyID: "any"}
	err := proposed.Check()
	if err == nil {
		err = b.checkEndpoint(ctx, proposed)
	}
	var faults keystile.Faults
	if errors.As(err, &faults) {
		for i := range faults {
			faults[i].Field = field
		}
		return faults
	}
	return err
}

func (e BackendEdit) apply(ch *change, b *keystile.Backend) error {
	was := *b
	replace(&b.Endpoint, e.Endpoint)
	replace(&b.Region, e.Region)
	replace(&b.PathStyle, e.PathStyle)
	replace(&b.AccessKeyID, e.AccessKeyID)
	replace(&b.ForceHashing, e.ForceHashing)
	replace(&b.Scratch, e.Scratch)
	replace(&b.AdminEndpoint, e.AdminEndpoint)
	replace(&b.AdminAccessKeyID, e.AdminAccessKeyID)
	if err := b.Check(); err != nil {
		return err
	}
	if (b.Endpoint != was.Endpoint || b.AccessKeyID != was.AccessKeyID) && e.Secret == nil {
		return keystile.Faults{{Field: "secret_access_key", Message: "a new endpoint or access key needs the secret again"}}
	}
	if e.AdminSecret != nil && b.Kind != keystile.KindCeph {
		return keystile.Faults{{Field: "admin_secret_access_key", Message: "only a Ceph has an Admin Ops API"}}
	}
	if (b.AdminURL() != was.AdminURL() || b.AdminAccessKeyID != was.AdminAccessKeyID) && b.Kind == keystile.KindCeph && e.AdminSecret == nil {
		return keystile.Faults{{Field: "admin_secret_access_key", Message: "a new endpoint or access key of the Admin Ops API needs its secret again"}}
	}
	ch.describeBackend(*b)
	return nil
}

func replace[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

func (b *Backends) editable(ch *change, id string) (keystile.Backend, error) {
	if _, ok := b.backends.declared(id); ok {
		return keystile.Backend{}, explain(keystile.ErrConflict, "backend %q is declared in the configuration file, which alone changes it", id)
	}
	return ch.Backend(id)
}

// Delete removes a backend that nothing names any more.
func (b *Backends) Delete(ctx context.Context, a Actor, id string) error {
	return b.mutate(ctx, a, act{action: "backend.delete", target: id, who: admins, ends: true, do: func(ch *change) error {
		ch.event.Backend = id
		if _, err := b.editable(ch, id); err != nil {
			return err
		}
		used, err := ch.BackendInUse(id)
		if err != nil {
			return err
		}
		if used {
			return explain(keystile.ErrConflict, "live credentials, anonymous bindings or RGW users still name backend %q", id)
		}
		if _, err := ch.stamp(); err != nil {
			return err
		}
		return ch.DeleteBackend(id)
	}})
}

// Test tries a backend step by step.
func (b *Backends) Test(ctx context.Context, a Actor, id string) (report keystile.TestReport, err error) {
	var backend keystile.Backend
	var secret keystile.Secret
	err = b.outside(ctx, a, act{action: "backend.test", target: id, who: admins, do: func(ch *change) error {
		ch.event.Backend = id
		backend, err = b.backends.get(ch, id)
		if err != nil || backend.Source == keystile.SourceConfig {
			return err
		}
		secret, err = ch.BackendSecret(id)
		return err
	}}, func(ctx context.Context) error {
		report = b.upstreams.Test(ctx, backend, secret)
		return nil
	})
	return report, err
}
