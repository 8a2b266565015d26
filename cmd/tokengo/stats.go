// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/client"
)

func newStatsCommand() *cobra.Command {
	f := &lookFlags{}
	var forget bool
	var exit string
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Show, or clear, what the client has learned of exits",
		Long: `Show what the client has measured of each model at each exit that it used. Counts fade: a request of one half-life ago
counts half. When no client runs, what is saved is shown.

With --clear it is forgotten, also what is saved: all of it, or with --exit that of one exit. What tiers have spent of
their budgets stays.`,
		Example: `  tokengo stats
  tokengo stats --clear --exit 3f9a12cd`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.look(cmd, needMemory, func(ctx context.Context, s *source) error {
				if forget {
					if err := s.forget(ctx, exit); err != nil {
						return err
					}
					fmt.Fprintln(cmd.ErrOrStderr(), "forgotten")
					return nil
				}
				return showStats(ctx, screenOf(cmd.OutOrStdout()), s, statsView{exit, f.asJSON})
			})
		},
	}
	f.register(cmd)
	cmd.Flags().BoolVar(&forget, "clear", false, "forget what was learned")
	cmd.Flags().StringVar(&exit, "exit", "", "only of the exit with this `name`: identity, hash, 4 characters of their beginning or more, or operator")
	return cmd
}

// statsView is what of the measurements is shown, and how.
type statsView struct {
	exit   string
	asJSON bool
}

// forget clears what was learned of one exit, or with an empty name of all.
func (s *source) forget(ctx context.Context, exit string) error {
	path := "stats"
	if exit != "" {
		path += "?exit=" + url.QueryEscape(exit)
	}
	var nothing struct{}
	return s.ask(ctx, http.MethodDelete, path, nil, &nothing)
}

func showStats(ctx context.Context, w screen, s *source, view statsView) error {
	var all []client.Measurement
	if err := s.get(ctx, "stats", &all); err != nil {
		return err
	}
	shown := []client.Measurement{}
	for _, m := range all {
		if view.exit == "" || isOf(&m, view.exit) {
			shown = append(shown, m)
		}
	}
	if view.asJSON {
		return writeJSON(w, shown)
	}
	t := measurementTable()
	t.indent, t.header = "", append([]string{"EXIT", "OPERATOR"}, t.header...)
	t.names, t.spare = append(t.names, "OPERATOR"), append(t.spare, "OPERATOR")
	for i := range shown {
		m := &shown[i]
		name := m.Exit.Short()
		if name == "" { // it has left the directory, or that was not asked for
			name = m.Identity.Short()
		}
		t.add(append([]string{name, m.Operator, m.Model}, measurementCells(m)...)...)
	}
	return t.write(w)
}

// isOf reports whether a measurement is of the exit with this name.
func isOf(m *client.Measurement, name string) bool {
	return strings.EqualFold(m.Operator, name) || strings.HasPrefix(string(m.Identity), name) ||
		strings.HasPrefix(string(m.Exit), strings.ToLower(name))
}

// measurementTable shows measurements of one exit, a row each.
func measurementTable() *table {
	return &table{
		header: []string{"MODEL", "PROTOCOL", "GOOD", "BAD", "KEPT", "BROKEN", "TTFT", "P90", "TOKENS/S", "SCORE", "STATE"},
		lists:  []string{"STATE"}, names: []string{"MODEL"}, spare: []string{"P90", "PROTOCOL", "BROKEN", "KEPT", "TOKENS/S"}, indent: "  ",
	}
}

// measurementCells are those of a row, behind the model.
func measurementCells(m *client.Measurement) []string {
	speed := ""
	if m.TokensPerSecond > 0 {
		speed = fmt.Sprintf("%.0f", m.TokensPerSecond)
	}
	return []string{
		string(m.Protocol), faded(m.Succeeded), faded(m.Failed), faded(m.Kept), faded(m.Broken), millis(m.TTFTMillis),
		millis(m.TTFT90Millis), speed, fmt.Sprintf("%.2f", m.Score), breakerState(m.State, m.Until),
	}
}

// faded is a count that has faded.
func faded(n float64) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%.1f", n)
}
