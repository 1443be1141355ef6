package api

import (
	"context"
	"net/http"
	"time"

	"keystile/internal/control"
	"keystile/internal/keystile"
)

// quotas serves the quotas of buckets.
type quotas struct{ quotas *control.Quotas }

func (h quotas) mount(r *router) {
	const tag, path = "Quotas", "/api/backends/{backend}/buckets/{bucket}/quota"
	register(r, operation{method: http.MethodGet, path: "/api/quotas", id: "listQuotas", tag: tag,
		summary: "List the quotas of buckets, with what counts against them"}, h.list)
	register(r, operation{method: http.MethodGet, path: "/api/quota-alerts", id: "getQuotaAlerts", tag: tag,
		summary: "Show which caps are met", description: "Buckets over a soft cap now, and those whose hard cap refused a write in the last day and was not changed since."}, h.alerts)
	register(r, operation{method: http.MethodGet, path: path, id: "getBucketQuota", tag: tag,
		summary: "Show a bucket's quota and usage"}, h.show)
	register(r, operation{method: http.MethodPut, path: path, id: "setBucketQuota", tag: tag,
		summary:     "Cap what may be stored in a bucket",
		description: "A cap that is left out is none. A bucket that had no quota is counted first: until that is done, writes are refused with 503 if a cap is hard. To set one on a large bucket without that, count it before: scanBucket."}, h.set)
	register(r, operation{method: http.MethodDelete, path: path, id: "clearBucketQuota", tag: tag,
		summary: "Take a bucket's quota away", description: "The bucket is no longer counted."}, h.clear)
	register(r, operation{method: http.MethodPost, path: path + "/scan", id: "scanBucket", tag: tag,
		summary: "Count what a bucket holds", description: "Counts in the background, with all versions and the parts of uploads. A bucket that had no quota gets one without caps."}, h.scan)
	register(r, operation{method: http.MethodDelete, path: path + "/scan", id: "cancelBucketScan", tag: tag,
		summary: "End the count of a bucket"}, h.cancel)
}

// QuotaCaps are what may be stored in a bucket.
type QuotaCaps struct {
	SoftBytes   *int64 `json:"soft_bytes,omitempty" minimum:"0" doc:"above it writes pass with a warning"`
	HardBytes   *int64 `json:"hard_bytes,omitempty" minimum:"0" doc:"above it no write passes"`
	SoftObjects *int64 `json:"soft_objects,omitempty" minimum:"0"`
	HardObjects *int64 `json:"hard_objects,omitempty" minimum:"0" doc:"versions count as objects"`
}

// BucketQuota is a bucket's quota with its usage.
type BucketQuota struct {
	Backend string `json:"backend"`
	Bucket  string `json:"bucket"`
	QuotaCaps
	Usage     QuotaUsage `json:"usage"`
	TrackedAt time.Time  `json:"tracked_at" doc:"since when the bucket is counted"`
	UpdatedAt time.Time  `json:"updated_at"`
}

// QuotaUsage is what counts against caps: used, reserved and unknown together.
type QuotaUsage struct {
	UsedBytes       int64      `json:"used_bytes"`
	UsedObjects     int64      `json:"used_objects"`
	ReservedBytes   int64      `json:"reserved_bytes" doc:"of writes under way"`
	ReservedObjects int64      `json:"reserved_objects"`
	UnknownBytes    int64      `json:"unknown_bytes" doc:"of writes whose outcome was not learnt, until the bucket is counted"`
	UnknownObjects  int64      `json:"unknown_objects"`
	ScannedAt       *time.Time `json:"scanned_at,omitempty" doc:"when the last count began; absent: never counted"`
	DriftBytes      int64      `json:"drift_bytes" doc:"what the last count found more than was known"`
	DriftObjects    int64      `json:"drift_objects"`
	NeedsScan       bool       `json:"needs_scan" doc:"more may count than is stored; a count will come by itself"`
	Scan            *QuotaScan `json:"scan,omitempty" doc:"a count that is under way"`
	ScanError       string     `json:"scan_error,omitempty" doc:"why the last count failed"`
}

// QuotaScan is how far a count has come.
type QuotaScan struct {
	StartedAt time.Time `json:"started_at"`
	Objects   int64     `json:"objects"`
	Bytes     int64     `json:"bytes"`
	Pages     int64     `json:"pages"`
	Resumed   bool      `json:"resumed" doc:"it goes on with what was counted before a restart"`
}

func capOf(n int64) *int64 {
	if n == keystile.NoCap {
		return nil
	}
	return &n
}

func capIn(n *int64) int64 {
	if n == nil {
		return keystile.NoCap
	}
	return *n
}

func quotaView(q control.QuotaInfo) BucketQuota {
	u := q.Usage
	view := BucketQuota{
		Backend: q.Bucket.Backend, Bucket: q.Bucket.Name, TrackedAt: q.TrackedAt, UpdatedAt: q.UpdatedAt,
		QuotaCaps: QuotaCaps{capOf(q.Soft.Bytes), capOf(q.Hard.Bytes), capOf(q.Soft.Objects), capOf(q.Hard.Objects)},
		Usage: QuotaUsage{
			UsedBytes: u.Used.Bytes, UsedObjects: u.Used.Objects, ReservedBytes: u.Reserved.Bytes, ReservedObjects: u.Reserved.Objects,
			UnknownBytes: u.Unknown.Bytes, UnknownObjects: u.Unknown.Objects, ScannedAt: moment(u.CountedAt),
			DriftBytes: u.Drift.Bytes, DriftObjects: u.Drift.Objects, NeedsScan: u.Recount, ScanError: u.ScanError,
		},
	}
	if u.Scan != nil {
		view.Usage.Scan = &QuotaScan{u.Scan.StartedAt, u.Scan.Seen.Objects, u.Scan.Seen.Bytes, u.Scan.Pages, u.Scan.Resumed}
	}
	return view
}

func (h quotas) list(ctx context.Context, _ *nothing) (*JSON[List[BucketQuota]], error) {
	list, err := h.quotas.List(ctx, actorOf(ctx))
	return reply(listOf(list, quotaView)), err
}

func (h quotas) show(ctx context.Context, in *ByBucket) (*JSON[BucketQuota], error) {
	info, err := h.quotas.Show(ctx, actorOf(ctx), in.bucket())
	return reply(quotaView(info)), err
}

func (h quotas) set(ctx context.Context, in *struct {
	ByBucket
	JSON[QuotaCaps]
}) (*JSON[BucketQuota], error) {
	c := in.Body
	info, err := h.quotas.Set(ctx, actorOf(ctx), keystile.BucketQuota{
		Bucket: in.bucket(),
		Soft:   keystile.Amount{Bytes: capIn(c.SoftBytes), Objects: capIn(c.SoftObjects)},
		Hard:   keystile.Amount{Bytes: capIn(c.HardBytes), Objects: capIn(c.HardObjects)},
	})
	return reply(quotaView(info)), err
}

func (h quotas) clear(ctx context.Context, in *ByBucket) (*nothing, error) {
	return nil, h.quotas.Clear(ctx, actorOf(ctx), in.bucket())
}

func (h quotas) scan(ctx context.Context, in *ByBucket) (*JSON[BucketQuota], error) {
	info, err := h.quotas.Scan(ctx, actorOf(ctx), in.bucket())
	return reply(quotaView(info)), err
}

func (h quotas) cancel(ctx context.Context, in *ByBucket) (*nothing, error) {
	return nil, h.quotas.CancelScan(ctx, actorOf(ctx), in.bucket())
}

// QuotaAlerts are caps that are met.
type QuotaAlerts struct {
	Soft    []BucketQuota  `json:"soft" doc:"over a soft cap now"`
	Refused []QuotaRefusal `json:"refused" doc:"the newest refusal of each bucket"`
}

// QuotaRefusal is a write that a hard cap refused.
type QuotaRefusal struct {
	Backend     string    `json:"backend"`
	Bucket      string    `json:"bucket"`
	At          time.Time `json:"at"`
	Message     string    `json:"message"`
	AccessKeyID string    `json:"access_key_id,omitempty"`
	RequestID   string    `json:"request_id,omitempty"`
	EventID     string    `json:"event_id"`
}

func (h quotas) alerts(ctx context.Context, _ *nothing) (*JSON[QuotaAlerts], error) {
	found, err := h.quotas.Alerts(ctx, actorOf(ctx))
	return reply(QuotaAlerts{
		Soft: listOf(found.Soft, quotaView).Items,
		Refused: listOf(found.Refused, func(n keystile.Notice) QuotaRefusal {
			return QuotaRefusal{
				Backend: n.Bucket.Backend, Bucket: n.Bucket.Name, At: n.At, Message: n.Message,
				AccessKeyID: n.AccessKeyID, RequestID: n.RequestID, EventID: n.ID,
			}
		}).Items,
	}), err
}
