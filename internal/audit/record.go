package audit

import (
	"encoding/json"
	"fmt"
	"time"

	"keystile/internal/keystile"
)

// record is one record of the journal, as JSON with exactly one field.
// docs/reference/audit-journal.md has its description.
type record struct {
	Event   *eventRecord   `json:"event,omitempty"`
	Outcome *outcomeRecord `json:"outcome,omitempty"`
	Tally   *tallyRecord   `json:"tally,omitempty"`
}

type eventRecord struct {
	ID        string               `json:"id"`
	Time      time.Time            `json:"time"`
	Action    string               `json:"action"`
	Result    keystile.Result      `json:"result"`
	Status    int                  `json:"status,omitempty"`
	Account   string               `json:"account,omitempty"`
	Backend   string               `json:"backend,omitempty"`
	Bucket    string               `json:"bucket,omitempty"`
	Key       string               `json:"key,omitempty"`
	SourceIP  string               `json:"source_ip,omitempty"`
	UserAgent string               `json:"user_agent,omitempty"`
	RequestID string               `json:"request_id,omitempty"`
	Open      bool                 `json:"open,omitempty"`
	Detail    keystile.EventDetail `json:"detail"`
}

type outcomeRecord struct {
	EventID string               `json:"event_id"`
	Result  keystile.Result      `json:"result"`
	Status  int                  `json:"status,omitempty"`
	Detail  keystile.EventDetail `json:"detail"`
}

type tallyRecord struct {
	EventID string    `json:"event_id"`
	Add     int64     `json:"add"`
	Last    time.Time `json:"last"`
}

// encode writes a batch as records, in the order in which they are applied.
func encode(b Batch) ([][]byte, error) {
	records := make([][]byte, 0, b.size())
	add := func(r record) error {
		data, err := json.Marshal(r)
		records = append(records, data)
		return err
	}
	for _, e := range b.Events {
		r := eventRecord(e)
		if err := add(record{Event: &r}); err != nil {
			return nil, fmt.Errorf("event %s: %w", e.ID, err)
		}
	}
	for _, o := range b.Outcomes {
		r := outcomeRecord(o)
		if err := add(record{Outcome: &r}); err != nil {
			return nil, fmt.Errorf("outcome of event %s: %w", o.EventID, err)
		}
	}
	for _, t := range b.Tallies {
		r := tallyRecord(t)
		if err := add(record{Tally: &r}); err != nil {
			return nil, fmt.Errorf("count of event %s: %w", t.EventID, err)
		}
	}
	return records, nil
}

func (b *Batch) size() int { return len(b.Events) + len(b.Outcomes) + len(b.Tallies) }

// decode reads one record into a batch of its own.
func decode(data []byte) (Batch, error) {
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return Batch{}, err
	}
	var b Batch
	if r.Event != nil {
		b.Events = []keystile.Event{keystile.Event(*r.Event)}
	}
	if r.Outcome != nil {
		b.Outcomes = []keystile.Outcome{keystile.Outcome(*r.Outcome)}
	}
	if r.Tally != nil {
		b.Tallies = []keystile.Tally{keystile.Tally(*r.Tally)}
	}
	if b.size() != 1 {
		return Batch{}, fmt.Errorf("a record holds %d things, want 1", b.size())
	}
	return b, nil
}

// merge joins batches that were made one after the other. An event that is
// closed by a later one of them is written closed.
func merge(batches []Batch) Batch {
	var all Batch
	place := map[string]int{}
	for _, b := range batches {
		for _, e := range b.Events {
			place[e.ID] = len(all.Events)
			all.Events = append(all.Events, e)
		}
		for _, o := range b.Outcomes {
			at, here := place[o.EventID]
			if !here {
				all.Outcomes = append(all.Outcomes, o)
				continue
			}
			if e := &all.Events[at]; e.Open {
				e.Open, e.Result, e.Status, e.Detail = false, o.Result, o.Status, o.Detail
			}
		}
		all.Tallies = append(all.Tallies, b.Tallies...)
	}
	return all
}
