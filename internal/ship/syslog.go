package ship

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Dialer makes the connections. It refuses addresses that nobody may have called.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// SyslogOptions are what a Syslog is made of; all but TLS are required.
type SyslogOptions struct {
	Address  string // HOST:PORT
	Dialer   Dialer
	TLS      *tls.Config // authorities and a client certificate; nil: the system's
	Facility int         // 0 to 23, RFC 5424 section 6.2.1
	Hostname string      // of this machine
	PID      int
}

// Syslog sends messages of RFC 5424 over TLS, framed by octet counting (RFC 5425).
//
// The protocol has no acknowledgement. A batch counts as taken when the receiver's
// machine has acknowledged its last byte, where the system tells that (Linux); and
// what was sent last on a connection that broke is sent again on the next one, as
// the receiver may have died with it unread.
type Syslog struct {
	o      SyslogOptions
	conn   *tls.Conn
	raw    net.Conn
	dead   chan struct{} // closed when the receiver has ended the connection
	recent [][]byte      // the last messages of the connection, or of the one before
	size   int           // of recent
}

// NewSyslog makes the sink. It connects when there is something to send.
func NewSyslog(o SyslogOptions) *Syslog { return &Syslog{o: o} }

const (
	connectTimeout = 15 * time.Second
	sendTimeout    = 30 * time.Second
	// recentBytes bounds what is sent again after a connection broke.
	recentBytes = 256 << 10
)

// Send implements Sink.
func (s *Syslog) Send(ctx context.Context, items []Item) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	messages := make([][]byte, len(items))
	for i, item := range items {
		messages[i] = s.message(item)
	}
	if err := s.write(ctx, messages); err != nil {
		return errors.Join(err, s.drop())
	}
	s.remember(messages)
	return nil
}

// connect makes a connection if there is none that lives.
func (s *Syslog) connect(ctx context.Context) error {
	if s.conn != nil {
		select {
		case <-s.dead:
			_ = s.drop() // it has ended already
		default:
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	raw, err := s.o.Dialer.DialContext(ctx, "tcp", s.o.Address)
	if err != nil {
		return fmt.Errorf("no connection: %w", err)
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.o.TLS != nil {
		settings = s.o.TLS.Clone()
	}
	// With TLS 1.3 a client writes before it knows whether the server has taken its
	// certificate; what it wrote would be lost unseen. Every receiver has 1.2 (RFC
	// 9662 section 4).
	settings.MaxVersion = tls.VersionTLS12
	settings.ServerName, _, _ = net.SplitHostPort(s.o.Address) // was checked when it was configured
	conn := tls.Client(raw, settings)
	if err := conn.HandshakeContext(ctx); err != nil {
		return errors.Join(fmt.Errorf("TLS: %w", err), raw.Close())
	}
	s.conn, s.raw, s.dead = conn, raw, make(chan struct{})
	go watch(conn, s.dead)
	if err := s.write(ctx, s.recent); err != nil {
		return errors.Join(err, s.drop())
	}
	return nil
}

// watch reads, for the receiver has nothing to say: what comes is the end. Unread
// bytes, such as tickets of TLS, would make a close throw away what is on its way.
func watch(conn net.Conn, dead chan struct{}) {
	_, _ = io.Copy(io.Discard, conn)
	close(dead)
}

// write sends messages and waits until they have arrived.
func (s *Syslog) write(ctx context.Context, messages [][]byte) error {
	if len(messages) == 0 {
		return nil
	}
	end := time.Now().Add(sendTimeout)
	if err := s.conn.SetWriteDeadline(end); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = s.conn.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	var frames []byte
	for _, m := range messages {
		frames = append(fmt.Appendf(frames, "%d ", len(m)), m...)
	}
	if _, err := s.conn.Write(frames); err != nil {
		return fmt.Errorf("the connection broke: %w", err)
	}
	return s.arrived(ctx, end)
}

// arrived waits until the receiver's machine has acknowledged everything.
func (s *Syslog) arrived(ctx context.Context, end time.Time) error {
	for wait := 100 * time.Microsecond; ; wait = min(wait*2, 50*time.Millisecond) {
		left, err := unacknowledged(s.raw)
		if err != nil || left == 0 {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("the receiver acknowledges nothing within %s", sendTimeout)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.dead:
			return errors.New("the receiver ended the connection")
		case <-time.After(wait):
		}
	}
}

func (s *Syslog) remember(messages [][]byte) {
	for _, m := range messages {
		s.recent, s.size = append(s.recent, m), s.size+len(m)
	}
	for s.size > recentBytes && len(s.recent) > 0 {
		s.size -= len(s.recent[0])
		s.recent = s.recent[1:]
	}
}

// The severities that are used, RFC 5424 section 6.2.1.
const (
	severityWarning = 4
	severityInfo    = 6
)

// message is RFC 5424 section 6, without structured data: the JSON says all.
func (s *Syslog) message(item Item) []byte {
	severity := severityInfo
	if item.Severe {
		severity = severityWarning
	}
	b := fmt.Appendf(nil, "<%d>1 %s %s keystile %d %s - ", s.o.Facility*8+severity,
		item.Time.UTC().Format("2006-01-02T15:04:05.000000Z"), s.hostname(), s.o.PID, item.Kind)
	return append(b, item.JSON...)
}

// hostname is printable ASCII, at most 255 characters, or the nil value.
func (s *Syslog) hostname() string {
	if s.o.Hostname == "" || len(s.o.Hostname) > 255 {
		return "-"
	}
	for _, c := range []byte(s.o.Hostname) {
		if c < '!' || c > '~' {
			return "-"
		}
	}
	return s.o.Hostname
}

func (s *Syslog) drop() error {
	err := s.conn.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	s.conn, s.raw = nil, nil
	return err
}

// Close implements Sink.
func (s *Syslog) Close() error {
	if s.conn == nil {
		return nil
	}
	_ = s.drop() // the receiver may have gone before
	return nil
}
