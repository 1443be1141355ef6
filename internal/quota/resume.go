package quota

import (
	"context"
	"time"

	"keystile/internal/keystile"
)

// longestResume bounds how long ago a count began that is gone on with.
const longestResume = 7 * 24 * time.Hour

// position is where the count can go on after a restart; nil where it cannot. What
// writes under way change of what is counted is in the lease that the store has with
// it: of a process that dies it counts as unknown, and another count settles it.
func (s *scan) position() *keystile.ScanPosition {
	if s.phase != readingObjects || s.disorder || s.finished || s.cursor == "" {
		return nil
	}
	return &keystile.ScanPosition{
		StartedAt: s.began, Sum: s.sum, Parts: s.parts, Seen: s.progress.Seen, Pages: s.progress.Pages, LastKey: s.cursor, Next: s.next,
	}
}

// goOn makes a count begin where it was cut off by a restart.
func (s *scan) goOn(p *keystile.ScanPosition) {
	s.parts = p.Parts
	s.began, s.sum, s.phase, s.cursor, s.partial, s.next = p.StartedAt, p.Sum, readingObjects, p.LastKey, p.Next.VersionID != "", p.Next
	s.progress = keystile.ScanProgress{StartedAt: p.StartedAt, Seen: p.Seen, Pages: p.Pages, LastKey: p.LastKey, Resumed: true}
}

// park leaves a count as it is when the process stops, so that what still changes
// is merged until the book is flushed. It reports false where the count has ended
// otherwise.
func (b *book) park(process context.Context) bool {
	return process.Err() != nil && b.scan.position() != nil && !b.wanted
}
