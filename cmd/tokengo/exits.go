// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/internal/relayurl"
	"github.com/tokengo/tokengo/service"
)

func newExitsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exits",
		Short: "Look at the exits within reach",
		Args:  noArgs,
		RunE:  showHelp,
	}
	cmd.AddCommand(newExitsListCommand())
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
	var (
		asJSON  bool
		timeout time.Duration
		common  roleFlags
		file    clientFile
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the exits that the relays know, verified",
		Long: `Download each relay's directory, verify every signature, and list the exits in it. The whole directory is
downloaded: a relay does not learn what you look for.

PROTOCOLS are those that the exit's backends speak, REACHABLE those whose tools can use it besides, by translation in
the exit.`,
		Example: `  tokengo exits list --relay https://relay.example
  tokengo exits list --json | jq '.[].models[].id'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := loadFile(cmd, &common, clientFileName, &file); err != nil {
				return err
			}
			relays, err := parseRelays(file.Relays.GetSlice())
			if err != nil {
				return err
			}
			if len(relays) == 0 {
				return usagef("name one with --relay URL, or under relays: in "+clientFileName, "no relay is configured")
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			rows, err := listExits(ctx, relays)
			if len(rows) > 0 || err == nil {
				err = errors.Join(printExits(cmd.OutOrStdout(), rows, asJSON), err)
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.Var(&file.Relays, "relay", "ask the relay at `URL` (repeatable)")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	flags.DurationVar(&timeout, "timeout", 15*time.Second, "give up after this time")
	flags.StringVar(&common.config, "config", "", "read relays from `file` (default "+clientFileName+" if it exists)")
	return cmd
}

// listExits asks every relay. It returns what it got together with the errors of the others.
func listExits(ctx context.Context, relays []relayurl.URL) ([]exitRow, error) {
	rows := []exitRow{}
	var failed []error
	for _, relay := range relays {
		exits, err := client.Fetch(ctx, relay, nil)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		for _, e := range exits {
			rows = append(rows, exitRow{
				Hash: e.Hash, Identity: e.Info.Identity, Operator: e.Info.Operator, Protocols: e.Info.Protocols,
				Reachable: e.Reachable(), Models: e.Info.Models, Tier: e.Info.Tier, Relay: relay.Host,
				RTTMillis: e.Paths[0].Observed.RTTMillis, Since: e.Paths[0].Observed.Since, Expires: e.Info.Expires,
			})
		}
	}
	slices.SortStableFunc(rows, func(a, b exitRow) int {
		return cmp.Or(cmp.Compare(a.Operator, b.Operator), cmp.Compare(a.Identity, b.Identity))
	})
	return rows, errors.Join(failed...)
}

func printExits(w io.Writer, rows []exitRow, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(rows)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "HASH\tIDENTITY\tOPERATOR\tPROTOCOLS\tREACHABLE\tMODELS\tTIER\tRELAY\tRTT")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			r.Hash.Short(), r.Identity.Short(), cmp.Or(service.Printable(r.Operator, 24), "-"),
			join(r.Protocols), join(r.Reachable), modelColumn(r.Models), r.Tier, r.Relay, rttColumn(r.RTTMillis))
	}
	return table.Flush()
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
	return cmp.Or(strings.Join(ids, ","), "-")
}

func rttColumn(ms float64) string {
	if ms == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f ms", ms)
}
