// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// directoryOf makes a directory of exits with 20 models each. The first so many of them offer the same models; the
// others have models of their own.
func directoryOf(exits, alike int) []route.Exit {
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([]route.Exit, exits)
	for i := range all {
		info := &service.Info{
			Identity: service.Identity(fmt.Sprintf("identity-%06d", i)), Operator: fmt.Sprintf("operator %d", i*2/3), Tier: service.Standard,
			Capacity: &service.Capacity{Region: []string{"eu", "us", "asia"}[i%3]},
			SLA:      &service.SLA{MaxTTFTMillis: 500 + rng.IntN(2000), Uptime: 0.99},
		}
		for m := range 20 {
			id := fmt.Sprintf("model-%02d", m)
			if i >= alike {
				id = fmt.Sprintf("model-%d-of-%d", m, i)
			}
			info.Models = append(info.Models, service.Model{
				ID: id, Protocol: service.OpenAI, MaxCtx: 128_000, MaxOutput: 64_000,
				Modalities: []string{"text", "image"}, Features: []string{route.Tools, route.JSONSchema}, Quantization: "fp8",
				Pricing: &service.Pricing{
					InputPer1M: decimal(rng, 0.5), OutputPer1M: decimal(rng, 2), Currency: "USD",
				},
			})
		}
		all[i] = &offer{info: info}
	}
	return all
}

func decimal(rng *rand.Rand, about float64) service.Decimal {
	return service.Decimal(fmt.Sprintf("%.4f", about*(0.5+rng.Float64())))
}

func chooserFor(tb testing.TB, exits []route.Exit) *route.Chooser {
	tb.Helper()
	c, err := route.New(route.Config{Random: rand.New(rand.NewPCG(3, 4)).Float64})
	if err != nil {
		tb.Fatal(err)
	}
	c.Update(exits)
	return c
}

func toolRequest(p *route.Preferences) *route.Request {
	return &route.Request{
		Protocols: []service.Protocol{service.OpenAI, service.Claude}, Models: []string{"model-00"},
		Features: []string{route.Tools}, Modalities: []string{"image"}, InputTokens: 20_000, MaxOutput: 4096, Preferences: p,
	}
}

// learned tells the chooser how 5,000 requests went, so that it has something to weigh.
func learned(c *route.Chooser) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 5000 {
		if candidate, ok := c.Plan(toolRequest(nil)).Next(); ok {
			o := route.Outcome{TTFT: time.Duration(200+rng.IntN(2000)) * time.Millisecond, TokensPerSecond: 20 + 80*rng.Float64()}
			if rng.IntN(10) == 0 {
				o.Result = route.Failed
			}
			c.Report(candidate, o)
		}
	}
	c.Refresh()
}

// BenchmarkChoose measures what one request pays: a plan and its first candidate, in directories of 10,000 exits with
// 20 models each. In "all" every exit offers the model that is asked for; in "hundred" a hundred do.
func BenchmarkChoose(b *testing.B) {
	hundred := directoryOf(10_000, 100)
	all := directoryOf(10_000, 10_000)
	price := route.Price(1)
	rare := &route.Preferences{
		MaxPrice: &route.MaxPrice{Prompt: &price}, Quantizations: []string{"fp8"}, Regions: []string{"eu"}, Ignore: []string{"operator 7"},
		PreferredMaxLatency: &route.Percentiles{P50: 1, P90: 3}, MinSLA: &service.SLA{Uptime: 0.9},
	}
	for _, bm := range []struct {
		name  string
		exits []route.Exit
		p     *route.Preferences
	}{
		{"hundred", hundred, nil},
		{"all", all, nil},
		{"filtered", all, rare},
		{"only", all, &route.Preferences{Only: []string{"identity-004321"}}},
		{"sorted", all, &route.Preferences{Sort: route.SortPrice}},
		{"ordered", all, &route.Preferences{Order: []string{"operator 4321", "identity-004321"}}},
	} {
		c := chooserFor(b, bm.exits)
		learned(c)
		request := toolRequest(bm.p)
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := c.Plan(request).Next(); !ok {
					b.Fatal("nothing chosen")
				}
			}
		})
	}
}

// BenchmarkNewIndex measures what a change of the directory costs, of 10,000 exits with 20 models.
func BenchmarkNewIndex(b *testing.B) {
	for _, alike := range []int{0, 10_000} {
		exits := directoryOf(10_000, alike)
		b.Run(fmt.Sprintf("alike=%d", alike), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				route.NewIndex(exits, route.Naming{}, route.Money{})
			}
		})
	}
}

// BenchmarkReport measures what learning from one outcome costs, with 10,000 exits of the model.
func BenchmarkReport(b *testing.B) {
	c := chooserFor(b, directoryOf(10_000, 10_000))
	learned(c)
	candidate, _ := c.Plan(toolRequest(nil)).Next()
	b.ReportAllocs()
	for b.Loop() {
		c.Report(candidate, route.Outcome{TTFT: time.Second, TokensPerSecond: 50})
	}
}

// BenchmarkRefresh measures what the passing of time costs, once a minute and with each change of the directory, when
// something is remembered of as many models at exits as can be.
func BenchmarkRefresh(b *testing.B) {
	c := chooserFor(b, directoryOf(10_000, 10_000))
	for n := 0; n < 10_000; n++ {
		request := toolRequest(&route.Preferences{Only: []string{fmt.Sprintf("identity-%06d", n)}})
		request.Models = []string{fmt.Sprintf("model-%02d", n%20)}
		candidate, _ := c.Plan(request).Next()
		c.Report(candidate, route.Outcome{TTFT: time.Second, TokensPerSecond: 50})
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Refresh()
	}
}
