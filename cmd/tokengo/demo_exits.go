// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

const (
	minDemoExits = 2
	maxDemoExits = 50
)

// demoPhase is a part of the demo of choosing.
type demoPhase struct {
	name  string
	lasts time.Duration
	begin func(*market) // what happens at its beginning
}

// demoPhases tell the story, in less than half a minute.
var demoPhases = []demoPhase{
	{"learning", 5 * time.Second, func(*market) {}},
	{"the favourite fails", 5 * time.Second, func(m *market) { m.failFavourite(http.StatusServiceUnavailable) }},
	{"it recovers", 7 * time.Second, func(m *market) { m.failFavourite(0) }},
	{"the first tier is gone", 3 * time.Second, func(m *market) { m.cutFirstTier() }},
	{"it is back", 6 * time.Second, func(m *market) { m.mendFirstTier() }},
}

// The phases by their places.
const (
	phaseLearning = iota
	phaseFailing
	phaseRecovered
	phaseTierGone
	phaseTierBack
)

// demoExits runs the demo of choosing and prints what came of it.
func demoExits(ctx context.Context, cmd *cobra.Command, exits int) error {
	if exits < minDemoExits || exits > maxDemoExits {
		return &usageError{err: fmt.Errorf("--exits %d: want %d to %d", exits, minDemoExits, maxDemoExits)}
	}
	asJSON, err := cmd.Flags().GetBool("json")
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	var screen view = newView(out)
	if asJSON {
		screen = noView{}
	}
	report, err := runExitsDemo(ctx, exits, screen)
	switch {
	case err != nil:
		return fmt.Errorf("demo: %w", err)
	case asJSON:
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	default:
		report.show(out)
	}
	return errors.Join(err, failedCheck(report.Checks))
}

// runExitsDemo runs the network, and the story on it.
func runExitsDemo(ctx context.Context, exits int, screen view) (report *exitsReport, err error) {
	group, ctx := errgroup.WithContext(ctx)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	lasting, stopBackends := context.WithCancel(context.WithoutCancel(ctx)) // until the exits have drained
	defer stopBackends()
	m, err := newMarket(lasting, group, exits)
	if err != nil {
		return nil, err
	}
	group.Go(func() error {
		defer stopBackends()
		return m.network.Run(ctx)
	})
	group.Go(func() (err error) {
		defer stop()
		report, err = m.tell(ctx, screen)
		return err
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	if report == nil {
		return nil, context.Cause(ctx)
	}
	return report, nil
}

// tell goes through the phases while requests flow.
func (m *market) tell(ctx context.Context, screen view) (report *exitsReport, err error) {
	if err := m.network.WaitReady(ctx); err != nil {
		return nil, err
	}
	m.learnHashes()
	asking, stop := context.WithCancel(ctx)
	var tools sync.WaitGroup
	for range demoTools {
		tools.Go(func() { m.ask(asking) })
	}
	report = newExitsReport(m)
	for i, phase := range demoPhases {
		m.tally.enter(i)
		phase.begin(m)
		screen.phase(phase)
		if err = m.watch(ctx, phase, screen); err != nil {
			break
		}
		report.finish(m, i)
	}
	stop()
	tools.Wait()
	if err == nil {
		report.check(m)
	}
	return report, err
}

// watch shows how things are until the phase is over.
func (m *market) watch(ctx context.Context, phase demoPhase, screen view) error {
	end := time.NewTimer(phase.lasts)
	defer end.Stop()
	tick := time.NewTicker(screen.every())
	defer tick.Stop()
	for {
		if err := m.observe(); err != nil {
			return err
		}
		screen.draw(m)
		select {
		case <-tick.C:
		case <-end.C:
			return m.observe()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// noView shows nothing.
type noView struct{}

func (noView) phase(demoPhase)      {}
func (noView) draw(*market)         {}
func (noView) every() time.Duration { return viewInterval }

// show prints the claims and whether they held.
func (r *exitsReport) show(w io.Writer) {
	fmt.Fprintln(w, "\nCHECKS on what the tools got and the exits were asked")
	for _, c := range r.Checks {
		mark := "ok    "
		if !c.OK {
			mark = "FAILED"
		}
		fmt.Fprintf(w, "%s %s\n", mark, c.What)
	}
}
