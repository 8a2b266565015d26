// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/internal/drain"
)

// roleFlags are the flags that every long-running command has. Set in a configuration file, too.
type roleFlags struct {
	config        string
	stateDir      string
	logLevel      string
	metricsListen string
}

func (f *roleFlags) register(cmd *cobra.Command, configFile string) {
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "read settings from `file`; flags override it (default "+configFile+" if it exists)")
	flags.StringVar(&f.stateDir, "state-dir", "", "keep keys and state in `dir` (default "+stateRoot()+"/…)")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&f.metricsListen, "metrics-listen", "", "serve /metrics and /healthz on `address`, such as 127.0.0.1:9090 (default off)")
}

// role is the running environment of a long-running command.
type role struct {
	stderr   io.Writer
	stdout   io.Writer
	log      *slog.Logger
	metrics  *prometheus.Registry // nil when nobody asked for metrics
	stateDir string
}

// start prepares the environment of the role called name.
func (f *roleFlags) start(cmd *cobra.Command, name string) (*role, error) {
	level, err := parseLevel(f.logLevel)
	if err != nil {
		return nil, err
	}
	undumpable() // keys and prompts
	r := &role{
		stderr:   cmd.ErrOrStderr(),
		stdout:   cmd.OutOrStdout(),
		stateDir: cmp.Or(f.stateDir, filepath.Join(stateRoot(), name)),
	}
	r.log = slog.New(slog.NewTextHandler(r.stderr, &slog.HandlerOptions{Level: level}))
	if f.metricsListen != "" {
		r.metrics = prometheus.NewRegistry()
		r.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	return r, nil
}

func parseLevel(s string) (level slog.Level, err error) {
	if level.UnmarshalText([]byte(s)) != nil {
		return level, usagef("use debug, info, warn or error", "log level %q does not exist", s)
	}
	return level, nil
}

// registerer is nil, of the interface type, when there are no metrics.
func (r *role) registerer() prometheus.Registerer {
	if r.metrics == nil {
		return nil
	}
	return r.metrics
}

// stateRoot is $XDG_STATE_HOME/tokengo, ~/.local/state/tokengo by default (XDG Base Directory
// Specification), or the user's configuration directory on Windows.
func stateRoot() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "tokengo")
	}
	if home, err := os.UserHomeDir(); err == nil && os.PathSeparator == '/' {
		return filepath.Join(home, ".local", "state", "tokengo")
	}
	if dir, err := os.UserConfigDir(); err == nil {
		return filepath.Join(dir, "tokengo", "state")
	}
	return filepath.Join(os.TempDir(), "tokengo")
}

// listen opens a TCP port, or the socket of a client. what says whose it is and flag which one moves it.
func listen(ctx context.Context, address, what, flag string) (net.Listener, error) {
	if strings.HasPrefix(address, "unix:") {
		return client.Listen(ctx, address)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		_, port, _ := net.SplitHostPort(address)
		return nil, &hintedError{
			fmt.Errorf("port %s is in use: cannot listen on %s %s", port, address, what),
			"stop what listens there, or choose another port with " + flag,
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s %s: %w", address, what, err)
	}
	return ln, nil
}

// listenMetrics opens the port for metrics; none is opened, and nil returned, without an address. Every command opens it
// before it tells anybody that it runs, so that one that is taken is an error at the start.
func listenMetrics(ctx context.Context, address string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	return listen(ctx, address, "for metrics", "--metrics-listen")
}

// serveMetrics serves /metrics and /healthz on what [listenMetrics] returned until ctx is done. Without a port it only
// waits.
func (r *role) serveMetrics(ctx context.Context, ln net.Listener) error {
	if ln == nil {
		<-ctx.Done()
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r.metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	srv := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	return drain.ServeUntil(ctx, srv, ln)
}

// keepSmall makes the collector run early rather than let the heap double: the roles hold little, and
// on a user's machine memory counts more than the last percent of processor time. GOGC in the
// environment overrides it.
func keepSmall() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// keepCalm runs a process that is one role alone on half the processors: a role mostly waits, and each
// small message that wakes another processor costs more than it gains, a quarter of all processor time
// where it was measured. GOMAXPROCS in the environment overrides it.
func keepCalm() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/2))
	}
}

const (
	gcPercent    = 50
	readyTimeout = 15 * time.Second // after this the user is told that something is missing
)
