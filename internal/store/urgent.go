package store

import "context"

type urgentKey struct{}

// Urgent marks what a Write under the context does as something that a full disk
// must not keep from happening: a sign-in, an act that takes a right away, the
// end of something that was begun. It may use the space that is kept for that.
func Urgent(ctx context.Context) context.Context { return context.WithValue(ctx, urgentKey{}, true) }

// IsUrgent reports whether the context was marked.
func IsUrgent(ctx context.Context) bool { return ctx.Value(urgentKey{}) != nil }
