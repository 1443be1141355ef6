package sqlstore

import (
	"encoding/json"
	"fmt"
	"time"

	"keystile/internal/keystile"
)

// scanRow is how far a count has come, as it is stored.
type scanRow struct {
	StartedAt   time.Time `json:"started_at"`
	SumBytes    int64     `json:"sum_bytes"`
	SumObjects  int64     `json:"sum_objects"`
	PartsBytes  int64     `json:"parts_bytes"`
	SeenBytes   int64     `json:"seen_bytes"`
	SeenObjects int64     `json:"seen_objects"`
	Pages       int64     `json:"pages"`
	LastKey     string    `json:"last_key"`
	NextKey     string    `json:"next_key,omitempty"`
	NextVersion string    `json:"next_version,omitempty"`
	Plain       bool      `json:"plain,omitempty"`
	Token       string    `json:"token,omitempty"`
}

func encodeScan(p *keystile.ScanPosition) (string, error) {
	if p == nil {
		return "", nil
	}
	b, err := json.Marshal(scanRow{
		p.StartedAt, p.Sum.Bytes, p.Sum.Objects, p.Parts, p.Seen.Bytes, p.Seen.Objects, p.Pages, p.LastKey,
		p.Next.Key, p.Next.VersionID, p.Next.Plain, p.Next.Token,
	})
	return string(b), err
}

// scanText scans the position of a count; an empty text stands for none.
type scanText struct{ p **keystile.ScanPosition }

// Scan implements sql.Scanner.
func (t scanText) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("a count's position is stored as %T, want text", value)
	}
	*t.p = nil
	if text == "" {
		return nil
	}
	var r scanRow
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return fmt.Errorf("a count's position: %w", err)
	}
	*t.p = &keystile.ScanPosition{
		StartedAt: r.StartedAt.UTC(), Sum: keystile.Amount{Bytes: r.SumBytes, Objects: r.SumObjects},
		Parts: r.PartsBytes,
		Seen:  keystile.Amount{Bytes: r.SeenBytes, Objects: r.SeenObjects}, Pages: r.Pages, LastKey: r.LastKey,
		Next: keystile.VersionMark{Key: r.NextKey, VersionID: r.NextVersion, Plain: r.Plain, Token: r.Token},
	}
	return nil
}
