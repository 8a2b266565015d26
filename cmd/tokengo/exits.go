// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/service"
)

func newExitsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exits",
		Short: "Look at the exits within reach",
		Long: `List exits, find models at them by what they can do and cost, or show all that is known of one. Every search is
made on this machine: relays do not learn what you look for.`,
		Args: noArgs,
		RunE: showHelp,
	}
	cmd.AddCommand(newExitsListCommand(), newExitsShowCommand(), newExitsFindCommand())
	return cmd
}

// exitRow is one exit through one relay, as 'exits list --json' prints it. The texts are the exit's own.
type exitRow struct {
	Hash      service.Hash       `json:"pub_key_hash"`
	Identity  service.Identity   `json:"identity"`
	Operator  string             `json:"operator"`
	Protocols []service.Protocol `json:"protocols"`           // native
	Reachable []service.Protocol `json:"reachable_protocols"` // by translation
	Models    []service.Model    `json:"models"`
	Tier      service.Tier       `json:"tier"`
	Relay     string             `json:"relay"`
	RTTMillis float64            `json:"rtt_ms"` // between relay and exit, as the relay measured it; 0 is unknown
	Since     time.Time          `json:"since"`
	Expires   time.Time          `json:"expires"`
}

func newExitsListCommand() *cobra.Command {
	f, q := &lookFlags{}, &queryFlags{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the exits that the relays know, verified",
		Long: `List the exits that the running client knows; when none runs, or relays are named, download each relay's
directory, verify every signature, and list the exits in it. The whole directory is downloaded: a relay does not
learn what you look for. With filters, list the exits that have a model which fits, and those models.

PROTOCOLS are those that the exit's backends speak, REACHABLE those whose tools can use it besides, by translation in
the exit.`,
		Example: `  tokengo exits list --relay https://relay.example
  tokengo exits list --features tools --max-price 1
  tokengo exits list --json | jq '.[].models[].id'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := q.build()
			if err != nil {
				return err
			}
			return f.look(cmd, needExits, func(ctx context.Context, s *source) error {
				var exits []client.ExitSummary
				var err error
				if q.given(cmd.Flags()) {
					err = s.post(ctx, "exits", query, &exits)
				} else {
					err = s.get(ctx, "exits", &exits)
				}
				if err != nil {
					return err
				}
				if len(exits) == 0 && q.given(cmd.Flags()) {
					fmt.Fprintln(cmd.ErrOrStderr(), "no exit has a model that fits: 'tokengo exits find' with the same filters says what rules them out")
				}
				return printExits(screenOf(cmd.OutOrStdout()), exitRows(exits), f.asJSON)
			})
		},
	}
	f.register(cmd)
	q.registerFilter(cmd.Flags())
	return cmd
}

// exitRows are a row for each exit and relay.
func exitRows(exits []client.ExitSummary) []exitRow {
	rows := []exitRow{}
	for _, e := range exits {
		for _, seen := range e.Observed {
			rows = append(rows, exitRow{
				Hash: e.Exit, Identity: e.Identity, Operator: e.Operator, Protocols: e.Protocols, Reachable: e.Reachable,
				Models: e.Models, Tier: e.Tier, Relay: seen.Relay, RTTMillis: seen.RTTMillis, Since: seen.Since, Expires: e.Expires,
			})
		}
	}
	return rows
}

func printExits(out screen, rows []exitRow, asJSON bool) error {
	if asJSON {
		return writeJSON(out, rows)
	}
	t := &table{
		header: []string{"HASH", "OPERATOR", "PROTOCOLS", "REACHABLE", "MODELS", "TIER", "RELAY", "RTT"},
		names:  []string{"OPERATOR", "MODELS", "RELAY"},
		spare:  []string{"REACHABLE", "RTT", "RELAY", "TIER", "PROTOCOLS"},
	}
	for _, r := range rows {
		t.add(r.Hash.Short(), r.Operator, join(r.Protocols), join(r.Reachable), modelColumn(r.Models), string(r.Tier), r.Relay,
			millis(r.RTTMillis))
	}
	return t.write(out)
}

func join(protocols []service.Protocol) string {
	var names []string
	for _, p := range protocols {
		names = append(names, string(p))
	}
	return cmp.Or(strings.Join(names, ","), "-")
}

// modelColumn names a few models and counts the rest; --json has them all.
func modelColumn(models []service.Model) string {
	const shown = 4
	var ids []string
	for _, m := range models {
		if id := service.Printable(m.ID, 40); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) > shown {
		ids = append(ids[:shown:shown], fmt.Sprintf("+%d", len(ids)-shown))
	}
	return strings.Join(ids, ",")
}

// millis is a time in milliseconds, empty when it is not known.
func millis(ms float64) string {
	switch {
	case ms == 0:
		return ""
	case ms < 100:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}
