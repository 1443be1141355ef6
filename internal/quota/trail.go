package quota

import (
	"time"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// FromTrail sums up what the audit trail tells was spent of allowances. It is called
// in the transaction that makes events and outcomes part of the trail's index: each
// write counts once, however often the process dies.
func FromTrail(tx store.Tx, events []keystile.Event, outcomes []keystile.Outcome) error {
	sums := spending{}
	for i := range events {
		sums.note(&events[i])
	}
	closing, err := store.Closing(tx, spendingOnly(outcomes))
	if err != nil {
		return err
	}
	for i := range closing {
		sums.note(&closing[i])
	}
	for of, bytes := range sums {
		if err := tx.AddSpent(of.accessKeyID, keystile.Spend{Bytes: bytes, Per: of.per, Since: of.since}); err != nil {
			return err
		}
	}
	return nil
}

// spending are sums by whose they are and of which span.
type spending map[spender]int64

type spender struct {
	accessKeyID string
	per         keystile.AllowancePer
	since       time.Time
}

func (s spending) note(e *keystile.Event) {
	if spends := e.Detail.Spends; spends != nil && !e.Open {
		s[spender{e.Detail.AccessKeyID, spends.Per, spends.Since.UTC()}] += spends.Bytes
	}
}

// spendingOnly spares those who spend nothing the look-up of their events.
func spendingOnly(outcomes []keystile.Outcome) (spend []keystile.Outcome) {
	for _, o := range outcomes {
		if o.Detail.Spends != nil {
			spend = append(spend, o)
		}
	}
	return spend
}
