// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/network"
	"github.com/tokengo/tokengo/relay"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/shape"
)

const (
	readyTimeout = 30 * time.Second
	trialTimeout = 20 * time.Minute
)

// trial is a set of answers that go through a network in one mode.
type trial struct {
	mode    shape.Mode
	scripts []*script
	users   int
	cpu     time.Duration // that the process used, per answer
}

// newTrial makes answers on both topics, n each, in random order; all the same text if same is set.
func newTrial(mode shape.Mode, n, users int) *trial {
	tr := &trial{mode: mode, users: users}
	for _, t := range topics {
		for i := range n {
			tr.scripts = append(tr.scripts, &script{
				label: t.name, group: fmt.Sprintf("%s/%d", t.name, i/groupSize), tokens: tokens(t.answer(i), rand.Uint64()),
			})
		}
	}
	rand.Shuffle(len(tr.scripts), func(i, j int) { tr.scripts[i], tr.scripts[j] = tr.scripts[j], tr.scripts[i] })
	return tr
}

// newControl is a trial in which there is nothing to tell: all answers have the same tokens.
func newControl(mode shape.Mode, n, users int) *trial {
	tr := newTrial(mode, n, users)
	text := topics[0].answer(0) + " " + topics[1].answer(0)
	for _, s := range tr.scripts {
		s.tokens = tokens(text, rand.Uint64())
	}
	return tr
}

// run sends all answers through a network, as many at once as there are users, and waits for their padding.
func (tr *trial) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, trialTimeout)
	defer cancel()
	rec := new(recorder)
	group, running := errgroup.WithContext(ctx)
	running, stop := context.WithCancel(running)
	defer stop()
	n, cleanup, err := tr.network(running, rec)
	if err != nil {
		return err
	}
	defer cleanup()
	group.Go(func() error { return n.Run(running) })
	group.Go(func() error {
		defer stop()
		before := cpuTime()
		if err := tr.askAll(running, n, rec, group); err != nil {
			return err
		}
		rec.open.Wait()
		tr.cpu = (cpuTime() - before) / time.Duration(len(tr.scripts))
		return nil
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("run answers in mode %s: %w", tr.mode, err)
	}
	return nil
}

func (tr *trial) network(ctx context.Context, rec *recorder) (*network.Network, func(), error) {
	srv := httptest.NewServer(&backend{tr.scripts})
	dir, err := os.MkdirTemp("", "leaktest")
	cleanup := func() {
		srv.Close()
		os.RemoveAll(dir)
	}
	if err != nil {
		return nil, cleanup, err
	}
	n, err := network.New(ctx, network.Config{
		Relay: relay.Config{Observe: rec.wrap},
		Exits: []exit.Config{{
			StateDir: dir, DrainTimeout: time.Second,
			Backends: []exit.Backend{{Protocol: service.OpenAI, URL: srv.URL}},
		}},
		Client: client.Config{},
	})
	return n, cleanup, err
}

// askAll deals the scripts to users and waits until they have all answers.
func (tr *trial) askAll(ctx context.Context, n *network.Network, rec *recorder, serving *errgroup.Group) error {
	ready, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := n.WaitReady(ready); err != nil {
		return err
	}
	serve := ctx // clients go on when all is answered: they read padding
	asking, ctx := errgroup.WithContext(ctx)
	for first := range tr.users {
		u, err := newUser(ctx, n.RelayURL(), tr.mode, rec)
		if err != nil {
			return err
		}
		u.run(serve, serving)
		asking.Go(func() error {
			if err := u.client.WaitReady(ctx); err != nil {
				return err
			}
			for i := first; i < len(tr.scripts); i += tr.users {
				if err := u.ask(ctx, i, tr.scripts[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return asking.Wait()
}
