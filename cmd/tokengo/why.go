// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

func newWhyCommand() *cobra.Command {
	f, q := &lookFlags{}, &queryFlags{}
	all, protocol := false, ""
	cmd := &cobra.Command{
		Use:   "why --model MODEL",
		Short: "Explain which exits a request would be sent to",
		Long: `Explain what the client would think of every exit for a request now: what excludes or demotes it, its score and what
that is made of, its price and its chance to be tried first. Nothing is sent to an exit.

Exits are shown by the step of fall-back (tier) in which they are found, and there by what demotes them: those of a
later group are tried when those of the earlier are used up. SCORE = AVAIL^0.4 × LATENCY^0.2 × SPEED^0.2 × KEPT^0.2. PRICE is
that of the whole request.`,
		Example: `  tokengo why --model claude-sonnet-4
  tokengo why --model gpt-5 --protocol claude --features tools --input-tokens 50000
  tokengo why --model llama-3 --provider '{"sort": "price"}' --all`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := q.build()
			if err != nil {
				return err
			}
			if query.Protocol, err = protocolOf(protocol); err != nil {
				return err
			}
			query.Excluded = all || f.asJSON
			return f.look(cmd, needExits, func(ctx context.Context, s *source) error {
				var why client.Why
				if err := s.post(ctx, "why", query, &why); err != nil {
					return err
				}
				if f.asJSON {
					return writeJSON(cmd.OutOrStdout(), why)
				}
				return printWhy(screenOf(cmd.OutOrStdout()), &why)
			})
		},
	}
	f.register(cmd)
	q.register(cmd.Flags())
	flags := cmd.Flags()
	flags.StringArrayVar(&q.query.Models, "model", nil, "the `model` that the tool asks for; more than one are tried in their order")
	flags.StringVar(&protocol, "protocol", "", "the `protocol` that the tool speaks (default the one that most exits serve the model by)")
	flags.IntVar(&q.query.InputTokens, "input-tokens", 0, "how long the request is, in `tokens`")
	flags.IntVar(&q.query.MaxOutput, "max-output", 0, "the longest answer that it allows, in `tokens`")
	flags.IntVar(&q.query.Images, "images", 0, "how `many` images are in it")
	flags.BoolVar(&all, "all", false, "list also each exit that is ruled out")
	return cmd
}

func printWhy(w screen, why *client.Why) error {
	w.say("", fmt.Sprintf("%s asked for by a tool of protocol %s", service.Printable(strings.Join(why.Models, ", then "), 80), why.Protocol))
	for _, u := range why.Unknown {
		w.say("", "no exit offers "+service.Printable(u.Model, 60))
		if len(u.Nearest) > 0 {
			w.say("  ", "similar: "+service.Printable(strings.Join(u.Nearest, ", "), 100))
		}
	}
	for _, stage := range stages(why) {
		if err := printStage(w, why, stage); err != nil {
			return err
		}
	}
	if why.More > 0 {
		fmt.Fprintf(w, "\nand %d candidates more\n", why.More)
	}
	return nil
}

// stage is a model that was asked for, in one tier.
type stage struct{ model, tier string }

// stages are those that there is something to say of, in the order in which they are tried.
func stages(why *client.Why) (all []stage) {
	add := func(s stage) {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	tiers := []string{""}
	for _, t := range why.Tiers {
		tiers = append(tiers, t.Name)
	}
	for _, model := range why.Models {
		for _, tier := range tiers {
			s := stage{model, tier}
			if slices.ContainsFunc(why.Candidates, s.has) || slices.ContainsFunc(why.Excluded, s.counts) {
				add(s)
			}
		}
	}
	return all
}

func (s stage) has(v client.Verdict) bool      { return v.Asked == s.model && v.Tier == s.tier }
func (s stage) counts(e client.Exclusion) bool { return e.Model == s.model && e.Tier == s.tier }

// printStage shows the candidates of one stage, by what demotes them.
func printStage(w screen, why *client.Why, s stage) error {
	fmt.Fprintf(w, "\n%s\n", stageTitle(why, s))
	var groups [][]string // what demotes each
	for _, v := range why.Candidates {
		if s.has(v) && v.Excluded == "" && !slices.ContainsFunc(groups, func(g []string) bool { return slices.Equal(g, v.Demoted) }) {
			groups = append(groups, v.Demoted)
		}
	}
	for _, demoted := range groups {
		if len(demoted) > 0 {
			w.say("  ", "later: "+strings.Join(demoted, "; "))
		}
		t := candidateTable(why.Currency)
		for i := range why.Candidates {
			if v := &why.Candidates[i]; s.has(*v) && v.Excluded == "" && slices.Equal(v.Demoted, demoted) {
				t.add(candidateCells(v)...)
			}
		}
		if err := t.write(w); err != nil {
			return err
		}
	}
	return printRuledOut(w, why, s)
}

// printRuledOut counts what cannot be chosen, and names what is listed of it.
func printRuledOut(w screen, why *client.Why, s stage) error {
	for _, e := range why.Excluded {
		if !s.counts(e) {
			continue
		}
		if err := printExclusions(w, "  ", []client.Exclusion{e}); err != nil {
			return err
		}
		for _, v := range why.Candidates {
			if s.has(v) && v.Excluded == e.Reason {
				w.row(fmt.Sprintf("    %s  %s  %s", v.Exit.Short(), service.Printable(v.Operator, 30), service.Printable(v.Model, 60)))
			}
		}
	}
	return nil
}

// stageTitle names a stage, and says why it may be passed over.
func stageTitle(why *client.Why, s stage) string {
	title := service.Printable(s.model, 60)
	i := slices.IndexFunc(why.Tiers, func(t client.TierReport) bool { return t.Name == s.tier })
	if i < 0 {
		return title
	}
	title += " in tier " + service.Printable(s.tier, 40)
	switch t := &why.Tiers[i]; {
	case t.OverBudget || t.State == route.Open:
		title += ": passed over, it " + tierState(t)
	case t.State == route.HalfOpen:
		title += ": " + tierState(t)
	}
	return title
}

// tierState says why a tier is passed over, empty when it is not.
func tierState(t *client.TierReport) string {
	if t.OverBudget {
		return "has spent its budget"
	}
	return breakerState(t.State, t.Until)
}

func candidateTable(currency string) *table {
	return &table{
		header: []string{
			"CHANCE", "EXIT", "OPERATOR", "MODEL", "PRICE " + currency, "SCORE", "AVAIL", "LATENCY", "SPEED", "KEPT", "RELAYS", "STATE",
		},
		lists: []string{"RELAYS", "STATE"}, names: []string{"OPERATOR", "MODEL"},
		spare: []string{"RELAYS", "KEPT", "SPEED", "LATENCY", "AVAIL"}, indent: "  ",
	}
}

func candidateCells(v *client.Verdict) []string {
	price := ""
	if v.Price != nil {
		price = fmt.Sprintf("%.6f", *v.Price)
	}
	factor := func(f float64) string { return fmt.Sprintf("%.2f", f) }
	return []string{
		percent(v.Chance), v.Exit.Short(), v.Operator, v.Model, price, factor(v.Score), factor(v.Factors.Availability),
		factor(v.Factors.Latency), factor(v.Factors.Throughput), factor(v.Factors.Promises), strings.Join(v.Relays, ","),
		breakerState(v.State, v.Until),
	}
}

// ago is how long something is past.
func ago(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return time.Since(t).Round(time.Second).String() + " ago"
}
