// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/internal/drain"
	"github.com/tokengo/tokengo/internal/network"
)

// model is what the demo asks: the text generator, by its name in OpenAI's protocol.
const model = "demo-gpt"

// story is something to show on a network.
type story interface {
	// backend is the handler behind all exits.
	backend() http.Handler
	// config is the network, whose exits have the backend at a URL.
	config(backendURL string) (network.Config, error)
	// play tells the story on the network, which is ready.
	play(ctx context.Context, n *network.Network) (report, error)
}

// perform runs the network of a story, and the story on it.
func perform(ctx context.Context, s story) (report, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n, err := newNetwork(ctx, s, "http://"+ln.Addr().String())
	if err != nil {
		ln.Close()
		return nil, err
	}
	backend := &http.Server{
		Handler: s.backend(), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	group, running := errgroup.WithContext(ctx)
	running, stop := context.WithCancel(running)
	defer stop()
	lasting, stopBackend := context.WithCancel(context.WithoutCancel(ctx)) // until the exits have drained
	group.Go(func() error { return drain.ServeUntil(lasting, backend, ln) })
	group.Go(func() error {
		defer stopBackend()
		return n.Run(running)
	})
	var r report
	group.Go(func() (err error) {
		defer stop()
		if err = n.WaitReady(running); err == nil {
			r, err = s.play(running, n)
		}
		return err
	})
	err = group.Wait()
	switch {
	case r != nil && errors.Is(err, context.Canceled): // by stop, when all was told
		return r, nil
	case r == nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return r, err
}

func newNetwork(ctx context.Context, s story, backendURL string) (*network.Network, error) {
	cfg, err := s.config(backendURL)
	if err != nil {
		return nil, err
	}
	return network.New(ctx, cfg)
}
