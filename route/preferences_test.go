// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

func ptr[T any](v T) *T { return &v }

func TestParsePreferences(t *testing.T) {
	tests := []struct {
		name, json string
		want       *route.Preferences
		wantErr    string
	}{
		{"empty", `{}`, &route.Preferences{}, ""},
		{"nulls", `{"order": null, "max_price": null, "sort": null, "allow_fallbacks": null}`, &route.Preferences{}, ""},
		{
			"OpenRouter's", `{"order": ["a", "b"], "allow_fallbacks": false, "require_parameters": true, "only": ["c"], "ignore": ["d"],
			"quantizations": ["fp8"], "sort": "price", "max_price": {"prompt": 1, "completion": "2.5", "image": 0.01},
			"preferred_max_latency": 1.5, "preferred_min_throughput": {"p50": 100, "p90": 50}}`,
			&route.Preferences{
				Order: []string{"a", "b"}, AllowFallbacks: ptr(false), RequireParameters: true, Only: []string{"c"},
				Ignore: []string{"d"}, Quantizations: []string{"fp8"}, Sort: route.SortPrice,
				MaxPrice: &route.MaxPrice{
					Prompt: ptr(route.Price(1)), Completion: ptr(route.Price(2.5)), Image: ptr(route.Price(0.01)),
				},
				PreferredMaxLatency: &route.Percentiles{P50: 1.5}, PreferredMinThroughput: &route.Percentiles{P50: 100, P90: 50},
			}, "",
		},
		{
			"ours", `{"protocols": ["claude"], "protocol_preference": ["ollama"], "tiers": ["free"], "regions": ["eu"], "operators": ["x"],
			"min_sla": {"max_ttft_ms": 500, "min_tokens_per_s": 20, "uptime": 0.99, "max_concurrency": 4}}`,
			&route.Preferences{
				Protocols: []service.Protocol{service.Claude}, ProtocolPreference: []service.Protocol{service.Ollama},
				Tiers: []service.Tier{service.Free}, Regions: []string{"eu"}, Operators: []string{"x"},
				MinSLA: &service.SLA{MaxTTFTMillis: 500, MinTokensPerSecond: 20, Uptime: 0.99, MaxConcurrency: 4},
			}, "",
		},
		{"unknown key", `{"max_prize": 1}`, nil, `unknown key "max_prize"`},
		{"a promise that nobody can prove", `{"data_collection": "deny"}`, nil, "data_collection: what an exit keeps cannot be known"},
		{"another", `{"zdr": true}`, nil, "zdr: what an exit keeps cannot be known"},
		{"a third", `{"enforce_distillable_text": true}`, nil, "enforce_distillable_text"},
		{"no promise", `{"data_collection": "allow", "zdr": false, "enforce_distillable_text": false}`, &route.Preferences{}, ""},
		{"sort by a measure for each model", `{"sort": {"by": "latency", "partition": "model"}}`, &route.Preferences{Sort: route.SortLatency}, ""},
		{"sort over all models", `{"sort": {"by": "latency", "partition": "none"}}`, nil, "partition"},
		{"sort by nothing known", `{"sort": {"by": "beauty"}}`, nil, "sort: want one of"},
		{"unknown key inside", `{"max_price": {"total": 1}}`, nil, `unknown key "total"`},
		{"unknown percentile", `{"preferred_max_latency": {"p95": 1}}`, nil, `unknown key "p95"`},
		{"wrong type", `{"order": "a"}`, nil, "preferences: order: a JSON string"},
		{"not an object", `["a"]`, nil, "want a JSON object"},
		{"nothing", ``, nil, "want a JSON object"},
		{"cut off", `{"order": [`, nil, "unexpected EOF"},
		{"two", `{}{}`, nil, "something follows"},
		{"sort", `{"sort": "best"}`, nil, "sort: want one of"},
		{"protocol", `{"protocols": ["smtp"]}`, nil, "protocols:"},
		{"tier", `{"tiers": ["gold"]}`, nil, "tiers:"},
		{"a key twice", `{"only": ["a"], "only": ["b"]}`, nil, "preferences: only is given twice"},
		{"a key twice inside", `{"max_price": {"prompt": 1, "prompt": 5}}`, nil, "prompt is given twice"},
		{"an object twice", `{"max_price": {"prompt": 1}, "max_price": {"completion": 5}}`, nil, "max_price is given twice"},
		{"a key and a null", `{"ignore": ["a"], "ignore": null}`, nil, "ignore is given twice"},
		{"a key in another case", `{"Only": ["a"]}`, nil, `unknown key "Only"`},
		{"a key in another case inside", `{"sort": {"BY": "price"}}`, nil, `unknown key "BY"`},
		{"a key in letters that are as good", "{\"\u017fort\": \"price\"}", nil, "unknown key"},
		{"wrong type of percentiles", `{"preferred_min_throughput": "50"}`, nil, "preferences: preferred_min_throughput: want a number or an object of p50, p75, p90, p99: a JSON string"},
		{"wrong type of a sort", `{"only": ["a"], "sort": ["price"]}`, nil, "preferences: sort: want a word, or an object of by and partition: a JSON array"},
		{"wrong type inside", `{"min_sla": {"uptime": "0.99"}}`, nil, "preferences: min_sla.uptime: a JSON string"},
		{"price that is none", `{"max_price": {"prompt": "$1"}}`, nil, "preferences: max_price: a price is neither a number"},
		{
			"nulls inside", `{"max_price": {"prompt": null}, "sort": {"by": "price", "partition": null}, "preferred_max_latency": {"p50": null, "p90": 3}}`,
			&route.Preferences{MaxPrice: &route.MaxPrice{}, Sort: route.SortPrice, PreferredMaxLatency: &route.Percentiles{P90: 3}}, "",
		},
		{"negative price", `{"max_price": {"prompt": -1}}`, nil, "max_price: prompt"},
		{"price in words", `{"max_price": {"prompt": "cheap"}}`, nil, "neither a number"},
		{"no number of a price", `{"max_price": {"prompt": "NaN"}}`, nil, "max_price: prompt"},
		{"uptime", `{"min_sla": {"uptime": 2}}`, nil, "min_sla"},
		{"empty name", `{"only": [""]}`, nil, "only: entry 1"},
		{"long list", `{"ignore": ["` + strings.Repeat(`a","`, 64) + `a"]}`, nil, "ignore: 65 entries"},
		{"long preference", `{"protocol_preference": ["` + strings.Repeat(`claude","`, 64) + `claude"]}`, nil, "protocol_preference: 65 entries"},
		{"long tiers", `{"tiers": ["` + strings.Repeat(`free","`, 64) + `free"]}`, nil, "tiers: 65 entries"},
		{"long name", `{"order": ["` + strings.Repeat("a", 257) + `"]}`, nil, "order: entry 1"},
		{"large", `{"x": "` + strings.Repeat("a", route.MaxPreferencesBytes) + `"}`, nil, "over the limit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := route.ParsePreferences([]byte(tt.json))
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("error %v, want one with %q", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("preferences (-want +got):\n%s", diff)
			}
		})
	}
}

// yamlLike gives what a YAML decoder gives to a method of its old form.
func yamlLike(value any) func(any) error {
	return func(into any) error {
		*into.(*any) = value
		return nil
	}
}

func TestPreferencesFromYAML(t *testing.T) {
	var p route.Preferences
	if err := p.UnmarshalYAML(yamlLike(map[string]any{"only": []any{"a"}, "preferred_max_latency": 2})); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(route.Preferences{Only: []string{"a"}, PreferredMaxLatency: &route.Percentiles{P50: 2}}, p); diff != "" {
		t.Errorf("preferences (-want +got):\n%s", diff)
	}
	for _, value := range []any{map[string]any{"onyl": []any{"a"}}, map[any]any{1: 2}, "text"} {
		if err := p.UnmarshalYAML(yamlLike(value)); err == nil {
			t.Errorf("UnmarshalYAML(%v) succeeded", value)
		}
	}
}

func FuzzParsePreferences(f *testing.F) {
	f.Add([]byte(`{"order":["a"],"max_price":{"prompt":"1"},"preferred_max_latency":{"p90":1}}`))
	f.Add([]byte(`{"min_sla":{"uptime":0.9},"sort":"latency","allow_fallbacks":true}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := route.ParsePreferences(raw)
		if err != nil {
			return
		}
		if err := p.Validate(); err != nil {
			t.Fatalf("parsed preferences are not valid: %v", err)
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		back, err := route.ParsePreferences(again)
		if err != nil {
			t.Fatalf("%s does not parse: %v", again, err)
		}
		third, err := json.Marshal(back)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(again), string(third)); diff != "" {
			t.Errorf("preferences change in a round trip (-want +got):\n%s", diff)
		}
	})
}

func TestSplitSuffix(t *testing.T) {
	tests := []struct {
		name, base string
		sort       route.Sort
	}{
		{"claude-sonnet-4:floor", "claude-sonnet-4", route.SortPrice},
		{"qwen3:8b:nitro", "qwen3:8b", route.SortThroughput},
		{"qwen3:8b", "qwen3:8b", ""},
		{":floor", ":floor", ""},
		{"", "", ""},
	}
	for _, tt := range tests {
		if base, sort := route.SplitSuffix(tt.name); base != tt.base || sort != tt.sort {
			t.Errorf("SplitSuffix(%q) = %q, %q, want %q, %q", tt.name, base, sort, tt.base, tt.sort)
		}
	}
}

func TestParseMaxPrice(t *testing.T) {
	price := func(amount route.Price) *route.Price { return &amount }
	tests := []struct {
		text    string
		want    *route.MaxPrice
		wantErr string
	}{
		{"0.5", &route.MaxPrice{Prompt: price(0.5), Completion: price(0.5)}, ""},
		{" 0 ", &route.MaxPrice{Prompt: price(0), Completion: price(0)}, ""},
		{"prompt=1, completion = 5 ,request=0.01,image=.02", &route.MaxPrice{
			Prompt: price(1), Completion: price(5), Request: price(0.01), Image: price(0.02),
		}, ""},
		{"completion=2", &route.MaxPrice{Completion: price(2)}, ""},
		{"", nil, "part 1 of the price"},
		{"cheap", nil, "part 1 of the price"},
		{"-1", nil, "part 1 of the price"},
		{"1e3", nil, "part 1 of the price"},
		{"NaN", nil, "part 1 of the price"},
		{"prompt=1,total=2", nil, "part 2 of the price"},
		{"prompt=1,", nil, "part 2 of the price"},
		{"prompt=", nil, "prompt: want a decimal amount"},
		{"prompt=-1", nil, "prompt: want a decimal amount"},
		{"image=0x1p3", nil, "image: want a decimal amount"},
		{"image=1000000000", nil, "image: want a decimal amount"},
		{"prompt=1,prompt=2", nil, "prompt is given twice"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := route.ParseMaxPrice(tt.text)
			if err != nil && (tt.wantErr == "" || !strings.Contains(err.Error(), tt.wantErr)) || err == nil && tt.wantErr != "" {
				t.Fatalf("error %v, want one with %q", err, tt.wantErr)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
