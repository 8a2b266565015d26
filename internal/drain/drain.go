// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package drain ends HTTP servers: [ServeUntil] at once, and [Fresh] when running requests have finished, without
// waiting for connections that nobody uses.
//
// HTTP clients open spare connections. To [http.Server.Shutdown] one on which no request has arrived
// yet may still bring one, so it waits 5 seconds for each; a person who presses Ctrl-C waits with it.
//
//	var fresh drain.Fresh
//	srv := &http.Server{ConnState: fresh.Track, …}
//	…
//	err := fresh.Shutdown(ctx, srv)
package drain

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// Fresh knows the connections of a server on which no request has arrived. The zero value is ready. It
// is safe for concurrent use.
type Fresh struct {
	mu    sync.Mutex // guards conns
	conns map[net.Conn]struct{}
}

// Track is for [http.Server.ConnState].
func (f *Fresh) Track(conn net.Conn, state http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if state != http.StateNew {
		delete(f.conns, conn)
		return
	}
	if f.conns == nil {
		f.conns = make(map[net.Conn]struct{})
	}
	f.conns[conn] = struct{}{}
}

// Shutdown is [http.Server.Shutdown] for a server whose fresh connections are tracked: it closes them,
// waits for running requests until ctx is done, and then closes what is left. The error is that of ctx,
// when requests were cut off.
func (f *Fresh) Shutdown(ctx context.Context, srv *http.Server) error {
	f.closeAll()
	err := srv.Shutdown(ctx)
	if err != nil {
		srv.Close()
	}
	return err
}

func (f *Fresh) closeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.conns {
		conn.Close()
	}
	f.conns = nil
}
