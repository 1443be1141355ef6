package sqlstore

import (
	"time"

	"keystile/internal/keystile"
)

const sessionColumns = `id, account_id, csrf, created_at, last_seen_at, expires_at, source_ip, user_agent`

func scanSession(row scanner) (keystile.Session, error) {
	var s keystile.Session
	err := row.Scan(&s.ID, &s.AccountID, &s.CSRF, instant{&s.CreatedAt}, instant{&s.LastSeenAt},
		instant{&s.ExpiresAt}, &s.SourceIP, &s.UserAgent)
	return s, err
}

func (t *tx) CreateSession(s keystile.Session) error {
	_, err := t.exec(`INSERT INTO sessions (`+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		s.ID, s.AccountID, s.CSRF, micros(s.CreatedAt), micros(s.LastSeenAt), micros(s.ExpiresAt), s.SourceIP, s.UserAgent)
	return about(err, "session of account %s", s.AccountID)
}

func (t *tx) Session(id string) (keystile.Session, error) {
	s, err := get(t, scanSession, `SELECT `+sessionColumns+` FROM sessions WHERE id = $1`, id)
	return s, about(err, "session")
}

func (t *tx) SessionsOf(accountID string) ([]keystile.Session, error) {
	all, err := list(t, scanSession, `SELECT `+sessionColumns+` FROM sessions
		WHERE account_id = $1 ORDER BY created_at DESC, id DESC`, accountID)
	return all, about(err, "sessions of account %s", accountID)
}

func (t *tx) TouchSession(id string, at time.Time) error {
	err := t.execOne(`UPDATE sessions SET last_seen_at = CASE WHEN last_seen_at < $1 THEN $1 ELSE last_seen_at END
		WHERE id = $2`, micros(at), id)
	return about(err, "session")
}

func (t *tx) DeleteSession(id string) error {
	return about(t.execOne(`DELETE FROM sessions WHERE id = $1`, id), "session")
}

func (t *tx) DeleteSessionsOf(accountID, except string) error {
	_, err := t.exec(`DELETE FROM sessions WHERE account_id = $1 AND id <> $2`, accountID, except)
	return about(err, "sessions of account %s", accountID)
}

func (t *tx) DeleteIdleSessions(now, idle time.Time) error {
	_, err := t.exec(`DELETE FROM sessions WHERE expires_at <= $1 OR last_seen_at < $2`, micros(now), micros(idle))
	return about(err, "idle sessions")
}
