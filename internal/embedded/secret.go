package embedded

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is the child's root secret key. Every way of printing or encoding it
// shows a placeholder; only Reveal gives the value.
type Secret struct{ value string }

// newSecret draws 256 random bits. crypto/rand never fails on the systems
// that Go supports: it aborts the process instead.
func newSecret() Secret {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	return Secret{value: base64.RawURLEncoding.EncodeToString(raw)}
}

// Reveal returns the key itself, for the signer.
func (s Secret) Reveal() string { return s.value }

// Format implements [fmt.Formatter] for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements [encoding.TextMarshaler], which JSON, YAML and XML use.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
