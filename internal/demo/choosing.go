// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/tokengo/tokengo/internal/network"
)

// phase is a part of the story of choosing: which exits answer while exits fail and recover.
type phase struct {
	name  string
	lasts time.Duration
	begin func(*market) // what happens at its beginning
}

// The phases, in their order.
const (
	learning = iota
	failing
	recovered
	tierGone
	tierBack
)

// phases tell the story, in less than half a minute. The favourite fails for less than the 4.5 s that two rests of its
// circuit breaker take at least: a third failure would rest it for up to 10 s, longer than it has to recover.
var phases = [...]phase{
	learning:  {"learning", 5 * time.Second, func(*market) {}},
	failing:   {"the favourite fails", 4 * time.Second, func(m *market) { m.failFavourite(http.StatusServiceUnavailable) }},
	recovered: {"it recovers", 8 * time.Second, func(m *market) { m.failFavourite(0) }},
	tierGone:  {"the first tier is gone", 3 * time.Second, func(m *market) { m.cutFirstTier() }},
	tierBack:  {"it is back", 6 * time.Second, func(m *market) { m.mendFirstTier() }},
}

// play implements [story]: it goes through the phases while tools ask.
func (m *market) play(ctx context.Context, n *network.Network) (report, error) {
	m.open(n)
	asking, stop := context.WithCancel(ctx)
	var asked sync.WaitGroup
	for tool := range tools {
		asked.Go(func() { m.use(asking, tool) })
	}
	r := newChoosingReport(m)
	err := m.tell(ctx, r)
	stop()
	asked.Wait()
	if err != nil {
		return nil, err
	}
	r.check(m)
	return r, nil
}

// tell goes through the phases.
func (m *market) tell(ctx context.Context, r *choosingReport) error {
	for i, phase := range phases {
		m.tally.enter(i)
		phase.begin(m)
		m.screen.phase(phase)
		if err := m.watch(ctx, phase.lasts); err != nil {
			return err
		}
		r.finish(m, i)
	}
	return nil
}

// watch shows how things are until the phase is over.
func (m *market) watch(ctx context.Context, lasts time.Duration) error {
	end := time.NewTimer(lasts)
	defer end.Stop()
	tick := time.NewTicker(m.screen.every())
	defer tick.Stop()
	for {
		if err := m.observe(); err != nil {
			return err
		}
		m.screen.draw(m)
		select {
		case <-tick.C:
		case <-end.C:
			return m.observe()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
