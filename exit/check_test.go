// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/service"
)

// place is a problem without its text.
func place(p Problem) Problem {
	p.Text = ""
	return p
}

// All problems are found, each at its place, and what can be described is.
func TestCheck(t *testing.T) {
	url := backendServer(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"data":[{"id":"a","context_length":100},{"id":"b","context_length":-1},{"id":"x"}]}`)
	})
	priced := &service.Pricing{InputPer1M: "1", OutputPer1M: "1", Currency: "USD"}
	report := Check(t.Context(), Config{
		Relays: testRelays, Tier: "golden", SLA: &service.SLA{MaxConcurrency: 5}, MaxConcurrent: 2,
		Operator: strings.Repeat("x", 300),
		Backends: []Backend{
			{Protocol: service.OpenAI, URL: url, Models: []service.Model{
				{ID: "a", Aliases: []string{"nice", "b"}, Pricing: priced},
				{ID: "b", Aliases: []string{"nice"}, Pricing: priced, Features: []string{"tools", "visoin"}, Modalities: []string{"smell"}},
				{ID: "c"},
				{ID: "a", Pricing: &service.Pricing{InputPer1M: "1,5", OutputPer1M: "1", Currency: "USD"}},
			}},
			{Protocol: service.OpenAI, URL: "nonsense"},
			{Protocol: service.Claude, URL: "http://127.0.0.1:1"},
			{Protocol: service.OpenAI, URL: url, Aliases: map[string]string{"gone": "z"}},
		},
	})
	var got []Problem
	for _, p := range report.Problems {
		if p.Text == "" || strings.Contains(p.Text, "service description") {
			t.Errorf("%+v is said badly", p)
		}
		got = append(got, place(p))
	}
	want := []Problem{
		{true, -1, -1, "operator", ""},
		{true, -1, -1, "tier", ""},
		{false, -1, -1, "sla", ""},
		{false, 0, -1, "", ""}, // context_length of b
		{false, 0, 0, "aliases", ""},
		{false, 0, 1, "aliases", ""},
		{false, 0, 1, "features", ""},
		{false, 0, 1, "modalities", ""},
		{false, 0, 2, "", ""},        // not listed
		{false, 0, 2, "pricing", ""}, // not priced
		{true, 0, 3, "pricing.input_per_1m", ""},
		{false, 0, 3, "", ""}, // a second time
		{true, 1, -1, "url", ""},
		{true, 2, -1, "", ""},
		{false, 3, -1, "", ""},
		{false, 3, -1, "pricing", ""},
		{false, 3, -1, "aliases", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s\n%+v", diff, report.Problems)
	}
	var ids []string
	for _, m := range report.Info.Models {
		ids = append(ids, m.ID)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "x"}, ids); diff != "" || report.Info.Models[0].MaxCtx != 100 {
		t.Errorf("described (-want +got):\n%s", diff)
	}
}

// Every mistake is named, not the first of its kind alone.
func TestCheckFindsAll(t *testing.T) {
	report := Check(t.Context(), Config{
		Relays: testRelays, KeyLifetime: -1, KeyOverlap: 1000 * time.Hour, MaxConcurrent: -1, MaxRequestBytes: -1, StallTimeout: -1,
		SLA:      &service.SLA{MaxTTFTMillis: -1, MinTokensPerSecond: math.Inf(1), Uptime: math.NaN(), MaxConcurrency: -1},
		Capacity: &service.Capacity{GPU: "\x00", Count: -1, Region: "a\tb"},
		Betas:    []string{"a", "", strings.Repeat("x", 300), "a"},
		Tags:     map[string]string{"": "x", "bad": "\n", "good": "x"},
		Backends: []Backend{
			{
				Protocol: service.OpenAI, URL: "ftp://x", MaxConcurrent: -1, ModelConcurrent: map[string]int{"b": -1, "a": 1},
				Models: []service.Model{
					{ID: "a", MaxCtx: -1, MaxOutput: math.MaxInt32 + 1, Quantization: "\x7f", Modalities: []string{""}, Features: make([]string, 40)},
					{ID: "b", Aliases: []string{""}, Pricing: &service.Pricing{PerImage: "-1", PerRequest: "1e3", CachedInputPer1M: ".5", Currency: "eur"}},
				},
			},
			{Protocol: "opnai"},
			{Protocol: service.OpenAI, URL: "http://127.0.0.1:1", Silent: true, Models: []service.Model{{ID: "m"}}},
		},
	})
	var got []string
	for _, p := range report.Problems {
		if !p.Fatal {
			continue
		}
		got = append(got, fmt.Sprintf("%d/%d/%s", p.Backend, p.Model, p.Field))
		if field := p.Field[strings.LastIndex(p.Field, ".")+1:]; p.Text == "" || strings.HasPrefix(p.Text, field+":") {
			t.Errorf("%+v is said badly", p)
		}
	}
	want := []string{
		"-1/-1/KeyLifetime", "-1/-1/StallTimeout", "-1/-1/MaxRequestBytes", "-1/-1/MaxConcurrent", "-1/-1/KeyOverlap", "-1/-1/KeyLifetime",
		"-1/-1/sla.max_ttft_ms", "-1/-1/sla.min_tokens_per_s", "-1/-1/sla.uptime", "-1/-1/sla.max_concurrency",
		"-1/-1/capacity.gpu", "-1/-1/capacity.count", "-1/-1/capacity.region", "-1/-1/betas[1]", "-1/-1/betas[2]", "-1/-1/tags.", "-1/-1/tags.bad",
		"0/-1/max_concurrent", "0/-1/url",
		"0/0/max_ctx", "0/0/max_output", "0/0/modalities", "0/0/features", "0/0/quantization",
		"0/1/max_concurrent", "0/1/aliases", "0/1/pricing.input_per_1m", "0/1/pricing.output_per_1m", "0/1/pricing.cached_input_per_1m",
		"0/1/pricing.per_request", "0/1/pricing.per_image", "0/1/pricing.currency", "1/-1/protocol",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s\n%+v", diff, report.Problems)
	}
}

// What follows from a mistake is no problem of its own.
func TestCheckSaysOnce(t *testing.T) {
	report := Check(t.Context(), Config{
		Relays: testRelays, MaxConcurrent: -1, SLA: &service.SLA{MaxConcurrency: 0}, Tier: service.Free,
		Backends: []Backend{{Protocol: service.OpenAI, URL: "ftp://x", Models: []service.Model{{ID: "a", Aliases: []string{"b", "b"}}}}},
	})
	var got []string
	for _, p := range report.Problems {
		got = append(got, p.Field+": "+p.Text)
	}
	want := []string{
		"MaxConcurrent: it is -1, want 1 or more", `url: URL of "x": must begin with http:// or https://`, `aliases: alias "b" is listed twice`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// Times that are so long that their sum is none are refused like others.
func TestEndlessKeys(t *testing.T) {
	for _, cfg := range []Config{
		{KeyLifetime: math.MaxInt64},
		{KeyOverlap: math.MaxInt64},
		{KeyLifetime: math.MaxInt64, KeyOverlap: math.MaxInt64},
	} {
		cfg.Relays, cfg.Backends = testRelays, []Backend{{Protocol: service.OpenAI, URL: "http://127.0.0.1:1"}}
		if _, err := New(cfg); err == nil {
			t.Errorf("a lifetime of %v and an overlap of %v are taken", cfg.KeyLifetime, cfg.KeyOverlap)
		}
	}
}

func TestCheckFindsNothing(t *testing.T) {
	url := backendServer(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"data":[{"id":"a"}]}`) })
	report := Check(t.Context(), Config{Relays: testRelays, Tier: service.Free, Backends: []Backend{{Protocol: service.OpenAI, URL: url}}})
	if len(report.Problems) != 0 {
		t.Errorf("found %+v", report.Problems)
	}
	report = Check(t.Context(), Config{})
	if len(report.Problems) != 3 || !report.Problems[0].Fatal {
		t.Errorf("an empty configuration: %+v", report.Problems)
	}
}
