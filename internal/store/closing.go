package store

import (
	"errors"

	"keystile/internal/keystile"
)

// Closing returns the events that outcomes are about to close, as they will be.
// Those that are not there, or closed already, are left out.
func Closing(tx Events, outcomes []keystile.Outcome) ([]keystile.Event, error) {
	var closing []keystile.Event
	for _, o := range outcomes {
		event, err := tx.Event(o.EventID)
		switch {
		case errors.Is(err, keystile.ErrNotFound):
			continue
		case err != nil:
			return nil, err
		case !event.Open:
			continue
		}
		event.Open, event.Result, event.Status, event.Detail = false, o.Result, o.Status, o.Detail
		closing = append(closing, event)
	}
	return closing, nil
}
