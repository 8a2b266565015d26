// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// normal is like dialect.SameModel: ollama's tag latest goes without saying, and so does gemini's models/.
func normal(p service.Protocol, name string) string {
	switch p {
	case service.Ollama:
		return strings.TrimSuffix(name, ":latest")
	case service.Gemini:
		return strings.TrimPrefix(name, "models/")
	default:
		return name
	}
}

func TestNames(t *testing.T) {
	alias := func(names ...string) func(*service.Info, *service.Model) {
		return func(_ *service.Info, m *service.Model) { m.Aliases = names }
	}
	offers := []*offer{
		newOffer("dated", model("claude-sonnet-4-20250514", service.Claude), alias("claude-sonnet-4")),
		newOffer("slashed", model("anthropic/claude-sonnet-4", service.OpenAI)),
		newOffer("short", model("claude-sonnet-4", service.Claude)),
		newOffer("tagged", model("qwen3:latest", service.Ollama)),
		newOffer("untagged", model("phi4", service.OpenAI)),
		newOffer("latest", model("phi4:latest", service.Ollama)),
		newOffer("catcher", model("tiny2", service.OpenAI), alias("gpt-5:floor", "phi4:latest:nitro")),
		newOffer("sized", model("qwen3:8b", service.Ollama)),
		newOffer("floor", model("odd:floor", service.OpenAI)),
		newOffer("google", model("models/gemini-pro", service.Gemini)),
		newOffer("renamer", model("tiny", service.OpenAI), alias("gpt-5")),
		newOffer("real", model("gpt-5", service.OpenAI)),
	}
	families := map[string][]string{
		"claude-sonnet-4": {"anthropic/claude-sonnet-4"}, "sonnet": {"claude-sonnet-4"}, "nothing": {"never"},
	}
	tests := []struct {
		name, asked string
		aliases     map[string][]string
		want        string
	}{
		{"published id", "claude-sonnet-4-20250514", nil, "dated"},
		{"published alias", "claude-sonnet-4", nil, "dated short"},
		{"configured family", "anthropic/claude-sonnet-4", families, "dated short slashed"},
		{"another member", "sonnet", families, "dated short slashed"},
		{"who published the alias is no member", "claude-sonnet-4-20250514", families, "dated"},
		{"a family of nobody", "nothing", families, ""},
		{"tag that goes without saying", "qwen3", nil, "tagged"},
		{"and is said", "qwen3:latest", nil, "tagged"},
		{"a tag that some say", "phi4", nil, "untagged latest"},
		{"a tag that some say, said", "phi4:latest", nil, "untagged latest"},
		{"an alias that ends like a suffix", "gpt-5:floor", nil, "real renamer"},
		{"an alias that ends like another", "phi4:latest:nitro", nil, "untagged latest"},
		{"an alias of the user's that does", "gpt-5:floor", map[string][]string{"gpt-5:floor": {"tiny"}}, "catcher renamer"},
		{"another spelling of a family", "models/gemini-pro", map[string][]string{"gemini-pro": {"tiny"}}, "google renamer"},
		{"a family of another spelling", "models/gemini-pro", map[string][]string{"models/gemini-pro": {"tiny"}}, "google renamer"},
		{"a tag is no suffix", "qwen3:8b", nil, "sized"},
		{"an id that ends like a suffix", "odd:floor", nil, "floor"},
		{"unless it is", "qwen3:8b:floor", nil, "sized"},
		{"prefix that goes without saying", "gemini-pro", nil, "google"},
		{"an alias renames nobody else", "tiny", nil, "renamer"},
		{"but stands beside the id", "gpt-5", nil, "real renamer"},
		{"no guessing", "claude-sonnet", nil, ""},
		{"case counts", "Claude-Sonnet-4", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, route.Config{
				Naming: route.Naming{Normal: normal, Aliases: tt.aliases}, Random: always(0.5),
				Preferences: route.Preferences{ProtocolPreference: []service.Protocol{service.Claude, service.Ollama, service.OpenAI}},
			}, offers...)
			got := map[string]bool{}
			for _, v := range b.Explain(asks(tt.asked)) {
				got[string(v.Exit.Service().Identity)] = true
			}
			want := map[string]bool{}
			for _, name := range strings.Fields(tt.want) {
				want[name] = true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s means (-want +got):\n%s", tt.asked, diff)
			}
			plan := b.Plan(asks(tt.asked))
			if _, ok := plan.Next(); !ok {
				if err := plan.Err(); len(err.Unknown) != 1 || err.Unknown[0] != tt.asked {
					t.Errorf("error %+v, want %s unknown", err, tt.asked)
				}
			}
		})
	}
}

// Find must look at every model of every exit, under the preferences.
func TestFind(t *testing.T) {
	b := newBench(t, route.Config{Tiers: []route.Tier{{Name: "tier", Preferences: route.Preferences{Only: []string{"nobody"}}}}},
		newOffer("a", model("x", service.OpenAI)), newOffer("b", model("y", service.Claude), price("5")), newOffer("c", model("z", service.Ollama)))
	var got []string
	for _, v := range b.Find(with(route.Preferences{MaxPrice: &route.MaxPrice{Prompt: ptr(route.Price(2))}})) {
		got = append(got, fmt.Sprintf("%s %s %q %t", v.Exit.Service().Identity, v.Model.ID, v.Tier, v.Excluded == route.PriceTooHigh))
	}
	if diff := cmp.Diff([]string{`a x "" false`, `c z "" false`, `b y "" true`}, got); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

// BenchmarkNearest measures what an unknown model costs, of 200,000 ids.
func BenchmarkNearest(b *testing.B) {
	ids := make([]string, 200_000)
	for i := range ids {
		ids[i] = fmt.Sprintf("vendor-%d/model-name-%d-instruct", i%977, i)
	}
	o := route.Offer{service.OpenAI: ids}
	for b.Loop() {
		o.Nearest(service.OpenAI, "vendor-12/model-nam-77-instruct", 5)
	}
}
