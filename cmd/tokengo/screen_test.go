// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

func TestCut(t *testing.T) {
	tests := []struct {
		text  string
		width int
		want  string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"中文", 4, "中文"},
		{"中文字", 5, "中文…"},
		{"中文字", 4, "中…"},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
		{"abc", 1, "…"},
		{"abc", 0, ""},
		{"😀😀", 3, "😀…"},
	}
	for _, tt := range tests {
		if got := cut(tt.text, tt.width); got != tt.want || columns(got) > tt.width {
			t.Errorf("cut %q to %d: %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}

// wideReports are reports with everything in them that makes tables wide.
func wideReports() (*client.Why, *client.Verdicts, *client.Status, []client.Measurement, []client.ExitReport) {
	until := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	breaker := client.Breaker{
		Exit: "3f9a12cd00112233", Operator: "Example Operator of Large Models Ltd", Model: "anthropic/claude-sonnet-4-20250514",
		Protocol: service.OpenAI, State: route.Open, Until: until,
	}
	chinese := breaker
	chinese.Operator, chinese.Model, chinese.State = "很长的运营商名称有限责任公司分公司", "通义千问二点五代码专用大模型指令微调版", route.HalfOpen
	price := 0.001234
	model := service.Model{
		ID: breaker.Model, Protocol: service.OpenAI, MaxCtx: 1_000_000, MaxOutput: 128_000, Quantization: "fp8", Aliases: []string{"claude-sonnet-4", "sonnet"},
		Features: []string{"tools", "parallel_tools", "vision", "json_schema", "reasoning"}, Pricing: &service.Pricing{InputPer1M: "3.00", OutputPer1M: "15.00", CachedInputPer1M: "0.30", Currency: "USD"},
	}
	var verdicts client.Verdicts
	var stats []client.Measurement
	for _, b := range []client.Breaker{breaker, chinese} {
		verdicts.Candidates = append(verdicts.Candidates, client.Verdict{
			Exit: b.Exit, Operator: b.Operator, Region: "eu-central-frankfurt", ServiceTier: service.Standard, Model: b.Model, Protocol: b.Protocol, Asked: "m",
			Score: 0.5, Price: &price, Chance: 0.333, State: b.State, Until: until, Relays: []string{"relay.example.org:4433", "other.example.net:443"}, Offer: &model,
		})
		stats = append(stats, client.Measurement{
			Breaker: b, Score: 0.5, Succeeded: 12345.6, Failed: 1234.5, Kept: 1234.5, Broken: 123.4, TTFTMillis: 1234, TTFT90Millis: 12345, TokensPerSecond: 123,
		})
	}
	status := &client.Status{
		Relays:   []client.RelayReport{{Relay: "relay.example.org:4433", Operator: breaker.Operator, RTTMillis: 123, Exits: 10000, Tunnels: 12345, TunnelRTTMillis: 1234, State: route.Open, Until: until}},
		Tiers:    []client.TierReport{{Name: "a subscription that is paid by the month and never used up", Budget: 2500, Spent: 1234.5, Period: "month", State: route.Open, Until: until, Answered: 1234567}},
		Breakers: []client.Breaker{breaker, chinese}, Currency: "USD",
	}
	observed := service.Observed{
		Since: until, Tunnels: 3, InFlight: 1234, RTTMillis: 123, RTT90Millis: 1234, Answered: new(0.99), Uptime5m: 1, Uptime30m: 1, Uptime1d: 0.99,
	}
	reports := []client.ExitReport{{
		Exit: breaker.Exit, Signed: &service.Info{Operator: breaker.Operator, Models: []service.Model{model}}, Measured: stats,
		Observed: []client.RelayObservation{{Relay: "relay.example.org:4433", Observed: observed}}, Chances: []client.ModelChance{{Chance: 0.5}},
	}}
	return &client.Why{Models: []string{"m"}, Protocol: service.OpenAI, Currency: "USD", Verdicts: verdicts}, &verdicts, status, stats, reports
}

// Every row of every table stays on its line in a terminal, with what names exits and models in it, and what is left
// out is told. Where there is no terminal nothing is left out.
func TestTablesFitTheTerminal(t *testing.T) {
	why, found, status, stats, reports := wideReports()
	summary := []client.ExitSummary{{
		Exit: reports[0].Exit, Operator: reports[0].Signed.Operator, Tier: service.Standard, Protocols: service.Protocols(),
		Reachable: service.Protocols(), Models: reports[0].Signed.Models, Observed: reports[0].Observed,
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(stats) }))
	defer server.Close()
	s := &source{http: server.Client(), base: server.URL, name: "test"}
	prints := map[string]func(screen) error{
		"exits list":        func(out screen) error { return printExits(out, exitRows(summary), false) },
		"exits find":        func(out screen) error { return printFound(out, found) },
		"exits show":        func(out screen) error { return printOffers(out, &reports[0]) },
		"exits show, seen":  func(out screen) error { return printObserved(out, reports[0].Observed) },
		"exits show, whole": func(out screen) error { return printExit(out, &reports[0]) },
		"why":               func(out screen) error { return printWhy(out, why) },
		"status":            func(out screen) error { return printStatus(out, status) },
		"stats":             func(out screen) error { return showStats(context.Background(), out, s, statsView{}) },
	}
	for name, print := range prints {
		for _, width := range []int{0, 40, 60, 79, 80, 100, 132, 250} {
			var out bytes.Buffer
			if err := print(screen{&out, width}); err != nil {
				t.Fatal(err)
			}
			limit := width
			if width == 0 {
				limit = tableWidth + 40 // what cannot be narrower is longer
			}
			for line := range strings.Lines(out.String()) {
				if line = strings.TrimSuffix(line, "\n"); columns(line) > limit {
					t.Errorf("%s in %d columns: %d: %s", name, width, columns(line), line)
				}
			}
			if told := strings.Contains(out.String(), "no room for"); told && (width == 0 || width == 250) {
				t.Errorf("%s in %d columns leaves something out:\n%s", name, width, out.String())
			}
		}
	}
}

// Columns in which nothing is go first and without a word, then those that matter least; names are left readable.
func TestWhatIsLeftOut(t *testing.T) {
	tab := &table{
		header: []string{"NAME", "EMPTY", "LIST", "LEAST", "MORE"}, names: []string{"NAME"}, lists: []string{"LIST"},
		spare: []string{"LEAST", "MORE"}, indent: " ",
	}
	tab.add("a name of twenty one ", "", "one,two,three,four", "1234567890", "123456789")
	for width, want := range map[int]string{
		0:  " NAME                   EMPTY  LIST                LEAST       MORE\n a name of twenty one   -      one,two,three,four  1234567890  123456789\n",
		80: " NAME                   EMPTY  LIST                LEAST       MORE\n a name of twenty one   -      one,two,three,four  1234567890  123456789\n",
		68: " NAME                   LIST                LEAST       MORE\n a name of twenty one   one,two,three,four  1234567890  123456789\n",
		60: " NAME                   LIST           LEAST       MORE\n a name of twenty one   one,two,thre…  1234567890  123456789\n",
		50: " NAME                   LIST             MORE\n a name of twenty one   one,two,three,…  123456789\n (no room for LEAST: see --json)\n",
		40: " NAME                   LIST\n a name of twenty one   one,two,three,f…\n (no room for LEAST, MORE: see --json)\n",
		20: " NAME       LIST\n a name o…  one,two…\n (no room for LEAST…\n",
		9:  " NAME   …\n a name …\n (no roo…\n",
	} {
		var out bytes.Buffer
		if err := tab.write(screen{&out, width}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("in %d columns (-want +got):\n%s", width, diff)
		}
	}
}
