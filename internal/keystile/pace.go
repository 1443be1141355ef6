package keystile

import "time"

// Pace is how fast the deletion of a user's objects goes, since this process
// began it or went on with it.
type Pace struct {
	Since   time.Time
	Deleted int64 // versions and delete markers since then
	// Found is about how many there were then; -1: nobody has counted them.
	Found int64
}

// paceAfter is how long a pace is measured before it says anything.
const paceAfter = time.Second

// Left is about how many objects are still there; -1: not known.
func (p Pace) Left() int64 {
	if p.Found < 0 {
		return -1
	}
	return max(p.Found-p.Deleted, 0)
}

// PerSecond is the mean rate until now, in objects; 0: not known yet.
func (p Pace) PerSecond(now time.Time) float64 {
	if now.Sub(p.Since) < paceAfter {
		return 0
	}
	return float64(p.Deleted) / now.Sub(p.Since).Seconds()
}

// TimeLeft estimates how long the rest takes at this rate; known tells whether
// there is anything to judge by.
func (p Pace) TimeLeft(now time.Time) (left time.Duration, known bool) {
	rate := p.PerSecond(now)
	if rate <= 0 || p.Found < 0 {
		return 0, false
	}
	seconds := min(float64(p.Left())/rate, maxTimeLeft.Seconds())
	return time.Duration(seconds * float64(time.Second)), true
}

// maxTimeLeft keeps an estimate within what a Duration and a reader can take.
const maxTimeLeft = 365 * 24 * time.Hour
