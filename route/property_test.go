// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// draws makes random directories, preferences and histories.
type draws struct{ *rand.Rand }

// of is one of the values.
func of[T any](d draws, values ...T) T { return values[d.IntN(len(values))] }

// maybe reports true with a probability.
func (d draws) maybe(p float64) bool { return d.Float64() < p }

// offers are exits that differ in everything that choosing looks at.
func (d draws) offers(n int) []*offer {
	all := make([]*offer, n)
	for i := range all {
		all[i] = newOffer(fmt.Sprintf("exit-%04d", i), func(info *service.Info, m *service.Model) {
			info.Operator = of(d, "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "", string(info.Identity))
			info.Tier = of(d, service.Tiers()...)
			m.ID = of(d, "m", "m", "m", "n")
			m.Protocol = of(d, service.OpenAI, service.OpenAI, service.Claude)
			m.Features = of(d, nil, nil, []string{route.Tools}, []string{route.Vision})
			m.Pricing = d.pricing()
			if d.maybe(0.3) {
				info.SLA = &service.SLA{MaxTTFTMillis: of(d, 200, 2000), MinTokensPerSecond: of(d, 10.0, 100.0)}
			}
		})
	}
	return all
}

func (d draws) pricing() *service.Pricing {
	if d.maybe(0.2) {
		return nil
	}
	amount := of[service.Decimal](d, "0", "0.5", "1", "1", "2", "30")
	return &service.Pricing{InputPer1M: amount, OutputPer1M: amount, Currency: of(d, "USD", "USD", "USD", "EUR")}
}

// preferences are few or none, of those that leave something to choose from.
func (d draws) preferences() (p route.Preferences) {
	no := false
	for range d.IntN(3) {
		switch d.IntN(9) {
		case 0:
			p.Order = []string{of(d, "alpha", "nobody"), of(d, "beta", "exit-0001")}
		case 1:
			p.AllowFallbacks = &no
		case 2:
			p.Ignore = []string{of(d, "alpha", "gamma")}
		case 3:
			limit := route.Price(of(d, 0.0, 1.0, 2.0))
			p.MaxPrice = &route.MaxPrice{Prompt: &limit}
		case 4:
			p.Sort = of(d, route.SortPrice, route.SortLatency, route.SortThroughput)
		case 5:
			p.PreferredMaxLatency = &route.Percentiles{P50: 1}
		case 6:
			p.Tiers = []service.Tier{of(d, service.Tiers()...)}
		case 7:
			p.ProtocolPreference = []service.Protocol{service.Claude}
		case 8:
			p.Only = []string{"alpha", "beta", "gamma", "exit-0001"}
		}
	}
	return p
}

// history reports outcomes of random candidates, and lets some time pass.
func (d draws) history(b *bench, n int) {
	bad := map[string]route.Result{}
	for range n {
		c, ok := b.Plan(asks(of(d, "m", "n"))).Next()
		if !ok {
			return
		}
		name := string(c.Exit.Service().Identity)
		if _, known := bad[name]; !known {
			bad[name] = of(d, route.Succeeded, route.Succeeded, route.Succeeded, route.Failed, route.Unreachable, route.Limited)
		}
		o := route.Outcome{Result: bad[name], RetryAfter: of(d, 0, time.Hour), TTFT: of[time.Duration](d, 1e8, 5e9), TokensPerSecond: of(d, 5.0, 200.0)}
		if d.maybe(0.2) {
			o.Result = route.Succeeded
		}
		b.Report(c, o)
		b.now = b.now.Add(time.Duration(d.IntN(20)) * time.Second)
	}
	b.now = b.now.Add(of[time.Duration](d, 0, 0, 0, time.Minute, time.Hour))
}

// Whatever there is to choose from, is asked for and was learned: what comes first, counted over many plans, is what
// Explain says, and what Explain excludes is in no plan.
func TestExplainIsWhatPlansDo(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			d := draws{rand.New(rand.NewPCG(seed, 1))}
			cfg := route.Config{Preferences: d.preferences()}
			if d.maybe(0.5) {
				cfg.Tiers = []route.Tier{{Name: "first", Preferences: d.preferences()}, {Name: "second", Preferences: d.preferences()}}
			}
			b := newBench(t, cfg, d.offers(of(d, 2, 5, 12, 40, 90))...)
			d.history(b, of(d, 0, 3, 30, 200))
			r := asks(of(d, []string{"m"}, []string{"n", "m"}, []string{"m:floor"}, []string{"unknown", "m"})...)
			p := d.preferences()
			r.Preferences = &p
			checkExplained(t, b, r)
		})
	}
}

// checkExplained compares what Explain says with what plans do. Plans that are not reported change no state but trials,
// so each is begun at the same moment.
func checkExplained(t *testing.T, b *bench, r *route.Request) {
	t.Helper()
	type way struct{ exit, model, tier, asked string }
	of := func(c *route.Candidate) way {
		return way{string(c.Exit.Service().Identity), c.Model.ID, c.Tier, c.Asked}
	}
	chance, excluded := map[way]float64{}, map[way]route.Reason{}
	sum := 0.0
	for _, v := range b.Explain(r) {
		chance[of(&v.Candidate)] += v.Chance
		if v.Excluded != 0 {
			excluded[of(&v.Candidate)] = v.Excluded
		}
		sum += v.Chance
	}
	const rounds = 6000
	count := map[way]int{}
	none := 0
	for range rounds {
		plan := b.Plan(r)
		c, ok := plan.Next()
		if !ok {
			none++
			continue
		}
		b.Report(c, route.Outcome{Result: route.Inconclusive}) // which ends its trial
		count[of(&c)]++
	}
	for plan := b.Plan(r); ; {
		c, ok := plan.Next()
		if !ok {
			break
		}
		if why := excluded[of(&c)]; why != 0 {
			t.Errorf("%v was chosen, and Explain says: %s", of(&c), why)
		}
	}
	if want := 1 - float64(none)/rounds; math.Abs(sum-want) > 1e-6 {
		t.Errorf("the chances add up to %f, and of the plans %f had a first candidate", sum, want)
	}
	for way, p := range chance {
		got := float64(count[way]) / rounds
		if tolerance := 5*math.Sqrt(p*(1-p)/rounds) + 1e-4; math.Abs(got-p) > tolerance {
			t.Errorf("%v came first in %.4f of the plans, Explain says %.4f", way, got, p)
		}
	}
	for way := range count {
		if _, ok := chance[way]; !ok {
			t.Errorf("%v was chosen, and Explain does not know it", way)
		}
	}
}
