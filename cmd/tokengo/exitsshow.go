// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

func newExitsShowCommand() *cobra.Command {
	f := &lookFlags{}
	cmd := &cobra.Command{
		Use:   "show EXIT",
		Short: "Show all that is known of an exit",
		Long: `Show the description that an exit has signed, what each relay says it has seen of it, and what this client has
measured itself, each apart from the others. EXIT is a hash or an identity, 4 of its first characters or more, or an
operator's name.

CHANCE is how likely that model is tried first at this exit by a tool of the model's own protocol that asks for it by
its id.`,
		Example: `  tokengo exits show 3f9a12cd
  tokengo exits show 'Example Ltd' --json`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.look(cmd, needExits, func(ctx context.Context, s *source) error {
				var reports []client.ExitReport
				if err := s.get(ctx, "exits/"+url.PathEscape(args[0]), &reports); err != nil {
					return err
				}
				if f.asJSON {
					return writeJSON(cmd.OutOrStdout(), reports)
				}
				for i := range reports {
					if err := printExit(screenOf(cmd.OutOrStdout()), &reports[i]); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	f.register(cmd)
	return cmd
}

func printExit(w screen, r *client.ExitReport) error {
	fmt.Fprintf(w, "Signed by the exit\n\n")
	printSigned(w, r)
	if err := printOffers(w, r); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nSeen by relays, in their own words\n\n")
	if err := printObserved(w, r.Observed); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nMeasured by this client\n\n")
	if len(r.Measured) == 0 {
		_, err := fmt.Fprintln(w, "  nothing yet")
		return err
	}
	t := measurementTable()
	for i := range r.Measured {
		m := &r.Measured[i]
		t.add(append([]string{m.Model}, measurementCells(m)...)...)
	}
	return t.write(w)
}

// printSigned shows what the description says of the exit as a whole.
func printSigned(w screen, r *client.ExitReport) {
	in := r.Signed
	line := func(name, value string) {
		if value != "" {
			w.say(fmt.Sprintf("  %-10s ", name), service.Printable(value, tableWidth-13))
		}
	}
	line("hash", string(r.Exit))
	line("identity", string(in.Identity))
	line("operator", cmp.Or(in.Operator, "(unnamed)"))
	line("tier", string(in.Tier))
	line("protocols", join(in.Protocols))
	line("reachable", strings.TrimPrefix(join(r.Reachable), "-"))
	if in.SLA != nil {
		line("promises", plainJSON(in.SLA))
	}
	if in.Capacity != nil {
		line("runs on", plainJSON(in.Capacity))
	}
	line("betas", strings.Join(in.Betas, ","))
	if len(in.Tags) > 0 {
		line("tags", plainJSON(in.Tags))
	}
	line("expires", in.Expires.Local().Format(time.DateTime))
	fmt.Fprintln(w)
}

// printOffers shows the models, and how likely each is chosen.
func printOffers(w screen, r *client.ExitReport) error {
	t := &table{
		header: []string{"MODEL", "PROTOCOL", "CONTEXT", "OUTPUT", "PRICE PER 1M", "FEATURES", "WEIGHTS", "ALIASES", "CHANCE"},
		lists:  []string{"PRICE PER 1M", "FEATURES", "ALIASES"}, names: []string{"MODEL"},
		spare: []string{"WEIGHTS", "OUTPUT", "ALIASES", "PROTOCOL", "FEATURES", "CONTEXT"}, indent: "  ",
	}
	for i := range r.Signed.Models {
		m := &r.Signed.Models[i]
		chance := ""
		if i < len(r.Chances) {
			chance = percent(r.Chances[i].Chance)
			if r.Chances[i].Excluded != "" {
				chance = "ruled out"
			}
		}
		t.add(m.ID, string(m.Protocol), count(m.MaxCtx), count(m.MaxOutput), priceColumn(m.Pricing), strings.Join(m.Features, ","),
			m.Quantization, strings.Join(m.Aliases, ","), chance)
	}
	if err := t.write(w); err != nil {
		return err
	}
	for _, c := range r.Chances {
		if why := cmp.Or(c.Excluded, strings.Join(c.Demoted, "; ")); why != "" {
			w.say("  ", fmt.Sprintf("%s: %s", service.Printable(c.Model, 60), why))
		}
	}
	return nil
}

func printObserved(w screen, seen []client.RelayObservation) error {
	t := &table{
		header: []string{"RELAY", "SINCE", "RTT", "P90", "IN FLIGHT", "TUNNELS", "ANSWERED", "UP 5 MIN", "30 MIN", "1 DAY"},
		names:  []string{"RELAY"}, spare: []string{"IN FLIGHT", "P90", "UP 5 MIN", "TUNNELS", "30 MIN", "SINCE"}, indent: "  ",
	}
	for _, o := range seen {
		since, answered, busy := "", "", count(o.InFlight)
		if !o.Since.IsZero() {
			since = o.Since.Local().Format("2006-01-02 15:04")
			if o.InFlight == 0 { // relays do not say more
				busy = "under 4"
			}
		}
		if o.Answered != nil {
			answered = percent(*o.Answered)
		}
		t.add(o.Relay, since, millis(o.RTTMillis), millis(o.RTT90Millis), busy, count(o.Tunnels), answered,
			share(o.Uptime5m), share(o.Uptime30m), share(o.Uptime1d))
	}
	if err := t.write(w); err != nil {
		return err
	}
	for _, o := range seen {
		if o.SameOperator {
			w.say("  ", o.Relay+" is not used: exit and relay have the same operator")
		}
	}
	return nil
}

// percent is a probability.
func percent(p float64) string { return fmt.Sprintf("%.1f %%", 100*p) }

// share is a part of the time, empty when it is not known.
func share(p float64) string {
	if p == 0 {
		return ""
	}
	return percent(p)
}

// breakerState says what a circuit breaker does, empty while it lets everything through.
func breakerState(state route.State, until time.Time) string {
	switch state {
	case route.Open:
		return "rests until " + until.Local().Format(time.TimeOnly)
	case route.HalfOpen:
		return "to be tried again"
	}
	return ""
}
