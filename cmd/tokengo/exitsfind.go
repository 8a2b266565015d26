// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/service"
)

// foundRows is how many models 'exits find' shows in a table unless --limit says otherwise.
const foundRows = 50

func newExitsFindCommand() *cobra.Command {
	f, q := &lookFlags{}, &queryFlags{}
	all := false
	cmd := &cobra.Command{
		Use:   "find",
		Short: "Find models at exits by what they can do and cost",
		Long: `List the models of all exits that fit, well and cheap ones first, or as --sort says. The preferences of the client's
profile count as well: what they rule out is counted below the table, and listed with --all. The search is made on
this machine.

PRICE is for a million tokens read and written. SCORE is what this client thinks of the model at that exit by its own
measurements, from 0 to 1.`,
		Example: `  tokengo exits find --model llama-3 --max-price 0.5 --features tools
  tokengo exits find --modality image --min-context 100000 --sort price --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := q.build()
			if err != nil {
				return err
			}
			query.Excluded = all
			if !f.asJSON && !cmd.Flags().Changed("limit") {
				query.Limit = foundRows
			}
			return f.look(cmd, needExits, func(ctx context.Context, s *source) error {
				var found client.Verdicts
				if err := s.post(ctx, "find", query, &found); err != nil {
					return err
				}
				if f.asJSON {
					return writeJSON(cmd.OutOrStdout(), found)
				}
				return printFound(screenOf(cmd.OutOrStdout()), &found)
			})
		},
	}
	f.register(cmd)
	q.registerFilter(cmd.Flags())
	cmd.Flags().BoolVar(&all, "all", false, "list also what the preferences rule out, and why")
	cmd.Flags().IntVar(&q.query.Limit, "limit", 0, "list at most so `many` (default 50, with --json 10000, which is the most)")
	return cmd
}

func printFound(w screen, found *client.Verdicts) error {
	t := &table{
		header: []string{"EXIT", "OPERATOR", "MODEL", "PROTOCOL", "PRICE", "CONTEXT", "FEATURES", "TIER", "REGION", "SCORE"},
		lists:  []string{"FEATURES", "REGION"}, names: []string{"OPERATOR", "MODEL"},
		spare: []string{"REGION", "TIER", "PROTOCOL", "FEATURES", "CONTEXT"},
	}
	for i := range found.Candidates {
		c := &found.Candidates[i]
		score := fmt.Sprintf("%.2f", c.Score)
		if c.Excluded != "" {
			score = "ruled out"
		}
		t.add(c.Exit.Short(), c.Operator, c.Model, string(c.Protocol), shortPrice(c.Offer), count(c.Offer.MaxCtx),
			strings.Join(c.Offer.Features, ","), string(c.ServiceTier), c.Region, score)
	}
	if err := t.write(w); err != nil {
		return err
	}
	if !slices.ContainsFunc(found.Candidates, func(v client.Verdict) bool { return v.Excluded == "" }) && found.More == 0 {
		nothing := "nothing fits"
		if len(found.Excluded) == 0 {
			nothing = "nothing fits: no exit within reach offers anything"
		}
		fmt.Fprintln(w, nothing)
	}
	if found.More > 0 {
		fmt.Fprintf(w, "and %d more: see --limit\n", found.More)
	}
	return printExclusions(w, "", found.Excluded)
}

// shortPrice is what a model costs, without what is rarely charged for.
func shortPrice(m *service.Model) string {
	if m.Pricing == nil {
		return ""
	}
	return fmt.Sprintf("%s/%s %s", m.Pricing.InputPer1M, m.Pricing.OutputPer1M, m.Pricing.Currency)
}

// printExclusions says how many candidates each reason excluded.
func printExclusions(w screen, indent string, excluded []client.Exclusion) error {
	for _, e := range excluded {
		if err := w.say(indent, fmt.Sprintf("ruled out: %d × %s", e.Count, e.Reason)); err != nil {
			return err
		}
	}
	return nil
}
