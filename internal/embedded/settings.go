package embedded

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// maxSettings bounds the line of settings on the child's standard input.
const maxSettings = 64 << 10

// settings is what the parent tells the child, as one line of JSON. It holds
// the secret in the clear, so it is never formatted or logged.
type settings struct {
	Buckets     string `json:"buckets"`
	Versions    string `json:"versions"`
	Sidecar     string `json:"sidecar,omitempty"`
	Socket      string `json:"socket"`
	Region      string `json:"region"`
	AccessKeyID string `json:"access_key_id"`
	Secret      string `json:"secret"`
}

// readSettings reads the first line of r. What it complains about never quotes
// the line.
func readSettings(r *bufio.Reader) (settings, error) {
	var s settings
	line, err := r.ReadSlice('\n')
	if errors.Is(err, io.EOF) {
		return s, errors.New("settings: standard input ended before a whole line; this command is started by keystile itself")
	}
	if err != nil {
		return s, fmt.Errorf("settings: %w", err)
	}
	if err := json.Unmarshal(line, &s); err != nil {
		return settings{}, errors.New("settings: the first line of standard input is not the JSON expected")
	}
	return s, s.validate()
}

func (s settings) validate() error {
	for name, path := range map[string]string{"buckets": s.Buckets, "versions": s.Versions, "socket": s.Socket} {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("settings: %s is not an absolute path", name)
		}
	}
	if s.Sidecar != "" && !filepath.IsAbs(s.Sidecar) {
		return errors.New("settings: sidecar is not an absolute path")
	}
	if s.Region == "" || s.AccessKeyID == "" || s.Secret == "" {
		return errors.New("settings: region, access_key_id and secret must not be empty")
	}
	return nil
}
