// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/service"
)

func newStatusCommand() *cobra.Command {
	f := &lookFlags{}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the running client, its relays and its tiers are",
		Long: `Ask the client that runs on this machine how its relays do, how many exits it knows, which tier answers and what the
others have spent, and which exits rest after failures.`,
		Example: `  tokengo status
  tokengo status --listen unix:/run/user/1000/tokengo.sock --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.look(cmd, needClient, func(ctx context.Context, s *source) error {
				var status client.Status
				if err := s.get(ctx, "status", &status); err != nil {
					return err
				}
				if f.asJSON {
					return writeJSON(cmd.OutOrStdout(), status)
				}
				return printStatus(screenOf(cmd.OutOrStdout()), &status)
			})
		},
	}
	f.register(cmd)
	cmd.Flags().MarkHidden("relay") // there is a client, or nothing to show
	return cmd
}

// maxProblem is how much is shown of why a relay does not answer, in characters.
const maxProblem = 300

func printStatus(w screen, s *client.Status) error {
	w.say("", fmt.Sprintf("%s within reach, %s answered, %s with an exit of its own",
		plural(s.Exits, "exit"), plural(int(s.Answered), "request"), plural(s.Conversations, "conversation")))
	fmt.Fprintln(w)
	relays := &table{
		header: []string{"RELAY", "OPERATOR", "RTT", "EXITS", "TUNNELS", "TUNNEL RTT", "LAST ANSWER", "STATE"},
		names:  []string{"RELAY", "OPERATOR"}, spare: []string{"TUNNEL RTT", "TUNNELS", "RTT", "OPERATOR"},
	}
	for _, r := range s.Relays {
		relays.add(r.Relay, r.Operator, millis(r.RTTMillis), strconv.Itoa(r.Exits), count(r.Tunnels), millis(r.TunnelRTTMillis),
			ago(r.Fetched), cmp.Or(breakerState(r.State, r.Until), "ready"))
	}
	if err := relays.write(w); err != nil {
		return err
	}
	for _, r := range s.Relays {
		if r.Problem != "" {
			w.say("", fmt.Sprintf("relay %s: %s", r.Relay, service.Printable(r.Problem, maxProblem)))
		}
	}
	if len(s.Tiers) > 0 {
		fmt.Fprintln(w)
		if err := tierTable(s).write(w); err != nil {
			return err
		}
	}
	if len(s.Breakers) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	breakers := &table{
		header: []string{"EXIT", "OPERATOR", "MODEL", "PROTOCOL", "STATE"}, names: []string{"OPERATOR", "MODEL"}, spare: []string{"PROTOCOL"},
	}
	for _, b := range s.Breakers {
		breakers.add(cmp.Or(b.Exit.Short(), b.Identity.Short()), b.Operator, b.Model, string(b.Protocol), breakerState(b.State, b.Until))
	}
	return breakers.write(w)
}

func tierTable(s *client.Status) *table {
	t := &table{header: []string{"TIER", "ANSWERED", "LAST", "SPENT", "STATE"}, names: []string{"TIER"}, spare: []string{"LAST", "ANSWERED"}}
	for i := range s.Tiers {
		r := &s.Tiers[i]
		spent := ""
		if r.Budget > 0 {
			spent = fmt.Sprintf("%.4g of %.4g %s a %s", r.Spent, r.Budget, service.Printable(s.Currency, 10), r.Period)
		}
		t.add(r.Name, strconv.FormatInt(r.Answered, 10), ago(r.Last), spent, cmp.Or(tierState(r), "ready"))
	}
	return t
}
