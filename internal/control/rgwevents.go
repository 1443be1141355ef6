package control

import (
	"context"
	"net/http"

	"keystile/internal/keystile"
	"keystile/internal/store"
)

// RGWEventQuery asks for a page of what the audit trail has of a user.
type RGWEventQuery struct {
	// WithKey asks for what was done with the user's key, else for what was done to
	// the user.
	WithKey bool
	Limit   int // 1 to 1000
	Cursor  string
}

// eventPages is how much of the trail one query looks through.
const eventPages = 20

// Events returns what the trail has of a user, newest first, and the next cursor,
// to who may see the user. A page may be short, or empty, though there is a next
// one. Who acted is told, but not from where, and what others tried in vain is
// left out: see [RGWEventQuery.shown].
func (s *RGWUsers) Events(ctx context.Context, a Actor, id string, q RGWEventQuery) (events []keystile.Event, next string, err error) {
	s.catchUp(ctx)
	err = s.readIn(ctx, a, "rgw.user.events", id, anyone, func(tx store.Tx) error {
		info, err := s.seen(tx, a, id, keystile.ReadAccess)
		if err != nil {
			return err
		}
		insiders, err := insidersOf(tx, info.ProjectID)
		if err != nil {
			return err
		}
		page := keystile.EventPage{Filter: q.filter(info.RGWUser), Limit: q.Limit, Cursor: q.Cursor}
		for range eventPages {
			found, cursor, err := tx.Events(page)
			if err != nil {
				return err
			}
			for _, e := range found {
				if shown, ok := q.shown(e, info.RGWUser, insiders); ok {
					events = append(events, shown)
				}
			}
			page.Cursor, next = cursor, cursor
			if next == "" || len(events) > 0 {
				return nil
			}
		}
		return nil
	})
	return events, next, err
}

// filter finds what may be shown, and more: words stand in what others wrote too,
// and a key that was adopted again has a past elsewhere.
func (q RGWEventQuery) filter(u keystile.RGWUser) keystile.EventFilter {
	if q.WithKey {
		return keystile.EventFilter{ActionPrefix: keystile.ActionPrefixS3, AccessKeyID: u.AccessKeyID, Since: u.CreatedAt}
	}
	return keystile.EventFilter{ActionPrefix: "rgw.", Text: u.ID}
}

// shown is an event as the user's project may see it. Of a request that only
// claims the key nothing is told but how it was refused: it may be a stranger's. An
// account's address is its own, and so is the token that it used.
func (q RGWEventQuery) shown(e keystile.Event, u keystile.RGWUser, insiders map[string]bool) (keystile.Event, bool) {
	switch {
	case !q.WithKey && (e.Detail.Target != u.ID || isOutsiders(e, insiders)):
		return keystile.Event{}, false
	case q.WithKey && !e.Detail.Authenticated:
		return claimed(e), true
	}
	if !q.WithKey || e.Account != "" { // with an account: it was asked for the URL of an upload
		e.SourceIP, e.UserAgent = "", ""
	}
	e.Detail.TokenID = ""
	return e, true
}

// claimed is what is told of a request whose signature was not verified.
func claimed(e keystile.Event) keystile.Event {
	d := e.Detail
	return keystile.Event{
		ID: e.ID, Time: e.Time, Action: e.Action, Result: e.Result, Status: e.Status, RequestID: e.RequestID, Open: e.Open,
		Detail: keystile.EventDetail{AccessKeyID: d.AccessKeyID, Code: d.Code, Count: d.Count, LastTime: d.LastTime},
	}
}

// isOutsiders reports whether somebody who is not in the project was refused.
func isOutsiders(e keystile.Event, insiders map[string]bool) bool {
	refused := e.Status == http.StatusForbidden || e.Status == http.StatusNotFound
	return e.Result == keystile.ResultDenied && refused && !insiders[e.Account]
}

// insidersOf names the members of a project.
func insidersOf(tx store.Tx, projectID string) (map[string]bool, error) {
	members, err := tx.Members(projectID)
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool, len(members))
	for _, m := range members {
		account, err := tx.Account(m.AccountID)
		if err != nil {
			return nil, err
		}
		names[account.Name] = true
	}
	return names, nil
}
