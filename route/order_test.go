// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// exit is an exit by name that offers models written "protocol/id".
type exit struct {
	name string
	info *service.Info
}

func (e exit) Service() *service.Info { return e.info }

func newExit(name string, tier service.Tier, models ...string) exit {
	info := &service.Info{Tier: tier}
	for _, m := range models {
		proto, id, _ := strings.Cut(m, "/")
		info.Models = append(info.Models, service.Model{ID: id, Protocol: service.Protocol(proto)})
	}
	return exit{name, info}
}

// keep is a Shuffle that leaves everything in place; reverse one that turns it around.
func keep(int, func(i, j int)) {}

func reverse(n int, swap func(i, j int)) {
	for i := range n / 2 {
		swap(i, n-1-i)
	}
}

func need(model string, protocols ...service.Protocol) route.Need {
	return route.Need{Protocols: protocols, Model: func(id string) bool { return id == model }}
}

func TestOrder(t *testing.T) {
	exits := []exit{
		newExit("a", service.Free, "openai/m", "openai/n"),
		newExit("b", service.Standard, "claude/m"),
		newExit("c", service.Standard, "openai/m", "claude/m"),
		newExit("d", service.Premium, "gemini/m", "openai/other"),
	}
	every := []service.Protocol{service.OpenAI, service.Claude, service.Gemini}
	tests := []struct {
		name    string
		policy  route.Policy
		need    route.Need
		shuffle route.Shuffle
		want    string
	}{
		{"native only", route.Policy{}, need("m", service.OpenAI), keep, "a c"},
		{"shuffled", route.Policy{}, need("m", service.OpenAI), reverse, "c a"},
		{"other model", route.Policy{}, need("n", service.OpenAI), keep, "a"},
		{"no such model", route.Policy{}, need("x", service.OpenAI), keep, ""},
		{"model of another protocol", route.Policy{}, need("other", service.Gemini), keep, ""},
		{"native before translated", route.Policy{}, need("m", every...), keep, "a c b d"},
		{"allowed protocol", route.Policy{Protocols: []service.Protocol{service.Claude}}, need("m", every...), keep, "b c"},
		{"protocol ruled out", route.Policy{Protocols: []service.Protocol{service.Claude}}, need("m", service.OpenAI), keep, ""},
		{
			"preference before chance",
			route.Policy{Preference: []service.Protocol{service.Gemini, service.Claude}},
			need("m", every...), reverse, "d c b a",
		},
		{
			"preference counts what serves the need",
			route.Policy{Preference: []service.Protocol{service.Claude}},
			need("m", service.OpenAI), keep, "a c",
		},
		{"tiers", route.Policy{Tiers: []service.Tier{service.Free, service.Premium}}, need("m", every...), keep, "a d"},
		{"nobody needed", route.Policy{}, need("m"), keep, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var names []string
			for _, e := range route.Order(tt.policy, exits, tt.need, tt.shuffle) {
				names = append(names, e.name)
			}
			if diff := cmp.Diff(tt.want, strings.Join(names, " ")); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		})
	}
	if exits[0].name != "a" || exits[3].name != "d" {
		t.Error("Order changed the slice it was given")
	}
}

// Each of several equal exits must come first about equally often.
func TestOrderSharesLoad(t *testing.T) {
	var exits []exit
	for i := range 4 {
		exits = append(exits, newExit(fmt.Sprint(i), service.Free, "openai/m"))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	count := map[string]int{}
	const rounds = 4000
	for range rounds {
		count[route.Order(route.Policy{}, exits, need("m", service.OpenAI), rng.Shuffle)[0].name]++
	}
	for name, n := range count {
		if n < rounds/5 || n > rounds*3/10 {
			t.Errorf("exit %s came first %d times of %d, want about a quarter", name, n, rounds)
		}
	}
}

func TestPolicyValidate(t *testing.T) {
	tests := []struct {
		policy route.Policy
		ok     bool
	}{
		{route.Policy{}, true},
		{route.Policy{
			Protocols: []service.Protocol{service.Claude}, Preference: service.Protocols(), Tiers: service.Tiers(),
		}, true},
		{route.Policy{Protocols: []service.Protocol{"smtp"}}, false},
		{route.Policy{Preference: []service.Protocol{""}}, false},
		{route.Policy{Tiers: []service.Tier{"gold"}}, false},
	}
	for _, tt := range tests {
		if err := tt.policy.Validate(); (err == nil) != tt.ok {
			t.Errorf("Validate(%+v) = %v, want ok %t", tt.policy, err, tt.ok)
		}
	}
}

func TestOffered(t *testing.T) {
	exits := []exit{
		newExit("a", service.Free, "openai/m", "openai/b", "claude/c"),
		newExit("b", service.Premium, "openai/b", "openai/a"),
		newExit("c", service.Free),
	}
	tests := []struct {
		name   string
		policy route.Policy
		want   route.Offer
	}{
		{"all", route.Policy{}, route.Offer{service.OpenAI: {"a", "b", "m"}, service.Claude: {"c"}}},
		{"one protocol", route.Policy{Protocols: []service.Protocol{service.Claude}}, route.Offer{service.Claude: {"c"}}},
		{"one tier", route.Policy{Tiers: []service.Tier{service.Premium}}, route.Offer{service.OpenAI: {"a", "b"}}},
		{"none", route.Policy{Tiers: []service.Tier{service.Standard}}, route.Offer{}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, route.Offered(tt.policy, exits)); diff != "" {
			t.Errorf("%s: offer (-want +got):\n%s", tt.name, diff)
		}
	}
	offer := route.Offered(route.Policy{}, exits)
	if diff := cmp.Diff([]service.Protocol{service.OpenAI, service.Claude}, offer.Protocols()); diff != "" {
		t.Errorf("protocols (-want +got):\n%s", diff)
	}
	with := offer.With(func(id string) bool { return id == "c" })
	if diff := cmp.Diff([]service.Protocol{service.Claude}, with); diff != "" {
		t.Errorf("protocols with c (-want +got):\n%s", diff)
	}
}

func TestNearest(t *testing.T) {
	offer := route.Offer{service.OpenAI: {"claude-3", "gpt-4o", "gpt-4o-mini", "llama3.2:latest", "text-embedding-3"}}
	tests := []struct {
		asked string
		n     int
		want  []string
		more  int
	}{
		{"GPT-4o-2024", 2, []string{"gpt-4o", "gpt-4o-mini"}, 3},
		{"llama3", 1, []string{"llama3.2:latest"}, 4},
		{"", 2, []string{"claude-3", "gpt-4o"}, 3},
		{"x", 9, []string{"claude-3", "gpt-4o", "gpt-4o-mini", "llama3.2:latest", "text-embedding-3"}, 0},
	}
	for _, tt := range tests {
		got, more := offer.Nearest(service.OpenAI, tt.asked, tt.n)
		if diff := cmp.Diff(tt.want, got); diff != "" || more != tt.more {
			t.Errorf("Nearest(%q, %d): %d more, want %d; ids (-want +got):\n%s", tt.asked, tt.n, more, tt.more, diff)
		}
	}
	if got, more := offer.Nearest(service.Gemini, "x", 3); len(got) != 0 || more != 0 {
		t.Errorf("Nearest of a protocol that is not on offer = %v, %d", got, more)
	}
}
