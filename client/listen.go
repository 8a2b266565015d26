// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// unixPrefix begins an address that is the path of a unix socket.
const unixPrefix = "unix:"

// Listen opens the address for AI tools: host:port, or unix:PATH for a socket that only its owner can
// connect to (mode 0600). A socket that nobody serves any more is replaced; one that is served is an error that
// wraps [syscall.EADDRINUSE], and so is a port that is taken.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		return listenUnix(ctx, path)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for AI tools on %s: %w", address, err)
	}
	return ln, nil
}

// unixListener takes its socket away when it is closed.
type unixListener struct {
	*net.UnixListener
	path string
}

// Close implements [net.Listener].
func (l *unixListener) Close() error {
	err := l.UnixListener.Close()
	if err == nil {
		os.Remove(l.path)
	}
	return err
}

// Addr implements [net.Listener].
func (l *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// listenUnix makes the socket in a directory that is closed to others, and moves it to its place when it
// is closed itself: at no time can anybody else connect.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if err := checkVacant(ctx, path); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".tg")
	if err != nil {
		return nil, fmt.Errorf("listen on socket %s: %w", path, err)
	}
	defer os.RemoveAll(dir)
	made := filepath.Join(dir, "s")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on socket %s: %w", path, err)
	}
	ln.SetUnlinkOnClose(false)
	err = os.Chmod(made, 0o600)
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		ln.Close()
		return nil, fmt.Errorf("listen on socket %s: %w", path, err)
	}
	return &unixListener{ln, path}, nil
}

// checkVacant refuses a path that is not a socket, or one that somebody serves.
func checkVacant(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("listen on socket %s: %w", path, err)
	case info.Mode().Type() != os.ModeSocket:
		return fmt.Errorf("listen on socket %s: there is something else than a socket", path)
	}
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil
	}
	conn.Close()
	return fmt.Errorf("listen on socket %s: %w", path, syscall.EADDRINUSE)
}

// checkListen refuses addresses that cannot be, and those that other machines can reach without a token.
func (cfg Config) checkListen() error {
	if path, ok := strings.CutPrefix(cfg.Listen, unixPrefix); ok {
		if path == "" {
			return errors.New("listen address unix: names no path")
		}
		return nil
	}
	host, _, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen address %q: want host:port or unix:PATH", cfg.Listen)
	}
	if host == "localhost" {
		return nil
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsLoopback() {
		return nil
	}
	return cfg.checkRemote(cfg.Listen)
}

// checkRemote says what it takes to listen where other machines can come.
func (cfg Config) checkRemote(address string) error {
	switch {
	case !cfg.AllowRemote:
		return fmt.Errorf("listen address %q: other machines could ask in your name; use a loopback address, or allow remote tools", address)
	case cfg.Token.IsZero():
		return fmt.Errorf("listen address %q: other machines can reach it, so a token is required; give one with --token-file", address)
	}
	return nil
}
