package sqlstore

const nextCounter = `UPDATE counters SET value = value + $1 WHERE name = $2 RETURNING value`

func (t *tx) Generation() (int64, error) {
	var n int64
	err := t.row([]any{&n}, `SELECT value FROM counters WHERE name = 'generation'`)
	return n, about(err, "generation")
}

func (t *tx) NextGeneration() (int64, error) {
	n, err := t.advance("generation", 1)
	return n, about(err, "generation")
}

// advance adds to a counter and returns its new value.
func (t *tx) advance(counter string, by int) (int64, error) {
	if !t.writable {
		return 0, ErrReadOnly
	}
	var n int64
	err := t.row([]any{&n}, nextCounter, by, counter)
	return n, err
}

func (t *tx) Setting(name string) (string, error) {
	var value string
	err := t.row([]any{&value}, `SELECT value FROM settings WHERE name = $1`, name)
	return value, about(err, "setting %q", name)
}

func (t *tx) SetSetting(name, value string) error {
	_, err := t.exec(`INSERT INTO settings (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return about(err, "setting %q", name)
}
