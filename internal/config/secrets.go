package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"keystile/internal/keystile"
)

// maxSecretBytes bounds a secret file: whatever is longer is the wrong file.
const maxSecretBytes = 64 << 10

// readSecrets reads what the configuration points to, so that a missing
// variable or an open file is known before anything starts.
func (l *loader) readSecrets() {
	for i := range l.config.Backends {
		at := fmt.Sprintf("backends[%d]", i)
		l.readBackendKeys(at, &l.config.Backends[i])
		l.readClientTLS(at, &l.config.Backends[i].TLS, hasTLS(l.config.Backends[i].Endpoint))
	}
	l.readSinks()
	s := &l.config.Store
	if s.MasterKeyEnv != "" && s.MasterKeyFile != "" {
		l.fault("store.master_key_file", "is set beside store.master_key_env: give one of them")
		return
	}
	if s.MasterKeyEnv != "" {
		s.MasterKey = l.fromEnv("store.master_key_env", s.MasterKeyEnv)
		return
	}
	// The file may be absent: it is made at the first start.
	if err := checkPrivate(s.MasterKeyFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.fault("store.master_key_file", "%s", err)
	}
}

func (l *loader) readBackendKeys(at string, b *Backend) {
	if b.Kind != string(keystile.KindS3) && b.Kind != string(keystile.KindCeph) {
		return
	}
	l.exactlyOne(at, map[string]string{"access_key_id": b.AccessKeyID, "access_key_env": b.AccessKeyEnv, "access_key_file": b.AccessKeyFile})
	l.exactlyOne(at, map[string]string{"secret_key_env": b.SecretKeyEnv, "secret_key_file": b.SecretKeyFile})
	b.AccessKey = b.AccessKeyID
	if b.AccessKey == "" {
		b.AccessKey = l.fromEither(at+".access_key", b.AccessKeyEnv, b.AccessKeyFile).Reveal()
	}
	b.SecretKey = l.fromEither(at+".secret_key", b.SecretKeyEnv, b.SecretKeyFile)
	if b.Kind == string(keystile.KindCeph) {
		l.readAdminKeys(at, b)
	}
}

func (l *loader) readAdminKeys(at string, b *Backend) {
	l.exactlyOne(at, map[string]string{
		"admin_access_key_id": b.AdminAccessKeyID, "admin_access_key_env": b.AdminAccessKeyEnv, "admin_access_key_file": b.AdminAccessKeyFile,
	})
	l.exactlyOne(at, map[string]string{"admin_secret_key_env": b.AdminSecretKeyEnv, "admin_secret_key_file": b.AdminSecretKeyFile})
	b.AdminAccessKey = b.AdminAccessKeyID
	if b.AdminAccessKey == "" {
		b.AdminAccessKey = l.fromEither(at+".admin_access_key", b.AdminAccessKeyEnv, b.AdminAccessKeyFile).Reveal()
	}
	b.AdminSecretKey = l.fromEither(at+".admin_secret_key", b.AdminSecretKeyEnv, b.AdminSecretKeyFile)
}

// exactlyOne wants one of a backend's alternatives to be set.
func (l *loader) exactlyOne(at string, alternatives map[string]string) {
	var set []string
	names := sortedKeys(alternatives)
	for _, name := range names {
		if alternatives[name] != "" {
			set = append(set, name)
		}
	}
	switch {
	case len(set) == 0:
		l.faultAt(l.placeOf(at), at, "needs one of %s", strings.Join(names, ", "))
	case len(set) > 1:
		l.fault(at+"."+set[1], "is set beside %s: give one of them", set[0])
	}
}

func (l *loader) fromEither(key, env, file string) keystile.Secret {
	switch {
	case env != "":
		return l.fromEnv(key+"_env", env)
	case file != "":
		return l.fromFile(key+"_file", file)
	}
	return keystile.Secret{}
}

func (l *loader) fromEnv(key, name string) keystile.Secret {
	value := strings.TrimSpace(l.environ[name])
	if value == "" {
		l.fault(key, "the environment variable %s is not set", name)
	}
	return keystile.NewSecret(value)
}

func (l *loader) fromFile(key, name string) keystile.Secret {
	secret, err := ReadSecretFile(name)
	if err != nil {
		l.fault(key, "%s", err)
	}
	return secret
}

// ReadSecretFile reads a secret of one line from a file that only its owner,
// and at most its group, may read. It is refused when empty, longer than 64
// KiB, or open to everyone.
func ReadSecretFile(name string) (keystile.Secret, error) {
	if err := checkPrivate(name); err != nil {
		return keystile.Secret{}, err
	}
	f, err := os.Open(name)
	if err != nil {
		return keystile.Secret{}, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	if err != nil {
		return keystile.Secret{}, err
	}
	text := strings.TrimSpace(string(data))
	switch {
	case text == "":
		return keystile.Secret{}, fmt.Errorf("%s is empty", name)
	case len(data) > maxSecretBytes:
		return keystile.Secret{}, fmt.Errorf("%s is longer than %d bytes", name, maxSecretBytes)
	}
	return keystile.NewSecret(text), nil
}

func checkPrivate(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", name)
	}
	if perm := info.Mode().Perm(); perm&0o007 != 0 {
		return fmt.Errorf("%s is open to everyone (mode %04o): chmod 600 %s", name, perm, name)
	}
	return nil
}
