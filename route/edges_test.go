// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// run by one operator, in a request's candidates.
func runBy(operator string) func(*service.Info, *service.Model) {
	return func(i *service.Info, _ *service.Model) { i.Operator = operator }
}

func inTier(tier service.Tier) func(*service.Info, *service.Model) {
	return func(i *service.Info, _ *service.Model) { i.Tier = tier }
}

func unpriced(_ *service.Info, m *service.Model) { m.Pricing = nil }

func inCurrency(currency string) func(*service.Info, *service.Model) {
	return func(_ *service.Info, m *service.Model) { m.Pricing.Currency = currency }
}

// chances are those of exits, all stages together.
func (b *bench) chances(r *route.Request) map[string]float64 {
	chance := map[string]float64{}
	for _, v := range b.Explain(r) {
		chance[string(v.Exit.Service().Identity)] += v.Chance
	}
	return chance
}

// Where plans go that no drawing among sound candidates of the first stage explains.
func TestChancesInCorners(t *testing.T) {
	paidThenFree := []route.Tier{
		{Name: "paid", Preferences: route.Preferences{Tiers: []service.Tier{service.Premium}}},
		{Name: "free", Preferences: route.Preferences{Tiers: []service.Tier{service.Free}}},
	}
	fiveOwners := make([]*offer, 0, 60)
	for i := range 50 { // ten exits each, of five operators
		fiveOwners = append(fiveOwners, newOffer(fmt.Sprintf("good-%04d", i), runBy(fmt.Sprint("operator", i%5))))
	}
	for i := range 10 {
		fiveOwners = append(fiveOwners, newOffer(fmt.Sprintf("new-%05d", i), price("0")))
	}
	tests := []struct {
		name   string
		cfg    route.Config
		offers []*offer
		learn  func(*bench)
		r      *route.Request
	}{
		{
			"the first tier has nothing",
			route.Config{Tiers: paidThenFree},
			[]*offer{newOffer("free-one", inTier(service.Free)), newOffer("free-two", inTier(service.Free), price("9"))},
			nil, asks("m"),
		},
		{
			"the first model is ruled out",
			route.Config{},
			[]*offer{newOffer("lacking1", model("n", service.OpenAI)), newOffer("aaaaaaaa"), newOffer("bbbbbbbb", price("9"))},
			nil,
			&route.Request{Protocols: service.Protocols(), Models: []string{"n", "m"}, Preferences: &route.Preferences{Ignore: []string{"lacking1"}}},
		},
		{
			"all rest", route.Config{}, []*offer{newOffer("aaaaaaaa"), newOffer("bbbbbbbb"), newOffer("cccccccc")}, func(b *bench) {
				b.reports("aaaaaaaa", 1, failed)
				b.reports("bbbbbbbb", 1, failed)
				b.reports("cccccccc", 1, failed)
				b.now = b.now.Add(time.Second)
			}, asks("m"),
		},
		{
			"all rest, in an order", route.Config{}, []*offer{newOffer("aaaaaaaa"), newOffer("bbbbbbbb"), newOffer("cccccccc")}, func(b *bench) {
				b.reports("bbbbbbbb", 1, failed)
				b.reports("aaaaaaaa", 1, failed)
				b.reports("cccccccc", 1, failed)
			}, with(route.Preferences{Order: []string{"cccccccc"}}),
		},
		{
			"one rests and one has asked to be left alone", route.Config{}, []*offer{newOffer("aaaaaaaa"), newOffer("bbbbbbbb")}, func(b *bench) {
				b.reports("aaaaaaaa", 1, failed)
				b.reports("bbbbbbbb", 1, route.Outcome{Result: route.Limited, RetryAfter: time.Minute})
			}, asks("m"),
		},
		{
			"failures in a row without tiers",
			route.Config{},
			[]*offer{newOffer("aaaaaaaa"), newOffer("bbbbbbbb"), newOffer("cccccccc"), newOffer("dddddddd"), newOffer("eeeeeeee")},
			func(b *bench) {
				for _, name := range []string{"aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"} {
					b.reports(name, 1, failed)
				}
			}, asks("m"),
		},
		{
			"five operators with many exits have proven good", route.Config{}, fiveOwners, func(b *bench) {
				for i := range 50 {
					b.reports(fmt.Sprintf("good-%04d", i), 1, fine)
				}
			}, asks("m"),
		},
		{
			"one operator's exits all fail",
			route.Config{},
			[]*offer{newOffer("honest-1"), newOffer("failing1", runBy("many")), newOffer("failing2", runBy("many")), newOffer("failing3", runBy("many"))},
			func(b *bench) {
				for i := range 3 {
					b.reports(fmt.Sprint("failing", i+1), 3, failed)
				}
				b.now = b.now.Add(20 * time.Minute)
			}, asks("m"),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.cfg, tt.offers...)
			if tt.learn != nil {
				tt.learn(b)
			}
			checkExplained(t, b, tt.r)
		})
	}
}

// Exploration too gives the exits of one operator one share, however many of them are written off.
func TestExplorationSharesByOperator(t *testing.T) {
	offers := []*offer{newOffer("honest-1")}
	for i := range 9 {
		offers = append(offers, newOffer(fmt.Sprintf("cheater%d", i), runBy("cheaters")))
	}
	b := newBench(t, route.Config{}, offers...)
	for i := range 9 {
		b.reports(fmt.Sprintf("cheater%d", i), 3, failed)
	}
	b.now = b.now.Add(20 * time.Minute) // they rest no more, and count as unreliable
	sum := 0.0
	for name, chance := range b.chances(asks("m")) {
		if name != "honest-1" {
			sum += chance
		}
	}
	if math.Abs(sum-0.03/2) > 1e-6 {
		t.Errorf("an operator of nine exits that fail has a chance of %.4f, want half of what is explored", sum)
	}
}

// Who hides the price is no better off than who states it, also where all others are free.
func TestHiddenPriceAmongFreeOnes(t *testing.T) {
	free := []*offer{newOffer("free-one", price("0")), newOffer("free-two", price("0"))}
	chance := func(dear *offer) float64 {
		return newBench(t, route.Config{}, append(free, dear)...).chances(asks("m"))["dear-one"]
	}
	stated := chance(newOffer("dear-one", price("10")))
	for name, change := range map[string]func(*service.Info, *service.Model){"none": unpriced, "a currency without a rate": inCurrency("XYZ")} {
		if hidden := chance(newOffer("dear-one", price("10"), change)); hidden > stated+1e-6 {
			t.Errorf("with a price the chance is %.4f, with %s it is %.4f", stated, name, hidden)
		}
	}
}

// A price of input that was read before is no way past max_price, nor past the comparison of prices.
func TestDearCachedInput(t *testing.T) {
	dear := newOffer("cachings", func(_ *service.Info, m *service.Model) { m.Pricing.CachedInputPer1M = "500" })
	b := newBench(t, route.Config{}, newOffer("honest-1"), dear)
	if chance := b.chances(asks("m"))["cachings"]; chance > 0.03 {
		t.Errorf("an exit that asks 500 for cached input has a chance of %.4f", chance)
	}
	limit := route.Price(1)
	if got := b.order(with(route.Preferences{MaxPrice: &route.MaxPrice{Prompt: &limit}})); got != "honest-1" {
		t.Errorf("with max_price 1 the plan is %q", got)
	}
}

// White space around the name of an operator, which nobody sees, makes it no other operator, nor a name of nothing else.
func TestOperatorsAreFolded(t *testing.T) {
	b := newBench(t, route.Config{},
		newOffer("exit-one", runBy("Thrifty ")), newOffer("exit-two", runBy("\tTHRIFTY")), newOffer("other001", runBy(" ")), newOffer("other002", runBy(" ")))
	if got := b.order(with(route.Preferences{Ignore: []string{"thrifty"}})); got != "other001 other002" && got != "other002 other001" {
		t.Errorf("with the operator ignored the plan is %q", got)
	}
	chance := b.chances(asks("m"))
	if got, want := chance["exit-one"]+chance["exit-two"], 1.0/3; math.Abs(got-want) > 1e-6 {
		t.Errorf("the operator has a chance of %.4f, want one of three shares", got)
	}
}
