package api

import (
	"testing"
	"time"

	"keystile/internal/audit"
)

// quietJournal is one of two records, of which the first was anchored.
type quietJournal struct{}

func (quietJournal) Chain() audit.Chain {
	anchors, _ := quietJournal{}.AnchorsMade()
	return audit.Chain{Journal: "0123", Record: 2, Hash: "beef", PublicKey: "a2V5", Anchor: anchors[0]}
}

func (quietJournal) Follow() (*audit.Tail, error) {
	return audit.EndedTail(audit.ErrTailsEnded), nil
}

func (quietJournal) AnchorsMade() ([]audit.Anchor, error) {
	return []audit.Anchor{{Journal: "0123", Record: 1, Hash: "cafe", Time: time.Unix(1, 0).UTC(), PublicKey: "a2V5", Signature: "c2ln"}}, nil
}

func TestTheChainAndItsAnchors(t *testing.T) {
	s := newSite(t)
	var chain Chain
	s.as("root").do("GET", "/api/audit/chain", nil).want(200).into(&chain)
	if chain.Journal != "0123" || chain.Record != 2 || chain.Hash != "beef" || chain.PublicKey != "a2V5" || chain.Anchor == nil || chain.Anchor.Record != 1 {
		t.Errorf("%+v", chain)
	}
	var anchors List[Anchor]
	s.as("root").do("GET", "/api/audit/anchors", nil).want(200).into(&anchors)
	if len(anchors.Items) != 1 || anchors.Items[0].Signature != "c2ln" || anchors.Items[0].Hash != "cafe" {
		t.Errorf("%+v", anchors)
	}
}
