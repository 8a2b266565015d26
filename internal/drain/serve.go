// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package drain

import (
	"context"
	"fmt"
	"net"
	"net/http"
)

// ServeUntil serves on ln until ctx is done, and then closes everything without waiting for requests. It returns when
// the server has ended, and an error only when that was before ctx was done.
func ServeUntil(ctx context.Context, srv *http.Server, ln net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
		srv.Close()
		<-served
		return nil
	}
}
