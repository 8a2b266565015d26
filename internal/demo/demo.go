// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package demo shows what TokenGo does, on one machine and without a network, and checks that it did. It is
// 'tokengo demo': people watch it, and CI runs it, for it fails when one of its checks does.
//
// There are two stories. Each happens on a whole network of client, relays and exits in this process, package
// [network], before a text generator in place of an AI, package [demobackend]:
//
//   - privacy: who saw what of two chats. Everything that relay, exit and backend handle is recorded, and the checks
//     search those bytes for what must not be there, and for what must, so that the search itself is checked.
//     privacy.go has the conversations, shaping.go what scrubbing and shaping do, privacyreport.go the checks and
//     privacyview.go the text;
//   - choosing: which exits answer while exits fail and recover. The checks are on what the tools got and what the
//     exits were asked. choosing.go has the phases, market.go the exits, traffic.go the tools, choosingreport.go the
//     checks and choosingview.go what is drawn meanwhile.
//
// Both begin in stage.go, and paragraph.go folds what they say. This one process sees everything, of course: the demo proves what each party is given,
// not what a machine of its own keeps secret.
//
// Use:
//
//	err := demo.Run(ctx, demo.Config{Out: os.Stdout})
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// How many exits the demo of choosing may have: one alone is no choice, and more find no place on a screen.
const (
	MinExits = 2
	MaxExits = 50
)

// timeout is more than either story takes; only one that hangs needs it.
const timeout = time.Minute

// Config says what is shown, and where. Out is required.
type Config struct {
	// Out is where the story is told while it happens, and then the report printed. On a terminal the demo of choosing
	// draws a table in place, else a line now and then.
	Out io.Writer
	// JSON prints nothing but the report, as JSON.
	JSON bool
	// Exits shows choosing among so many exits, from MinExits to MaxExits. Zero shows privacy.
	Exits int
}

// Run shows a story and prints the report. It takes about half a minute, and no more than one. An error is of a
// network that did not work, of the first check that failed, or of ctx.
func Run(ctx context.Context, cfg Config) error {
	s, err := cfg.story()
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("it did not end within %s", timeout))
	defer cancel()
	r, err := perform(ctx, s)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if cfg.JSON {
		encoder := json.NewEncoder(cfg.Out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(r)
	} else {
		r.show(cfg.Out)
	}
	return errors.Join(err, r.failed())
}

// story is the one that is asked for.
func (cfg *Config) story() (story, error) {
	switch {
	case cfg.Exits == 0 && cfg.JSON:
		return newPrivacy(io.Discard)
	case cfg.Exits == 0:
		return newPrivacy(cfg.Out)
	case cfg.Exits < MinExits || cfg.Exits > MaxExits:
		return nil, fmt.Errorf("%d exits: want %d to %d", cfg.Exits, MinExits, MaxExits)
	case cfg.JSON:
		return newMarket(cfg.Exits, noView{})
	default:
		return newMarket(cfg.Exits, newView(cfg.Out))
	}
}

// report is what came of a story. As JSON it is for programs.
type report interface {
	show(io.Writer) // for people
	failed() error  // the first check that failed
}

// check is a statement, and whether it held.
type check struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
}

// failedCheck is an error when a check failed.
func failedCheck(checks []check) error {
	for _, c := range checks {
		if !c.OK {
			return errors.New("demo: a check failed: " + c.What)
		}
	}
	return nil
}

// showChecks prints statements and whether they held.
func showChecks(w io.Writer, title string, checks []check) {
	fmt.Fprintln(w, "\nCHECKS on "+title)
	for _, c := range checks {
		mark := "ok    "
		if !c.OK {
			mark = "FAILED"
		}
		p := newParagraph(w, mark+" ")
		io.WriteString(p, c.What)
		p.end()
	}
}
