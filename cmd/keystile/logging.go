package main

import (
	"io"
	"log/slog"

	"keystile/internal/config"
	"keystile/internal/telemetry"
)

// newLogger makes the process's logger, on standard error.
func newLogger(w io.Writer, c config.Log) *slog.Logger {
	level := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}[c.Level]
	return slog.New(telemetry.NewHandler(w, c.Format, level))
}
