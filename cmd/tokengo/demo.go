// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/internal/demo"
)

func newDemoCommand() *cobra.Command {
	var cfg demo.Config
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Ask privately through client, relay and exit on this machine, and see who saw what",
		Long: `Start a client, a relay and an exit on loopback, with a built-in text generator as the AI backend, ask it
twice (one plain, one streamed chat), and show what each party held. Then ask as a tool that says much about its
user, once in each mode of shaping, and show what was taken out of the request and what the relay saw of the
answers. It needs no network and no keys.

The demo fails if a check on the recorded bytes fails.

With --exits it shows choosing instead: so many exits of different prices and speeds, in two tiers of fall-back, behind
two relays. Requests flow for half a minute while the exit that most of them prefer fails and recovers, and then all
exits of the first tier disappear and come back. It fails if requests are not answered elsewhere, or do not return.`,
		Example: `  tokengo demo
  tokengo demo --exits 8`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("exits") && (cfg.Exits < demo.MinExits || cfg.Exits > demo.MaxExits) {
				return usagef("", "--exits %d: want %d to %d", cfg.Exits, demo.MinExits, demo.MaxExits)
			}
			cfg.Out = cmd.OutOrStdout()
			return demo.Run(cmd.Context(), cfg)
		},
	}
	cmd.Flags().BoolVar(&cfg.JSON, "json", false, "print JSON")
	cmd.Flags().IntVar(&cfg.Exits, "exits", 0, "show choosing among `N` exits, 2 to 50")
	return cmd
}
