package keystile

import "strings"

// Matches reports whether the filter selects the event, as a query of the trail
// would. Words are those of SearchWords, where the filter has a text.
func (f EventFilter) Matches(e *Event, words []string) bool {
	for _, c := range [][2]string{
		{f.AccessKeyID, e.Detail.AccessKeyID}, {f.Account, e.Account}, {f.Backend, e.Backend}, {f.Bucket, e.Bucket},
		{f.Key, e.Key}, {string(f.Result), string(e.Result)}, {f.RequestID, e.RequestID},
	} {
		if c[0] != "" && c[0] != c[1] {
			return false
		}
	}
	switch {
	case !strings.HasPrefix(e.Action, f.ActionPrefix),
		!f.Since.IsZero() && e.Time.Before(f.Since),
		!f.Until.IsZero() && !e.Time.Before(f.Until),
		len(words) > 0 && (e.Open || !e.HasWords(words)):
		return false
	}
	return true
}
