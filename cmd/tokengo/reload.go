// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/exit"
)

// reloader gives a running exit its configuration anew on SIGHUP.
type reloader struct {
	cmd      *cobra.Command
	flags    *exitFlags // in use
	given    exitFlags  // what the flags of the command line say
	parse    func([]backendFile) ([]exit.Backend, error)
	exit     *exit.Exit
	stateDir string
	log      *slog.Logger
}

// run reloads on every SIGHUP until ctx is done. An exit that has no file keeps to the signal's own meaning,
// which is that the terminal has gone.
func (r *reloader) run(ctx context.Context) error {
	path, found := r.flags.path(exitFileName)
	if !found {
		<-ctx.Done()
		return nil
	}
	r.given.config = path // when it is away, no other file and not the flags alone are to be taken for it
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			if err := r.reload(ctx); err != nil && ctx.Err() == nil {
				r.log.Error("the configuration is not reloaded; the one before stays", "error", err)
			}
		}
	}
}

// reload reads the file and has the exit use what it says.
func (r *reloader) reload(ctx context.Context) error {
	before := *r.flags
	kept, err := r.replace(ctx)
	if err != nil {
		*r.flags = before
		return err
	}
	keys := fileKeys(kept)
	for _, role := range []struct{ key, before, now string }{
		{"state_dir", before.stateDir, r.flags.stateDir},
		{"log_level", before.logLevel, r.flags.logLevel},
		{"metrics_listen", before.metricsListen, r.flags.metricsListen},
	} {
		if role.before != role.now {
			keys = append(keys, role.key)
		}
	}
	r.log.Info("the configuration is reloaded")
	if len(keys) > 0 {
		r.log.Warn("some settings change only with a restart", "settings", keys)
	}
	return nil
}

// replace leaves flags as they are then to be, or in disorder when it fails.
func (r *reloader) replace(ctx context.Context) (kept []string, err error) {
	*r.flags = r.given
	if err := loadFile(r.cmd, &r.flags.roleFlags, exitFileName, &r.flags.file); err != nil {
		return nil, err
	}
	cfg, err := r.flags.exitConfig(r.parse)
	if err != nil {
		return nil, err
	}
	cfg.StateDir = r.stateDir
	return r.exit.Reload(ctx, cfg)
}

// fileKeys are the keys of exit.yaml for fields of exit.Config.
func fileKeys(fields []string) []string {
	keys := map[string]string{
		"Relays": "relays", "KeyLifetime": "key_lifetime", "KeyOverlap": "key_overlap", "DrainTimeout": "drain_timeout",
		"BackendHeaderTimeout": "backend_timeout", "StallTimeout": "stall_timeout", "MaxConcurrent": "max_concurrent",
		"MaxRequestBytes": "max_request_bytes", "ModelsRefresh": "models_refresh",
	}
	var out []string
	for _, field := range fields {
		if key, ok := keys[field]; ok {
			out = append(out, key)
		}
	}
	return out
}
