package embedded

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
)

// maxLine is how much of one printed line reaches the log; the rest is dropped.
const maxLine = 4 << 10

// lineLog takes what the child prints, line by line, to the log at debug level.
// It remembers the last line, which says why a child failed. Writes never fail:
// a child must not stop over a log.
type lineLog struct {
	log *slog.Logger

	mu      sync.Mutex
	partial []byte
	last    string
}

func (l *lineLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	for {
		line, rest, whole := bytes.Cut(p, []byte{'\n'})
		if room := maxLine - len(l.partial); len(line) > room {
			line = line[:room]
		}
		l.partial = append(l.partial, line...)
		if !whole {
			return n, nil
		}
		l.flush()
		p = rest
	}
}

// tail returns the last line that was not empty, finished or not.
func (l *lineLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	return l.last
}

func (l *lineLog) flush() {
	text := string(bytes.TrimSpace(l.partial))
	l.partial = l.partial[:0]
	if text == "" {
		return
	}
	l.last = text
	l.log.LogAttrs(context.Background(), slog.LevelDebug, "embedded backend printed", slog.String("line", text))
}
