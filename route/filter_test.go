// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// variety is a directory in which every exit differs from the first in one thing.
func variety() []*offer {
	return []*offer{
		newOffer("identity-plain"),
		newOffer("identity-claude", model("m", service.Claude)),
		newOffer("identity-free", func(i *service.Info, m *service.Model) { i.Tier, m.Pricing = service.Free, nil }),
		newOffer("identity-dear", price("9")),
		newOffer("identity-text", func(_ *service.Info, m *service.Model) {
			m.Features, m.Modalities, m.MaxCtx, m.MaxOutput = []string{"json_schema"}, []string{"text"}, 4096, 1000
		}),
		newOffer("identity-able", func(i *service.Info, m *service.Model) {
			m.Features, m.Modalities = []string{"tools", "seed", "x"}, []string{"text", "image", "smell"}
			m.MaxCtx, m.MaxOutput, m.Quantization = 200_000, 64_000, "FP8"
			i.SLA = &service.SLA{MaxTTFTMillis: 800, MinTokensPerSecond: 30, Uptime: 0.99, MaxConcurrency: 8}
			i.Capacity = &service.Capacity{Region: "EU"}
		}),
	}
}

func TestFilter(t *testing.T) {
	tests := []struct {
		name   string
		change func(*route.Request)
		p      route.Preferences
		out    string // who is excluded, each with the reason
		down   string // who is demoted for an unknown capability
	}{
		{"nothing", nil, route.Preferences{}, "", ""},
		{
			"cannot", func(r *route.Request) { r.Protocols = []service.Protocol{service.Claude} },
			route.Preferences{},
			"plain:cannot free:cannot dear:cannot text:cannot able:cannot", "",
		},
		{"protocols", nil, route.Preferences{Protocols: []service.Protocol{service.OpenAI}}, "claude:protocols does not list its protocol", ""},
		{"tiers", nil, route.Preferences{Tiers: []service.Tier{service.Standard}}, "free:tiers does not list its tier", ""},
		{
			"only an operator", nil,
			route.Preferences{Only: []string{"IDENTITY-plain", "identity-claude"}},
			"free:only dear:only text:only able:only", "",
		},
		{
			"only a hash", nil,
			route.Preferences{Only: []string{"hash-of-identity-p", "hash-of-identity-claude"}},
			"free:only dear:only text:only able:only", "",
		},
		{"ignore", nil, route.Preferences{Ignore: []string{"identity-dear"}}, "dear:ignore", ""},
		{"short names mean nobody", nil, route.Preferences{Ignore: []string{"identit"}}, "", ""},
		{
			"order alone", nil,
			route.Preferences{Order: []string{"identity-plain"}, AllowFallbacks: ptr(false)},
			"claude:order free:order dear:order text:order able:order", "",
		},
		{
			"operators", nil,
			route.Preferences{Operators: []string{"Identity-Able"}},
			"plain:operators claude:operators free:operators dear:operators text:operators", "",
		},
		{"regions", nil, route.Preferences{Regions: []string{"eu", "us"}}, "plain:regions claude:regions free:regions dear:regions text:regions", ""},
		{
			"quantization", nil,
			route.Preferences{Quantizations: []string{"fp8"}},
			"plain:quant claude:quant free:quant dear:quant text:quant", "",
		},
		{"unknown quantization", nil, route.Preferences{Quantizations: []string{"unknown"}}, "able:quant", ""},
		{"price", nil, route.Preferences{MaxPrice: &route.MaxPrice{Prompt: ptr(route.Price(1))}}, "free:states no price dear:price is over", ""},
		{
			"SLA", nil,
			route.Preferences{MinSLA: &service.SLA{MaxTTFTMillis: 1000, Uptime: 0.99}},
			"plain:promises claude:promises free:promises dear:promises text:promises", "",
		},
		{
			"stricter SLA", nil,
			route.Preferences{MinSLA: &service.SLA{MaxTTFTMillis: 500}},
			"plain:promises claude:promises free:promises dear:promises text:promises able:promises", "",
		},
		{"tools", func(r *route.Request) { r.Features = []string{route.Tools} }, route.Preferences{}, "text:lacks", "plain claude free dear"},
		{"a wish", func(r *route.Request) { r.Wishes = []string{route.Tools} }, route.Preferences{}, "", "plain claude free dear text"},
		{
			"required wish", func(r *route.Request) { r.Wishes = []string{route.Tools} },
			route.Preferences{RequireParameters: true},
			"plain:required claude:required free:required dear:required text:required", "",
		},
		{"a feature without a bit", func(r *route.Request) { r.Features = []string{"x"} }, route.Preferences{}, "text:lacks", "plain claude free dear"},
		{"vision is image", func(r *route.Request) { r.Features = []string{route.Vision} }, route.Preferences{}, "text:lacks", "plain claude free dear"},
		{"image", func(r *route.Request) { r.Modalities = []string{"image"} }, route.Preferences{}, "text:modality", "plain claude free dear"},
		{"a modality without a bit", func(r *route.Request) { r.Modalities = []string{"smell"} }, route.Preferences{}, "text:modality", "plain claude free dear"},
		{"long context", func(r *route.Request) { r.InputTokens = 100_000 }, route.Preferences{}, "text:context", "plain claude free dear"},
		{"too long for all who say", func(r *route.Request) { r.InputTokens = 300_000 }, route.Preferences{}, "text:context able:context", "plain claude free dear"},
		{"long answer", func(r *route.Request) { r.MaxOutput = 2000 }, route.Preferences{}, "", ""},
		{
			"required", func(r *route.Request) { r.Parameters = []string{"temperature", "seed"} },
			route.Preferences{RequireParameters: true},
			"plain:required claude:required free:required dear:required text:required", "",
		},
		{
			"required feature", func(r *route.Request) { r.Features = []string{route.Tools} },
			route.Preferences{RequireParameters: true},
			"plain:required claude:required free:required dear:required text:required", "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, route.Config{}, variety()...)
			r := with(tt.p)
			if tt.change != nil {
				tt.change(r)
			}
			verdicts := b.Explain(r)
			compareVerdicts(t, verdicts, tt.out, tt.down)
			yielded := strings.Fields(b.order(r))
			for _, v := range verdicts {
				name := string(v.Exit.Service().Identity)
				if got := slices.Contains(yielded, name); got != (v.Excluded == 0) {
					t.Errorf("the plan yields %s: %t, but it is excluded because %q", name, got, v.Excluded)
				}
			}
		})
	}
}

// compareVerdicts compares who is excluded and why, and who is demoted, with words of the texts.
func compareVerdicts(t *testing.T, verdicts []route.Verdict, out, down string) {
	t.Helper()
	got, demoted := map[string]string{}, map[string]bool{}
	for _, v := range verdicts {
		name := strings.TrimPrefix(string(v.Exit.Service().Identity), "identity-")
		if v.Excluded != 0 {
			got[name] = v.Excluded.String()
		}
		if slices.Contains(v.Demoted, route.CapabilityUnknown) {
			demoted[name] = true
		}
	}
	want := map[string]string{}
	name := ""
	for _, word := range strings.Fields(out) {
		if before, after, ok := strings.Cut(word, ":"); ok {
			name, word = before, after
			want[name] = word
			continue
		}
		want[name] += " " + word
	}
	for name, why := range want {
		if !strings.Contains(got[name], why) {
			t.Errorf("%s is excluded because %q, want %q", name, got[name], why)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("excluded besides: %v", got)
	}
	wantDown := map[string]bool{}
	for _, name := range strings.Fields(down) {
		wantDown[name] = true
	}
	if diff := cmp.Diff(wantDown, demoted); diff != "" {
		t.Errorf("demoted for an unknown capability (-want +got):\n%s", diff)
	}
}

// Ollama makes embeddings with models of every kind, and lists the feature for those alone that are made for it.
func TestEmbeddingByOllama(t *testing.T) {
	offers := []*offer{
		newOffer("identity-plain"),
		newOffer("identity-openai", func(_ *service.Info, m *service.Model) { m.Features = []string{route.JSONSchema} }),
		newOffer("identity-chats", model("m", service.Ollama), func(_ *service.Info, m *service.Model) { m.Features = []string{route.JSONSchema} }),
		newOffer("identity-embeds", model("m", service.Ollama), func(_ *service.Info, m *service.Model) { m.Features = []string{route.Embedding} }),
	}
	needs := func(features ...string) *route.Request {
		r := asks("m")
		r.Features = features
		return r
	}
	required := needs(route.Embedding)
	required.Preferences = &route.Preferences{RequireParameters: true}
	tests := []struct {
		name      string
		r         *route.Request
		out, down string
	}{
		{"embedding", needs(route.Embedding), "openai:lacks", "plain chats"},
		{"embedding required", required, "plain:required openai:required chats:required", ""},
		{"embedding and tools", needs(route.Embedding, route.Tools), "openai:lacks chats:lacks embeds:lacks", "plain"},
		{"tools", needs(route.Tools), "openai:lacks chats:lacks embeds:lacks", "plain"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			compareVerdicts(t, newBench(t, route.Config{}, offers...).Explain(tt.r), tt.out, tt.down)
		})
	}
}

// A request narrows what the profile allows and never widens it.
func TestPreferencesTogether(t *testing.T) {
	tests := []struct {
		name             string
		profile, request route.Preferences
		want             string
	}{
		{"both lists", route.Preferences{Only: []string{"exit-aaa", "exit-bbb"}}, route.Preferences{Only: []string{"exit-bbb", "exit-ccc"}}, "exit-bbb"},
		{"nothing in common", route.Preferences{Only: []string{"exit-aaa"}}, route.Preferences{Only: []string{"exit-bbb"}}, ""},
		{"ignored twice", route.Preferences{Ignore: []string{"exit-aaa"}}, route.Preferences{Ignore: []string{"exit-bbb"}}, "exit-ccc"},
		{
			"lowest price",
			route.Preferences{MaxPrice: &route.MaxPrice{Prompt: ptr(route.Price(1))}},
			route.Preferences{MaxPrice: &route.MaxPrice{Prompt: ptr(route.Price(5))}, Order: []string{"exit-bbb"}},
			"exit-aaa",
		},
		{
			"last order counts",
			route.Preferences{Order: []string{"exit-aaa"}},
			route.Preferences{Order: []string{"exit-ccc", "exit-bbb", "exit-aaa"}},
			"exit-ccc exit-bbb exit-aaa",
		},
		{
			"no fallbacks of the profile",
			route.Preferences{AllowFallbacks: ptr(false)},
			route.Preferences{AllowFallbacks: ptr(true), Order: []string{"exit-bbb"}},
			"exit-bbb",
		},
		{
			"an order without fallbacks of the profile cannot be left",
			route.Preferences{AllowFallbacks: ptr(false), Order: []string{"exit-aaa", "exit-bbb"}},
			route.Preferences{AllowFallbacks: ptr(true), Order: []string{"exit-ccc", "exit-bbb", "exit-aaa"}},
			"exit-bbb exit-aaa",
		},
		{
			"nothing in an order without fallbacks",
			route.Preferences{AllowFallbacks: ptr(false), Order: []string{"exit-aaa"}},
			route.Preferences{Order: []string{"exit-ccc"}},
			"",
		},
		{
			"no fallbacks of the request, order of the profile",
			route.Preferences{Order: []string{"exit-ccc", "exit-bbb"}},
			route.Preferences{AllowFallbacks: ptr(false)},
			"exit-ccc exit-bbb",
		},
		{"no fallbacks, no order", route.Preferences{AllowFallbacks: ptr(false), Sort: route.SortPrice}, route.Preferences{}, "exit-aaa"},
		{"sort", route.Preferences{Sort: route.SortLatency}, route.Preferences{Sort: route.SortPrice}, "exit-aaa exit-bbb exit-ccc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, route.Config{Preferences: tt.profile, Random: always(0.5)},
				newOffer("exit-ccc", price("3")), newOffer("exit-bbb", price("2")), newOffer("exit-aaa", price("1")))
			if got := b.order(with(tt.request)); got != tt.want {
				t.Errorf("order %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSorted(t *testing.T) {
	fast := newOffer("fast", price("3"), func(i *service.Info, _ *service.Model) {
		i.SLA = &service.SLA{MaxTTFTMillis: 900, MinTokensPerSecond: 90}
	})
	quick := newOffer("quick", price("2"), func(i *service.Info, _ *service.Model) {
		i.SLA = &service.SLA{MaxTTFTMillis: 300, MinTokensPerSecond: 30}
	})
	silent := newOffer("silent", func(_ *service.Info, m *service.Model) { m.Pricing = nil })
	tests := []struct {
		sort route.Sort
		want string
	}{
		{route.SortPrice, "quick fast silent"},
		{route.SortLatency, "quick fast silent"},
		{route.SortThroughput, "fast quick silent"},
	}
	for _, tt := range tests {
		b := newBench(t, route.Config{Random: always(0.5)}, silent, fast, quick)
		if got := b.order(with(route.Preferences{Sort: tt.sort})); got != tt.want {
			t.Errorf("sort %s: %q, want %q", tt.sort, got, tt.want)
		}
		for suffix, sort := range map[string]route.Sort{":floor": route.SortPrice, ":nitro": route.SortThroughput} {
			if got := b.order(asks("m" + suffix)); tt.sort == sort && got != tt.want {
				t.Errorf("m%s: %q, want %q", suffix, got, tt.want)
			}
		}
	}
}

// What was measured counts before what was promised.
// Half of the requests being fast enough is not nine of ten being so. The one that is to be demoted is the cheaper by far.
func TestPreferredPercentiles(t *testing.T) {
	b := newBench(t, route.Config{Random: always(0.5)}, newOffer("uneven-exit", price("0.2")), newOffer("steady-exit", price("10")))
	fast := route.Outcome{TTFT: 200 * time.Millisecond, TokensPerSecond: 100}
	b.reports("steady-exit", 10, fast)
	b.reports("uneven-exit", 6, fast)
	b.reports("uneven-exit", 4, route.Outcome{TTFT: 3 * time.Second, TokensPerSecond: 5})
	const uneven, steady = "uneven-exit steady-exit", "steady-exit uneven-exit"
	tests := []struct {
		name string
		p    route.Preferences
		want string
	}{
		{"nothing preferred", route.Preferences{}, uneven},
		{"median latency", route.Preferences{PreferredMaxLatency: &route.Percentiles{P50: 0.5}}, uneven},
		{"three quarters", route.Preferences{PreferredMaxLatency: &route.Percentiles{P75: 0.5}}, steady},
		{"latency of nine tenths", route.Preferences{PreferredMaxLatency: &route.Percentiles{P50: 0.5, P90: 0.5}}, steady},
		{"latency that all keep", route.Preferences{PreferredMaxLatency: &route.Percentiles{P99: 5}}, uneven},
		{"median throughput", route.Preferences{PreferredMinThroughput: &route.Percentiles{P50: 50}}, uneven},
		{"throughput of nine tenths", route.Preferences{PreferredMinThroughput: &route.Percentiles{P90: 50}}, steady},
	}
	for _, tt := range tests {
		if got := b.order(with(tt.p)); got != tt.want {
			t.Errorf("%s: order %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Each promise is asked for on its own.
func TestMinSLA(t *testing.T) {
	b := newBench(t, route.Config{}, newOffer("promiser", func(i *service.Info, _ *service.Model) {
		i.SLA = &service.SLA{MaxTTFTMillis: 800, MinTokensPerSecond: 30, Uptime: 0.99, MaxConcurrency: 8}
	}))
	for _, tt := range []struct {
		want service.SLA
		fits bool
	}{
		{service.SLA{MaxTTFTMillis: 800, MinTokensPerSecond: 30, Uptime: 0.99, MaxConcurrency: 8}, true},
		{service.SLA{MaxTTFTMillis: 799}, false},
		{service.SLA{MinTokensPerSecond: 31}, false},
		{service.SLA{Uptime: 0.999}, false},
		{service.SLA{MaxConcurrency: 9}, false},
	} {
		if got := b.order(with(route.Preferences{MinSLA: &tt.want})) != ""; got != tt.fits {
			t.Errorf("min_sla %+v: chosen %t, want %t", tt.want, got, tt.fits)
		}
	}
}

// The weights of the geometric mean are those that docs/routing.md states.
func TestScore(t *testing.T) {
	for _, tt := range []struct {
		factors route.Factors
		weight  float64
	}{
		{route.Factors{Availability: 0.5, Latency: 1, Throughput: 1, Promises: 1}, 0.4},
		{route.Factors{Availability: 1, Latency: 0.5, Throughput: 1, Promises: 1}, 0.2},
		{route.Factors{Availability: 1, Latency: 1, Throughput: 0.5, Promises: 1}, 0.2},
		{route.Factors{Availability: 1, Latency: 1, Throughput: 1, Promises: 0.5}, 0.2},
	} {
		if got, want := tt.factors.Score(), math.Pow(0.5, tt.weight); math.Abs(got-want) > 1e-9 {
			t.Errorf("score of %+v is %v, want %v", tt.factors, got, want)
		}
	}
}

func TestMeasuredBeforePromised(t *testing.T) {
	promise := func(i *service.Info, _ *service.Model) {
		i.SLA = &service.SLA{MaxTTFTMillis: 300, MinTokensPerSecond: 90}
	}
	b := newBench(t, route.Config{Random: always(0.5)}, newOffer("promiser", promise), newOffer("keeper"))
	b.reports("promiser", 3, route.Outcome{TTFT: 4e9, TokensPerSecond: 10})
	b.reports("keeper", 3, route.Outcome{TTFT: 3e8, TokensPerSecond: 80})
	for _, p := range []route.Preferences{
		{Sort: route.SortLatency},
		{Sort: route.SortThroughput},
		{PreferredMaxLatency: &route.Percentiles{P90: 1}},
		{PreferredMinThroughput: &route.Percentiles{P50: 50}},
	} {
		if got := b.order(with(p)); got != "keeper promiser" {
			t.Errorf("%+v: %q, want the keeper first", p, got)
		}
	}
}

// What is said to be missing is what the request needs and a model that was excluded for it has not, and nothing else.
func TestMissingIsNamed(t *testing.T) {
	has := func(features, modalities []string) func(*service.Info, *service.Model) {
		return func(_ *service.Info, m *service.Model) { m.Features, m.Modalities = features, modalities }
	}
	calls := has([]string{route.Tools, "odd"}, []string{"text"})
	sees := has([]string{route.Vision}, nil)
	tests := []struct {
		name    string
		offers  []*offer
		request route.Request
		want    map[route.Reason][]string
	}{
		{"nothing", []*offer{newOffer("aaaaaaaa", calls)}, route.Request{Features: []string{route.Tools, "odd"}, Wishes: []string{route.Reasoning}}, nil},
		{
			"features, known or not",
			[]*offer{newOffer("aaaaaaaa", calls)},
			route.Request{Features: []string{route.Tools, "odd", "other", route.JSONSchema}},
			map[route.Reason][]string{route.LacksFeature: {route.JSONSchema, "other"}},
		},
		{
			"of several",
			[]*offer{newOffer("aaaaaaaa", calls), newOffer("bbbbbbbb", sees)},
			route.Request{Features: []string{route.Tools}, Modalities: []string{"image"}},
			map[route.Reason][]string{route.LacksFeature: {route.Tools}, route.LacksModality: {"image"}},
		},
		{"what must be listed", []*offer{newOffer("aaaaaaaa", sees)}, route.Request{
			Wishes: []string{route.Reasoning}, Modalities: []string{"image"}, Parameters: []string{"seed", "temperature"}, InputTokens: 100_000,
			Preferences: &route.Preferences{RequireParameters: true},
		}, map[route.Reason][]string{route.NotListed: {"context", route.Reasoning, "seed"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, route.Config{Tiers: []route.Tier{{Name: "first"}, {Name: "second"}}}, tt.offers...)
			r := tt.request
			r.Models, r.Protocols = []string{"m", "nobody's"}, service.Protocols()
			plan := b.Plan(&r)
			for _, ok := plan.Next(); ok; _, ok = plan.Next() {
			}
			if diff := cmp.Diff(tt.want, plan.Err().Missing); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
		})
	}
}
