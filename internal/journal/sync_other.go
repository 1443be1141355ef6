//go:build !linux

package journal

func (f diskFile) datasync() error { return f.Sync() }
