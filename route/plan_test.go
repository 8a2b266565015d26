// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// What comes first, counted over many plans, must be what Explain says, in every kind of choice.
func TestChancesAreWhatExplainSays(t *testing.T) {
	operator := func(name string) func(*service.Info, *service.Model) {
		return func(i *service.Info, _ *service.Model) { i.Operator = name }
	}
	mixed := []*offer{
		newOffer("aaaaaaaa"), newOffer("bbbbbbbb", price("2")), newOffer("cccccccc", price("0")), newOffer("dddddddd", model("m", service.Claude)),
		newOffer("twin-one", operator("twins")), newOffer("twin-two", operator("twins")),
		newOffer("unpriced", func(_ *service.Info, m *service.Model) { m.Pricing = nil }),
	}
	many := make([]*offer, 40)
	for i := range many {
		many[i] = newOffer(fmt.Sprintf("exit-%04d", i), price(service.Decimal(fmt.Sprintf("%d.5", 1+i%7))))
	}
	tests := []struct {
		name   string
		offers []*offer
		learn  func(*bench)
		p      route.Preferences
	}{
		{"fresh", mixed, nil, route.Preferences{}},
		{"more than a batch", many, nil, route.Preferences{}},
		{"one is slow and one fails", mixed, func(b *bench) {
			b.reports("aaaaaaaa", 5, fine)
			b.reports("bbbbbbbb", 5, route.Outcome{TTFT: 5e9, TokensPerSecond: 5})
			b.reports("cccccccc", 9, failed)
			b.reports("cccccccc", 1, fine) // which closes its breaker
		}, route.Preferences{}},
		{"enough have proven good", many, func(b *bench) {
			for i := range 6 {
				b.reports(fmt.Sprintf("exit-%04d", i), 3, fine)
			}
		}, route.Preferences{}},
		{"order", mixed, nil, route.Preferences{Order: []string{"bbbbbbbb", "twins"}}},
		{"sorted", mixed, nil, route.Preferences{Sort: route.SortPrice}},
		{"sorted by nothing known", mixed, nil, route.Preferences{Sort: route.SortLatency}},
		{"preference", mixed, nil, route.Preferences{ProtocolPreference: []service.Protocol{service.Claude}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, route.Config{}, tt.offers...)
			if tt.learn != nil {
				tt.learn(b)
			}
			const rounds = 40_000
			count := b.first(with(tt.p), rounds)
			sum := 0.0
			for _, v := range b.Explain(with(tt.p)) {
				sum += v.Chance
				name := string(v.Exit.Service().Identity)
				got := float64(count[name]) / rounds
				if tolerance := 4*math.Sqrt(v.Chance*(1-v.Chance)/rounds) + 1e-9; math.Abs(got-v.Chance) > tolerance {
					t.Errorf("%s came first in %.4f of the plans, Explain says %.4f", name, got, v.Chance)
				}
			}
			if math.Abs(sum-1) > 1e-6 {
				t.Errorf("the chances add up to %f", sum)
			}
		})
	}
}

// The chance falls with the square of the price, and several exits of one operator have one share.
func TestShares(t *testing.T) {
	operator := func(i *service.Info, _ *service.Model) { i.Operator = "many" }
	offers := []*offer{newOffer("cheap"), newOffer("double", price("2"))}
	for i := range 30 {
		offers = append(offers, newOffer(fmt.Sprintf("clone-%02d", i), operator))
	}
	b := newBench(t, route.Config{}, offers...)
	chance := map[string]float64{}
	for _, v := range b.Explain(asks("m")) {
		chance[strings.Split(string(v.Exit.Service().Identity), "-")[0]] += v.Chance
	}
	if math.Abs(chance["clone"]-chance["cheap"]) > 1e-6 {
		t.Errorf("thirty exits of one operator have a chance of %f, one of another %f", chance["clone"], chance["cheap"])
	}
	if ratio := (chance["cheap"] - 0.01) / (chance["double"] - 0.01); math.Abs(ratio-4) > 1e-3 {
		t.Errorf("half the price has %f times the chance besides exploration, want 4", ratio)
	}
}

// A plan yields every candidate once, however many there are, the best class first.
func TestPlanYieldsAll(t *testing.T) {
	var offers []*offer
	for i := range 100 {
		p := service.OpenAI
		if i%2 == 1 {
			p = service.Claude
		}
		offers = append(offers, newOffer(fmt.Sprintf("exit-%04d", i), model("m", p)))
	}
	b := newBench(t, route.Config{}, offers...)
	seen := map[string]bool{}
	for i, name := range strings.Fields(b.order(asks("m"))) {
		if seen[name] {
			t.Fatalf("%s comes twice", name)
		}
		seen[name] = true
		var n int
		fmt.Sscanf(name, "exit-%d", &n)
		if native := n%2 == 0; native != (i < 50) {
			t.Errorf("%s, native %t, comes at place %d", name, native, i)
		}
	}
	if len(seen) != 100 {
		t.Errorf("%d of 100 came", len(seen))
	}
}

// A model that more exits offer than are looked at must still be served by those that a filter leaves.
// An exit that lists a model many times under other ids, at a price that no other comes near, gets what a low price gets
// it once: a hundred times the weight of the usual price at most.
func TestListedOften(t *testing.T) {
	flood := newOffer("flood-exit", price("0.000001"))
	for i := range 300 {
		m := flood.info.Models[0]
		m.ID, m.Aliases = fmt.Sprintf("flood-%d", i), []string{"m"}
		flood.info.Models = append(flood.info.Models, m)
	}
	offers := []*offer{flood}
	for i := range 100 {
		offers = append(offers, newOffer(fmt.Sprintf("honest-exit-%d", i)))
	}
	b := newBench(t, route.Config{}, offers...)
	if got := b.first(asks("m"), 2000)["flood-exit"]; got < 900 || got > 1100 {
		t.Errorf("of 2000 plans %d begin with the exit that floods the model, want about half: 100 weights of 200", got)
	}
}

func TestHugeModel(t *testing.T) {
	var offers []*offer
	for i := range 20_000 {
		offers = append(offers, newOffer(fmt.Sprintf("exit-%06d", i)))
	}
	price("0.9")(nil, &offers[12345].info.Models[0])
	b := newBench(t, route.Config{}, offers...)
	for _, name := range []string{"exit-000000", "exit-012345", "exit-019999"} {
		if got := b.order(with(route.Preferences{Only: []string{name}})); got != name {
			t.Errorf("only %s: got %q", name, got)
		}
	}
	for name, p := range map[string]route.Preferences{
		"order": {Order: []string{"exit-012345"}},
		"sort":  {Sort: route.SortPrice},
	} {
		if got := b.first(with(p), 10); got["exit-012345"] != 10 {
			t.Errorf("%s: 10 plans began with %v, want exit-012345", name, got)
		}
	}
	if n := len(b.first(asks("m"), 300)); n < 250 {
		t.Errorf("300 plans began with %d exits of 20,000, want nearly 300", n)
	}
}

func TestModelsInOrder(t *testing.T) {
	b := newBench(t, route.Config{Random: always(0.5)}, newOffer("first", model("a", service.OpenAI)), newOffer("second", model("b", service.OpenAI)))
	plan := b.Plan(asks("unknown", "a", "b"))
	for _, want := range []string{"a", "b"} {
		if c, ok := plan.Next(); !ok || c.Asked != want || c.Model.ID != want {
			t.Errorf("candidate %+v, %t, want model %s", c, ok, want)
		}
	}
	if _, ok := plan.Next(); ok {
		t.Error("the plan goes on")
	}
	if err := plan.Err(); err.Tried != 2 || len(err.Unknown) != 1 || !strings.Contains(err.Error(), `"unknown"`) {
		t.Errorf("error %v", err)
	}
}

func TestNothingAskedFor(t *testing.T) {
	b := newBench(t, route.Config{}, newOffer("exit"))
	for _, r := range []*route.Request{{}, {Models: []string{"m"}}, {Protocols: service.Protocols()}} {
		plan := b.Plan(r)
		if c, ok := plan.Next(); ok {
			t.Errorf("%+v got %+v", r, c)
		}
		if plan.Err().Error() == "" || len(b.Explain(r)) > 0 {
			t.Errorf("%+v: no error, or an explanation", r)
		}
	}
}

// What a choice allocates must not depend on the size of the directory.
func TestAllocations(t *testing.T) {
	allocations := func(exits int) float64 {
		c := chooserFor(t, directoryOf(exits, exits))
		request := toolRequest(nil)
		return testing.AllocsPerRun(50, func() { c.Plan(request).Next() })
	}
	few, many := allocations(10), allocations(3000)
	if many > few+2 || many > 12 {
		t.Errorf("%.0f allocations among 3000 exits, %.0f among 10", many, few)
	}
}
