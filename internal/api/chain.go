package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// Chain is how the audit journal stands.
type Chain struct {
	Journal   string  `json:"journal" doc:"the journal's id, in hex"`
	Record    uint64  `json:"record" doc:"number of the last durable record; 0 before the first"`
	Hash      string  `json:"hash,omitempty" doc:"of that record, in hex"`
	PublicKey string  `json:"public_key,omitempty" doc:"Ed25519, in base64, that anchors are signed with"`
	Anchor    *Anchor `json:"anchor,omitempty" doc:"the last one"`
}

// Anchor says, under a signature, how the journal stood.
type Anchor struct {
	Journal   string    `json:"journal" doc:"the journal's id, in hex"`
	Record    uint64    `json:"record" doc:"number of the last record by then"`
	Hash      string    `json:"hash" doc:"of that record, in hex"`
	Time      time.Time `json:"time" doc:"when it was signed"`
	PublicKey string    `json:"public_key" doc:"Ed25519, in base64"`
	Signature string    `json:"signature" doc:"in base64; the audit journal's reference says of what"`
	Retired   bool      `json:"retired,omitempty" doc:"says also that retention removed the records up to this one"`
}

func (h trail) mountChain(r *router, tag string) {
	register(r, operation{method: http.MethodGet, path: "/api/audit/chain", id: "getAuditChain", tag: tag,
		summary: "Tell how the audit journal stands"}, h.chain)
	register(r, operation{method: http.MethodGet, path: "/api/audit/anchors", id: "listAuditAnchors", tag: tag,
		summary: "List the signed anchors of the audit journal, oldest first"}, h.anchors)
	register(r, operation{method: http.MethodGet, path: "/api/audit/sinks", id: "listAuditSinks", tag: tag,
		summary: "Tell how it stands with those that the audit journal is shipped to"}, h.sinks)
}

// Sink is how it stands with a place that the audit journal is shipped to.
type Sink struct {
	Name     string     `json:"name"`
	Kind     string     `json:"kind" enum:"syslog,webhook,file,s3"`
	Target   string     `json:"target" doc:"where that is"`
	Records  bool       `json:"records" doc:"it gets records"`
	Anchors  bool       `json:"anchors" doc:"it gets anchors"`
	Position uint64     `json:"position" doc:"number of the last record that it took; 0 before the first"`
	Lag      uint64     `json:"lag" doc:"durable records that it has not got"`
	Anchored uint64     `json:"anchored" doc:"the record of the last anchor that it took; 0 before the first"`
	SentAt   *time.Time `json:"sent_at,omitempty" doc:"when it last took something; absent: not since the server started"`
	Failing  string     `json:"failing,omitempty" doc:"why it takes nothing now; absent: it does"`
	Since    *time.Time `json:"since,omitempty" doc:"from when on it has failed"`
}

func (h trail) sinks(ctx context.Context, _ *nothing) (*JSON[List[Sink]], error) {
	sinks, err := h.audit.Sinks(ctx, actorOf(ctx))
	return reply(listOf(sinks, func(s keystile.AuditSink) Sink {
		return Sink{
			Name: s.Name, Kind: s.Kind, Target: s.Target, Records: s.Records, Anchors: s.Anchors, Position: s.Position, Lag: s.Lag,
			Anchored: s.Anchored, SentAt: moment(s.SentAt), Failing: s.Failing, Since: moment(s.Since),
		}
	})), err
}

func (h trail) chain(ctx context.Context, _ *nothing) (*JSON[Chain], error) {
	c, err := h.audit.Chain(ctx, actorOf(ctx))
	view := Chain{Journal: c.Journal, Record: c.Record, Hash: c.Hash, PublicKey: c.PublicKey}
	if c.Anchor.Record > 0 {
		last := Anchor(c.Anchor)
		view.Anchor = &last
	}
	return reply(view), err
}

func (h trail) anchors(ctx context.Context, _ *nothing) (*JSON[List[Anchor]], error) {
	anchors, err := h.audit.Anchors(ctx, actorOf(ctx))
	return reply(listOf(anchors, func(a control.Anchor) Anchor { return Anchor(a) })), err
}
