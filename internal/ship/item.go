package ship

import (
	"encoding/json"
	"fmt"
	"time"

	"keystile/internal/journal"
)

// Item is what a sink gets: a record of the journal, or an anchor.
type Item struct {
	Journal string // its id, in hex
	Record  uint64 // its number; of an anchor: that of the record it is of
	Kind    string // event, outcome, tally or anchor
	Time    time.Time
	Severe  bool   // something was refused, or failed
	Retired bool   // an anchor that says what retention removed
	JSON    []byte // one line, without its end
}

// The kinds of items: those of records, as the journal names them, and anchors.
const (
	KindEvent   = "event"
	KindOutcome = "outcome"
	KindTally   = "tally"
	KindAnchor  = "anchor"
)

// head is what is looked at in a record.
type head struct {
	Event *struct {
		Time   time.Time `json:"time"`
		Result string    `json:"result"`
	} `json:"event"`
	Outcome *struct {
		Result string `json:"result"`
	} `json:"outcome"`
	Tally *struct {
		Last time.Time `json:"last"`
	} `json:"tally"`
}

// recordItem puts the journal and the number before what a record holds.
func recordItem(journalID string, seq uint64, payload []byte, now time.Time) (Item, error) {
	var h head
	if err := json.Unmarshal(payload, &h); err != nil {
		return Item{}, fmt.Errorf("record %d: %w", seq, err)
	}
	item := Item{Journal: journalID, Record: seq, Time: now}
	switch {
	case h.Event != nil:
		item.Kind, item.Time, item.Severe = KindEvent, h.Event.Time, severe(h.Event.Result)
	case h.Outcome != nil:
		item.Kind, item.Severe = KindOutcome, severe(h.Outcome.Result)
	case h.Tally != nil:
		item.Kind, item.Time, item.Severe = KindTally, h.Tally.Last, true
	default:
		return Item{}, fmt.Errorf("record %d holds none of what is known", seq)
	}
	item.JSON = fmt.Appendf(nil, `{"journal":%q,"record":%d,%s`, journalID, seq, payload[1:])
	return item, nil
}

func severe(result string) bool { return result != "" && result != "ok" }

func anchorItem(a journal.Anchor) (Item, error) {
	line, err := json.Marshal(a)
	return Item{Journal: a.Journal, Record: a.Record, Kind: KindAnchor, Time: a.Time, Retired: a.Retired, JSON: line}, err
}
