package traffic

import (
	"keystile/internal/keystile"
	"keystile/internal/s3wire"
	"keystile/internal/store"
)

// FromTrail meters the mutations that the audit trail tells of. It is called in
// the transaction that makes them part of the trail's index: each is metered once,
// however often the process dies.
func FromTrail() func(store.Tx, []keystile.Event, []keystile.Outcome) error {
	actions := map[string]*s3wire.Operation{}
	for _, op := range s3wire.Operations() {
		if op.Mutates() {
			actions[op.Action()] = &op
		}
	}
	return func(tx store.Tx, events []keystile.Event, outcomes []keystile.Outcome) error {
		sums := map[meterKey]keystile.Meter{}
		for i := range events {
			note(sums, actions, &events[i])
		}
		closing, err := store.Closing(tx, outcomes)
		if err != nil {
			return err
		}
		for i := range closing {
			note(sums, actions, &closing[i])
		}
		counts := make([]keystile.MeterCount, 0, len(sums))
		for key, m := range sums {
			counts = append(counts, keystile.MeterCount{Day: dayAt(key.day), Bucket: key.bucket, AccessKeyID: key.accessKeyID, Meter: m})
		}
		return tx.AddMeters(counts)
	}
}

// note adds a mutation that was carried out.
func note(sums map[meterKey]keystile.Meter, actions map[string]*s3wire.Operation, e *keystile.Event) {
	op := actions[e.Action]
	if op == nil || e.Open || e.Result != keystile.ResultOK {
		return
	}
	key := meterKey{day: dayOf(e.Time), bucket: keystile.Bucket{Backend: e.Backend, Name: e.Bucket}}
	if e.Detail.Authenticated {
		key.accessKeyID = e.Detail.AccessKeyID
	}
	m := keystile.Meter{Writes: 1}
	if op.Class == s3wire.ClassDelete {
		m = keystile.Meter{Deletes: 1}
	}
	if op.Body == s3wire.Payload {
		m.BytesIn = max(e.Detail.Bytes, 0)
	}
	sums[key] = sums[key].Plus(m)
}
