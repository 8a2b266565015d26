// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// also adds a model to an exit.
func also(id string, p service.Protocol) func(*service.Info, *service.Model) {
	return func(info *service.Info, _ *service.Model) {
		info.Models = append(info.Models, service.Model{ID: id, Protocol: p, Aliases: []string{"other-" + id}})
	}
}

func tier(t service.Tier) func(*service.Info, *service.Model) {
	return func(info *service.Info, _ *service.Model) { info.Tier = t }
}

func TestOffered(t *testing.T) {
	offers := []*offer{
		newOffer("a", tier(service.Free), also("b", service.OpenAI), also("c", service.Claude)),
		newOffer("b", tier(service.Premium), model("a", service.OpenAI), also("b", service.OpenAI)),
	}
	only := func(tiers ...service.Tier) route.Preferences { return route.Preferences{Tiers: tiers} }
	tests := []struct {
		name string
		cfg  route.Config
		want route.Offer
	}{
		{"all", route.Config{}, route.Offer{service.OpenAI: {"a", "b", "m", "other-b"}, service.Claude: {"c", "other-c"}}},
		{"one protocol", route.Config{Preferences: route.Preferences{Protocols: []service.Protocol{service.Claude}}}, route.Offer{service.Claude: {"c", "other-c"}}},
		{"one class", route.Config{Preferences: only(service.Premium)}, route.Offer{service.OpenAI: {"a", "b", "other-b"}}},
		{"none", route.Config{Preferences: only(service.Standard)}, route.Offer{}},
		{
			"what any step of fall-back allows",
			route.Config{Tiers: []route.Tier{{Name: "x", Preferences: only(service.Standard)}, {Name: "y", Preferences: only(service.Premium)}}},
			route.Offer{service.OpenAI: {"a", "b", "other-b"}},
		},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, newBench(t, tt.cfg, offers...).Offer()); diff != "" {
			t.Errorf("%s: offer (-want +got):\n%s", tt.name, diff)
		}
	}
	b := newBench(t, route.Config{}, offers...)
	if diff := cmp.Diff([]service.Protocol{service.OpenAI, service.Claude}, b.Offer().Protocols()); diff != "" {
		t.Errorf("protocols (-want +got):\n%s", diff)
	}
	for name, want := range map[string]int{"b": 2, "other-b": 2, "c": 0, "nobody's": 0} {
		if got := b.Offered([]service.Protocol{service.OpenAI}, name); len(got) != want {
			t.Errorf("over openai %q is offered %d times, want %d", name, len(got), want)
		}
	}
}

// A model is on offer under each of its names.
func TestOfferHasAliases(t *testing.T) {
	b := newBench(t, route.Config{Naming: route.Naming{Aliases: map[string][]string{"mine": {"m"}, "nobody's": {"nothing"}}}},
		newOffer("exit-aaa", func(_ *service.Info, m *service.Model) { m.Aliases = []string{"published"} }), newOffer("exit-bbb"))
	want := route.Offer{service.OpenAI: {"m", "mine", "published"}}
	if diff := cmp.Diff(want, b.Offer()); diff != "" {
		t.Errorf("on offer (-want +got):\n%s", diff)
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
