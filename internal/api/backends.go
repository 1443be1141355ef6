package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// backends serves upstream endpoints.
type backends struct{ backends *control.Backends }

func (h backends) mount(r *router) {
	const tag, one = "Backends", "/api/backends/{backend}"
	register(r, operation{method: http.MethodGet, path: "/api/backends", id: "listBackends", tag: tag,
		summary: "List backends with their health"}, h.list)
	register(r, operation{method: http.MethodPost, path: "/api/backends", id: "createBackend", tag: tag,
		summary: "Add a backend", status: http.StatusCreated, description: "Its secret is sealed and never shown."}, h.create)
	register(r, operation{method: http.MethodGet, path: one, id: "getBackend", tag: tag,
		summary: "Show a backend"}, h.get)
	register(r, operation{method: http.MethodPatch, path: one, id: "updateBackend", tag: tag,
		summary: "Edit a backend", description: "A new endpoint or access key needs the secret again."}, h.update)
	register(r, operation{method: http.MethodDelete, path: one, id: "deleteBackend", tag: tag,
		summary: "Remove a backend", description: "Refused while live credentials or bindings name it, and for backends of the configuration file."}, h.delete)
	register(r, operation{method: http.MethodPost, path: one + "/test", id: "testBackend", tag: tag,
		summary: "Try a backend step by step"}, h.test)
}

// Backend is one upstream S3 endpoint.
type Backend struct {
	ID          string     `json:"id"`
	Kind        string     `json:"kind" enum:"s3,embedded,ceph-rgw"`
	Endpoint    string     `json:"endpoint,omitempty"`
	Region      string     `json:"region"`
	PathStyle   bool       `json:"path_style"`
	AccessKeyID string     `json:"access_key_id,omitempty"`
	Source      string     `json:"source" enum:"config,store" doc:"what the configuration file declares, only the file changes"`
	Health      Health     `json:"health"`
	KeepsKeys   bool       `json:"keeps_keys" doc:"proven to store keys byte by byte"`
	CreatedAt   *time.Time `json:"created_at,omitempty"`

	ForceHashing bool       `json:"force_hashing" doc:"every body is verified here, whatever the backend is proven to verify"`
	Scratch      string     `json:"scratch,omitempty" doc:"BUCKET/PREFIX under which probes write; absent: in a bucket that they make and remove"`
	ProbedAt     *time.Time `json:"probed_at,omitempty" doc:"when a probe last ran to its end; absent: never"`
	Abilities    []Ability  `json:"abilities" doc:"what the backend is proven to do; what is not proven is taken for something that it does not do"`

	AdminEndpoint    string `json:"admin_endpoint,omitempty" doc:"of a Ceph's Admin Ops API; absent: the endpoint"`
	AdminAccessKeyID string `json:"admin_access_key_id,omitempty"`
}

// Ability is something that a backend can be proven to do.
type Ability struct {
	Name      string     `json:"name" example:"checks_digest"`
	Title     string     `json:"title" example:"Digests"`
	Verdict   string     `json:"verdict" enum:"yes,no,unknown"`
	Means     string     `json:"means" doc:"what follows from the verdict"`
	Note      string     `json:"note,omitempty" doc:"what was seen, or why it is unknown"`
	ProvenAt  *time.Time `json:"proven_at,omitempty" doc:"when the verdict was found"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"when it becomes unknown unless it is found again"`
}

func abilityViews(found keystile.Abilities, forced bool) []Ability {
	all := make([]Ability, 0, len(found))
	for _, a := range keystile.AllAbilities() {
		f := found[a]
		view := Ability{
			Name: a.String(), Title: a.Title(), Verdict: f.Verdict.String(), Means: a.Means(f.Verdict, forced),
			Note: f.Note, ProvenAt: moment(f.At),
		}
		if f.Verdict != keystile.Unknown {
			view.ExpiresAt = moment(f.At.Add(keystile.ProbeTTL))
		}
		all = append(all, view)
	}
	return all
}

// Health is what was last seen of a backend.
type Health struct {
	Healthy    bool       `json:"healthy"`
	CheckedAt  *time.Time `json:"checked_at,omitempty" doc:"absent: not checked yet"`
	LatencyMS  float64    `json:"latency_ms"`
	Message    string     `json:"message,omitempty"`
	Unverified bool       `json:"tls_unverified,omitempty" doc:"the configuration says to take any certificate of the backend: whoever stands between can read and change everything"`
	Circuit    string     `json:"circuit,omitempty" enum:"open,half-open" doc:"absent: requests pass. open: it failed too often and requests to it are refused until it answers a probe. half-open: it answered one, and the next failure opens the circuit again"`
}

// NewBackend is what is chosen of a backend.
type NewBackend struct {
	ID              string `json:"id" example:"ceph-1"`
	Kind            string `json:"kind,omitempty" enum:"s3,ceph-rgw" default:"s3"`
	Endpoint        string `json:"endpoint" example:"https://s3.example.com"`
	Region          string `json:"region" example:"us-east-1"`
	PathStyle       *bool  `json:"path_style,omitempty" doc:"address buckets in the path; absent: true"`
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key" format:"password" writeOnly:"true"`

	ForceHashing bool   `json:"force_hashing,omitempty" doc:"verify every body here"`
	Scratch      string `json:"scratch,omitempty" example:"bucket/keystile-probes" doc:"BUCKET/PREFIX for probes, where they cannot make a bucket"`

	AdminEndpoint        string `json:"admin_endpoint,omitempty" doc:"of a Ceph's Admin Ops API; absent: the endpoint"`
	AdminAccessKeyID     string `json:"admin_access_key_id,omitempty" doc:"needed for kind ceph-rgw"`
	AdminSecretAccessKey string `json:"admin_secret_access_key,omitempty" format:"password" writeOnly:"true" doc:"needed for kind ceph-rgw"`
}

// BackendEdit changes what it has.
type BackendEdit struct {
	Endpoint        *string `json:"endpoint,omitempty"`
	Region          *string `json:"region,omitempty"`
	PathStyle       *bool   `json:"path_style,omitempty"`
	AccessKeyID     *string `json:"access_key_id,omitempty"`
	SecretAccessKey *string `json:"secret_access_key,omitempty" format:"password" writeOnly:"true"`

	ForceHashing *bool   `json:"force_hashing,omitempty" doc:"verify every body here"`
	Scratch      *string `json:"scratch,omitempty" doc:"BUCKET/PREFIX for probes; empty: they make a bucket"`

	AdminEndpoint        *string `json:"admin_endpoint,omitempty" doc:"of a Ceph's Admin Ops API; empty: the endpoint"`
	AdminAccessKeyID     *string `json:"admin_access_key_id,omitempty"`
	AdminSecretAccessKey *string `json:"admin_secret_access_key,omitempty" format:"password" writeOnly:"true"`
}

// TestReport is the outcome of a test: every step up to and with the first that
// failed.
type TestReport struct {
	OK          bool       `json:"ok"`
	Steps       []TestStep `json:"steps"`
	ClockSkewMS int64      `json:"clock_skew_ms" doc:"the backend's clock less ours"`
	Buckets     int        `json:"buckets"`
	KeepsKeys   bool       `json:"keeps_keys"`
	Abilities   []Ability  `json:"abilities"`
}

// TestStep is one line of a test.
type TestStep struct {
	Name    string `json:"name" doc:"reach, sign, list, clock, admin, keys or abilities"`
	OK      bool   `json:"ok"`
	Message string `json:"message,omitempty"`
	Mend    string `json:"mend,omitempty" doc:"the command at the storage that mends it, where one is known"`
}

func backendView(b control.BackendInfo) Backend {
	return Backend{
		ID: b.ID, Kind: string(b.Kind), Endpoint: b.Endpoint, Region: b.Region, PathStyle: b.PathStyle,
		AccessKeyID: b.AccessKeyID, Source: string(b.Source), CreatedAt: moment(b.CreatedAt),
		KeepsKeys: b.Health.Abilities[keystile.KeepsKeys].Verdict == keystile.Yes,
		Health:    healthView(b.Health), ForceHashing: b.ForceHashing, Scratch: b.Scratch,
		ProbedAt: moment(b.Health.ProbedAt), Abilities: abilityViews(b.Health.Abilities, b.ForceHashing),
		AdminEndpoint: b.AdminEndpoint, AdminAccessKeyID: b.AdminAccessKeyID,
	}
}

func healthView(h keystile.Health) Health {
	view := Health{Healthy: h.Healthy, CheckedAt: moment(h.CheckedAt), LatencyMS: milliseconds(h.Latency), Message: h.Message, Unverified: h.Unverified}
	if h.Circuit != keystile.CircuitClosed {
		view.Circuit = string(h.Circuit)
	}
	return view
}

// ByBackend names a backend in the path.
type ByBackend struct {
	Backend string `path:"backend" example:"ceph-1"`
}

func (h backends) list(ctx context.Context, _ *nothing) (*JSON[List[Backend]], error) {
	list, err := h.backends.List(ctx, actorOf(ctx))
	return reply(listOf(list, backendView)), err
}

func (h backends) create(ctx context.Context, in *JSON[NewBackend]) (*JSON[Backend], error) {
	made, err := h.backends.Create(ctx, actorOf(ctx), control.NewBackend{
		ID: in.Body.ID, Kind: keystile.BackendKind(in.Body.Kind), Endpoint: in.Body.Endpoint, Region: in.Body.Region,
		PathStyle: in.Body.PathStyle == nil || *in.Body.PathStyle, AccessKeyID: in.Body.AccessKeyID,
		Secret: keystile.NewSecret(in.Body.SecretAccessKey), ForceHashing: in.Body.ForceHashing, Scratch: in.Body.Scratch,
		AdminEndpoint: in.Body.AdminEndpoint, AdminAccessKeyID: in.Body.AdminAccessKeyID, AdminSecret: keystile.NewSecret(in.Body.AdminSecretAccessKey),
	})
	return reply(backendView(made)), err
}

func (h backends) get(ctx context.Context, in *ByBackend) (*JSON[Backend], error) {
	info, err := h.backends.Get(ctx, actorOf(ctx), in.Backend)
	return reply(backendView(info)), err
}

func (h backends) update(ctx context.Context, in *struct {
	ByBackend
	JSON[BackendEdit]
}) (*JSON[Backend], error) {
	edit := control.BackendEdit{
		Endpoint: in.Body.Endpoint, Region: in.Body.Region, PathStyle: in.Body.PathStyle, AccessKeyID: in.Body.AccessKeyID,
		ForceHashing: in.Body.ForceHashing, Scratch: in.Body.Scratch,
		AdminEndpoint: in.Body.AdminEndpoint, AdminAccessKeyID: in.Body.AdminAccessKeyID,
	}
	if in.Body.AdminSecretAccessKey != nil {
		secret := secretOf(in.Body.AdminSecretAccessKey)
		edit.AdminSecret = &secret
	}
	if in.Body.SecretAccessKey != nil {
		secret := secretOf(in.Body.SecretAccessKey)
		edit.Secret = &secret
	}
	info, err := h.backends.Update(ctx, actorOf(ctx), in.Backend, edit)
	return reply(backendView(info)), err
}

func (h backends) delete(ctx context.Context, in *ByBackend) (*nothing, error) {
	return nil, h.backends.Delete(ctx, actorOf(ctx), in.Backend)
}

func (h backends) test(ctx context.Context, in *ByBackend) (*JSON[TestReport], error) {
	report, err := h.backends.Test(ctx, actorOf(ctx), in.Backend)
	view := TestReport{
		OK: report.OK, Steps: make([]TestStep, len(report.Steps)), ClockSkewMS: report.ClockSkew.Milliseconds(),
		Buckets: report.Buckets, KeepsKeys: report.Abilities[keystile.KeepsKeys].Verdict == keystile.Yes,
		Abilities: abilityViews(report.Abilities, report.ForceHashing),
	}
	for i, step := range report.Steps {
		view.Steps[i] = TestStep(step)
	}
	return reply(view), err
}
