// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// A failing exit rests, longer each time, comes last meanwhile, and is tried by one request when its rest is over.
func TestBreaker(t *testing.T) {
	b := newBench(t, route.Config{Random: always(0.5)}, newOffer("first"), newOffer("second", price("2")))
	p := route.Preferences{Order: []string{"first", "second"}}
	expect := func(when, want string) {
		t.Helper()
		if got := b.order(with(p)); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	expect("at the beginning", "first second")
	rest := 2 * time.Second
	for i := range 3 {
		c, _ := b.Plan(with(p)).Next()
		if c.Trial != (i > 0) {
			t.Errorf("failure %d: trial %t", i+1, c.Trial)
		}
		b.Report(c, failed)
		expect("resting", "second first")
		b.now = b.now.Add(rest - time.Millisecond)
		expect("at the end of the rest", "second first")
		b.now = b.now.Add(2 * time.Millisecond)
		rest *= 2
	}
	plan := b.Plan(with(p))
	trial, _ := plan.Next()
	expect("while one request tries", "second first")
	b.Report(trial, route.Outcome{Result: route.Inconclusive})
	c, _ := b.Plan(with(p)).Next()
	if !c.Trial {
		t.Error("a trial that told nothing is not repeated")
	}
	b.Report(c, fine)
	expect("recovered", "first second")
}

// Requests that run at the same time fail together, and that is one failure: the rest is no longer for it.
func TestBreakerOfRequestsAtOnce(t *testing.T) {
	for _, result := range []route.Result{route.Failed, route.Unreachable, route.Limited} {
		b := newBench(t, route.Config{Random: always(0.5)}, newOffer("first"), newOffer("second", price("2")))
		p := route.Preferences{Order: []string{"first", "second"}}
		var running []route.Candidate
		for range 50 {
			c, _ := b.Plan(with(p)).Next()
			running = append(running, c)
		}
		for _, c := range running {
			b.Report(c, route.Outcome{Result: result})
		}
		if got := b.order(with(p)); got != "second first" {
			t.Errorf("%v: %q, want %q", result, got, "second first")
		}
		b.now = b.now.Add(6 * time.Second) // more than the first rest, of whatever kind
		if c, _ := b.Plan(with(p)).Next(); !c.Trial {
			t.Errorf("%v: after 50 failures at once no request tries the exit again", result)
		}
	}
}

// What does not reach an exit rests all of its models, what fails there only the one.
func TestBreakerOfExitAndModel(t *testing.T) {
	two := newOffer("two")
	two.info.Models = append(two.info.Models, service.Model{ID: "n", Protocol: service.OpenAI})
	for result, wantN := range map[route.Result]route.State{
		route.Failed: route.Closed, route.Interrupted: route.Closed, route.Limited: route.Closed, route.Unreachable: route.Open,
	} {
		b := newBench(t, route.Config{}, two)
		c, _ := b.Plan(asks("m")).Next()
		b.Report(c, route.Outcome{Result: result})
		if got := b.Explain(asks("m"))[0].State; got != route.Open {
			t.Errorf("result %d: the model is %s", result, got)
		}
		if got := b.Explain(asks("n"))[0].State; got != wantN {
			t.Errorf("result %d: the other model is %s, want %s", result, got, wantN)
		}
	}
}

// An exit that asks to be left alone is, for as long as it said, also when nothing else is left.
func TestRateLimit(t *testing.T) {
	b := newBench(t, route.Config{}, newOffer("only"))
	b.reports("only", 1, route.Outcome{Result: route.Limited, RetryAfter: time.Minute})
	plan := b.Plan(asks("m"))
	if c, ok := plan.Next(); ok {
		t.Fatalf("got %+v", c)
	}
	err := plan.Err()
	if wait := err.RetryAt.Sub(b.now); wait < time.Minute || wait > 90*time.Second {
		t.Errorf("retry in %s, want a minute and a little more", wait)
	}
	if diff := cmp.Diff(map[route.Reason]int{route.RateLimited: 1}, err.Excluded); diff != "" {
		t.Errorf("excluded (-want +got):\n%s", diff)
	}
	b.now = b.now.Add(2 * time.Minute)
	if got := b.order(asks("m")); got != "only" {
		t.Errorf("afterwards %q", got)
	}
}

// With nothing else left, what rests is tried at once: that is better than giving up.
func TestLastResort(t *testing.T) {
	b := newBench(t, route.Config{}, newOffer("only"))
	b.reports("only", 5, failed)
	if got := b.order(asks("m")); got != "only" {
		t.Errorf("got %q", got)
	}
}

// tiered is a bench with two paid exits in a tier with a budget, and a free one in the next.
func tiered(t *testing.T) *bench {
	return newBench(t, route.Config{Random: always(0.5), Tiers: []route.Tier{
		{Name: "paid", Preferences: route.Preferences{Only: []string{"paid-one", "paid-two"}}, Budget: &route.Budget{Amount: 1, Period: route.Day}},
		{Name: "free", Preferences: route.Preferences{Only: []string{"free-one"}}},
	}}, newOffer("paid-one"), newOffer("paid-two", price("2")), newOffer("free-one", price("0")))
}

// tier is the tier of the candidate to try now.
func (b *bench) tier() string { return must(b.Plan(asks("m")).Next()).Tier }

func TestTiersInOrder(t *testing.T) {
	if got := tiered(t).order(asks("m")); !strings.HasSuffix(got, " free-one") || len(strings.Fields(got)) != 3 {
		t.Errorf("order %q, want the free one last", got)
	}
}

func TestTierRestsAndRecovers(t *testing.T) {
	b := tiered(t)
	for _, name := range []string{"paid-one", "paid-two", "paid-one", "paid-two"} {
		b.now = b.now.Add(30 * time.Second) // the exits themselves have rested
		b.reports(name, 1, failed)
	}
	b.now = b.now.Add(time.Second)
	if tier := b.tier(); tier != "free" {
		t.Errorf("after four failures tier %q", tier)
	}
	if s := b.TierStatus()[0]; s.State != route.Open || !s.Until.After(b.now) {
		t.Errorf("status %+v", s)
	}
	b.now = b.now.Add(30 * time.Second)
	c := must(b.Plan(asks("m")).Next())
	if c.Tier != "paid" {
		t.Errorf("later tier %q, want a trial of the first", c.Tier)
	}
	if tier := b.tier(); tier != "free" {
		t.Errorf("meanwhile tier %q, want the second", tier)
	}
	b.Report(c, fine)
	if tier := b.tier(); tier != "paid" {
		t.Errorf("after a success tier %q", tier)
	}
}

// A request that is in a tier when that begins to rest goes on to the next tier, and comes back when nothing is left.
func TestTierRestsDuringPlan(t *testing.T) {
	b := newBench(t, route.Config{Random: always(0.5), Tiers: []route.Tier{
		{Name: "paid", Preferences: route.Preferences{Ignore: []string{"free-one"}}},
		{Name: "free", Preferences: route.Preferences{Only: []string{"free-one"}}},
	}}, newOffer("paid-one"), newOffer("paid-two"), newOffer("paid-three"), newOffer("paid-four"), newOffer("paid-five"), newOffer("paid-six"),
		newOffer("free-one"))
	plan := b.Plan(asks("m"))
	var tiers []string
	for c, ok := plan.Next(); ok; c, ok = plan.Next() {
		tiers = append(tiers, c.Tier)
		b.Report(c, route.Outcome{Result: route.Unreachable})
	}
	want := []string{"paid", "paid", "paid", "paid", "free", "paid", "paid"}
	if diff := cmp.Diff(want, tiers); diff != "" {
		t.Errorf("tiers in their order (-want +got):\n%s", diff)
	}
}

// An exit and a tier on trial have recovered as soon as an answer begins, however long it takes.
func TestAnswerOfATrialHasBegun(t *testing.T) {
	b := tiered(t)
	for _, name := range []string{"paid-one", "paid-two", "paid-one", "paid-two"} {
		b.now = b.now.Add(30 * time.Second)
		b.reports(name, 1, failed)
	}
	b.now = b.now.Add(time.Minute)
	trial := must(b.Plan(asks("m")).Next())
	if trial.Tier != "paid" || b.tier() != "free" {
		t.Fatalf("on trial is tier %q; meanwhile others get %q", trial.Tier, b.tier())
	}
	b.Answering(trial)
	if tier := b.tier(); tier != "paid" {
		t.Errorf("while the answer of the trial arrives others get tier %q", tier)
	}
	b.Report(trial, route.Outcome{Result: route.Interrupted})
	if again := must(b.Plan(asks("m")).Next()); again.Model == trial.Model {
		t.Error("an exit whose answer broke off does not rest")
	}
}

// An exit that begins to answer and then breaks off, again and again, rests longer each time.
func TestBeginningIsNoSuccess(t *testing.T) {
	b := newBench(t, route.Config{Random: always(0.5)}, newOffer("only"))
	last := time.Duration(0)
	for range 4 {
		to := must(b.Plan(asks("m")).Next())
		b.Answering(to)
		b.Report(to, route.Outcome{Result: route.Interrupted})
		rest := b.Known("only")[0].Until.Sub(b.now)
		if rest <= last {
			t.Errorf("rests %v after %v", rest, last)
		}
		last = rest
		b.now = b.now.Add(rest + time.Second)
	}
}

// A tier whose trial has begun to answer takes as many failures as ever to rest again.
func TestRecoveredTierIsPatient(t *testing.T) {
	b := tiered(t)
	for _, name := range []string{"paid-one", "paid-two", "paid-one", "paid-two"} {
		b.now = b.now.Add(30 * time.Second)
		b.reports(name, 1, failed)
	}
	b.now = b.now.Add(time.Minute)
	b.Answering(must(b.Plan(asks("m")).Next()))
	b.reports("paid-two", 1, failed)
	if s := b.TierStatus()[0]; s.State != route.Closed {
		t.Errorf("after one more failure: %+v", s)
	}
}

// A request that is cancelled ends no trial but its own.
func TestCancelledRequestEndsNoOthersTrial(t *testing.T) {
	b := newBench(t, route.Config{Random: always(0.5)}, newOffer("resting"), newOffer("other"))
	long := must(b.Plan(with(route.Preferences{Only: []string{"resting"}})).Next())
	b.reports("resting", 1, failed)
	b.now = b.now.Add(time.Minute)
	trial := must(b.Plan(with(route.Preferences{Only: []string{"resting"}})).Next())
	b.now = b.now.Add(time.Second)
	b.Report(long, route.Outcome{Result: route.Inconclusive})
	if next := must(b.Plan(asks("m")).Next()); next.Exit == trial.Exit {
		t.Error("another request tries the exit as well")
	}
}

// Many requests that fail at one exit of a tier rest that exit, not the tier.
func TestTierOutlivesOneExit(t *testing.T) {
	b := tiered(t)
	for range 10 {
		b.reports("paid-one", 1, failed)
		b.now = b.now.Add(time.Minute)
	}
	if s := b.TierStatus()[0]; s.State != route.Closed {
		t.Errorf("status %+v", s)
	}
	if tier := b.tier(); tier != "paid" {
		t.Errorf("tier %q", tier)
	}
}

// A tier that has nothing to try when its rest is over is tried as soon as it has something again.
func TestTierWithNothingToTry(t *testing.T) {
	b := tiered(t)
	for _, name := range []string{"paid-one", "paid-two", "paid-one", "paid-two"} {
		b.now = b.now.Add(30 * time.Second)
		b.reports(name, 1, failed)
	}
	b.now = b.now.Add(30 * time.Second)
	b.update(newOffer("free-one", price("0")))
	for range 3 {
		if tier := b.tier(); tier != "free" {
			t.Errorf("without the exits of the first tier: tier %q", tier)
		}
	}
	b.update(newOffer("paid-one"), newOffer("paid-two", price("2")), newOffer("free-one", price("0")))
	c := must(b.Plan(asks("m")).Next())
	if c.Tier != "paid" {
		t.Errorf("when they are back: tier %q, want a trial of the first", c.Tier)
	}
	if tier := b.tier(); tier != "free" {
		t.Errorf("during the trial: tier %q, want the second", tier)
	}
}

func TestTierBudget(t *testing.T) {
	b := tiered(t)
	o := fine
	o.Usage = route.Usage{InputTokens: 300_000, OutputTokens: 300_000}
	b.Report(must(b.Plan(asks("m")).Next()), o)
	b.Report(must(b.Plan(asks("m")).Next()), o)
	plan := b.Plan(asks("m"))
	if c, _ := plan.Next(); c.Tier != "free" {
		t.Errorf("over the budget tier %q", c.Tier)
	}
	if diff := cmp.Diff([]string{"paid"}, plan.Err().OverBudget); diff != "" {
		t.Errorf("over budget (-want +got):\n%s", diff)
	}
	if s := b.TierStatus()[0]; s.Spent < 1.2-1e-6 || s.Budget != 1 {
		t.Errorf("status %+v", s)
	}
	b.now = b.now.Add(12 * time.Hour) // the next day
	if tier := b.tier(); tier != "paid" {
		t.Errorf("the next day tier %q", tier)
	}
}

// must takes a candidate that has to be there.
func must(c route.Candidate, ok bool) route.Candidate {
	if !ok {
		panic("nothing to choose")
	}
	return c
}

// A conversation stays with its exit while that works, and for a time.
func TestConversation(t *testing.T) {
	b := newBench(t, route.Config{MaxConversations: 2}, newOffer("aaaaaaaa"), newOffer("bbbbbbbb"), newOffer("cccccccc"), newOffer("dddddddd"))
	in := func(conversation string) *route.Request {
		r := asks("m")
		r.Conversation = conversation
		return r
	}
	at := func(conversation string) string {
		first := b.first(in(conversation), 50)
		if len(first) != 1 {
			return ""
		}
		for name := range first {
			return name
		}
		return ""
	}
	c := must(b.Plan(in("talk")).Next())
	home := string(c.Exit.Service().Identity)
	b.Report(c, fine)
	if got := at("talk"); got != home {
		t.Errorf("it is at %q, want %q", got, home)
	}
	if got := at("other"); got != "" {
		t.Errorf("a conversation that never was is at %q", got)
	}
	if got := strings.Fields(b.order(in("talk"))); len(got) != 4 || got[0] != home {
		t.Errorf("order %v, want %s first and once", got, home)
	}
	b.Report(must(b.Plan(in("talk")).Next()), failed)
	if got := at("talk"); got != "" {
		t.Errorf("after a failure it is still at %q", got)
	}
	for _, conversation := range []string{"one", "two", "three"} {
		b.Report(must(b.Plan(in(conversation)).Next()), fine)
	}
	if at("one") != "" || at("two") == "" || at("three") == "" {
		t.Error("want the oldest of three conversations forgotten where two fit")
	}
	b.now = b.now.Add(2 * time.Hour)
	if got := at("three"); got != "" {
		t.Errorf("after two hours it is still at %q", got)
	}
}

// Who asks for the cheapest exit in the middle of a conversation gets it, and stays there.
func TestConversationAndSort(t *testing.T) {
	dear, cheap := newOffer("dear-exit", price("3")), newOffer("cheap-exit", price("1"))
	b := newBench(t, route.Config{}, dear)
	in := func(model string, p *route.Preferences) *route.Request {
		r := asks(model)
		r.Conversation, r.Preferences = "talk", p
		return r
	}
	b.Report(must(b.Plan(in("m", nil)).Next()), fine)
	b.update(dear, cheap)
	for _, r := range []*route.Request{in("m:floor", nil), in("m", &route.Preferences{Sort: route.SortPrice})} {
		c := must(b.Plan(r).Next())
		if got := c.Exit.Service().Identity; got != "cheap-exit" {
			t.Errorf("the cheapest is %s", got)
		}
		b.Report(c, fine)
	}
	b.update(dear, cheap, newOffer("later-exit", price("0.5")))
	for model, want := range map[string]service.Identity{"m": "dear-exit", "m:floor": "cheap-exit"} {
		if got := must(b.Plan(in(model, nil)).Next()).Exit.Service().Identity; got != want {
			t.Errorf("the conversation about %s went on to %s, want %s", model, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	tier := func(b *route.Budget) []route.Tier { return []route.Tier{{Name: "t", Budget: b}} }
	for name, cfg := range map[string]route.Config{
		"preferences":    {Preferences: route.Preferences{Sort: "best"}},
		"unnamed tier":   {Tiers: []route.Tier{{}}},
		"same tier":      {Tiers: []route.Tier{{Name: "a"}, {Name: "a"}}},
		"tier":           {Tiers: []route.Tier{{Name: "a", Preferences: route.Preferences{Only: []string{""}}}}},
		"budget":         {Tiers: tier(&route.Budget{Period: route.Day})},
		"period":         {Tiers: tier(&route.Budget{Amount: 1, Period: "week"})},
		"rate":           {Money: route.Money{Rates: map[string]float64{"EUR": 0}}},
		"half-life":      {HalfLife: -1},
		"negative count": {MaxRecords: -1},
	} {
		if _, err := route.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCost(t *testing.T) {
	p := &service.Pricing{InputPer1M: "2", OutputPer1M: "10", CachedInputPer1M: "0.5", PerRequest: "0.001", PerImage: "0.01", Currency: "EUR"}
	u := route.Usage{InputTokens: 1_000_000, CachedTokens: 400_000, OutputTokens: 100_000, Images: 3}
	got, err := route.Money{Rates: map[string]float64{"EUR": 2}}.Cost(p, u)
	if want := 2 * (1.2 + 0.2 + 1 + 0.001 + 0.03); err != nil || got < want-1e-9 || got > want+1e-9 {
		t.Errorf("cost %f, %v, want %f", got, err, want)
	}
	if _, err := (route.Money{}).Cost(p, u); err == nil {
		t.Error("a currency without a rate has a cost")
	}
	if _, err := (route.Money{}).Cost(nil, u); err == nil {
		t.Error("a model without prices has a cost")
	}
}

// Plans, reports and updates may come from many goroutines; the race detector watches.
func TestConcurrentUse(t *testing.T) {
	var offers []*offer
	for i := range 30 {
		offers = append(offers, newOffer(fmt.Sprintf("exit-%04d", i)))
	}
	b := newBench(t, route.Config{Random: rand.Float64, Tiers: []route.Tier{{Name: "a"}, {Name: "b"}}}, offers...)
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			r := asks("m")
			r.Conversation = fmt.Sprint(w)
			for i := range 200 {
				plan := b.Plan(r)
				for c, ok := plan.Next(); ok; c, ok = plan.Next() {
					result := route.Result(i % 6)
					b.Report(c, route.Outcome{Result: result, TTFT: time.Second})
					if result == route.Succeeded {
						break
					}
				}
			}
		})
	}
	for range 20 {
		b.update(offers...)
		b.Refresh()
		b.Explain(asks("m"))
		b.Known("")
		if _, err := b.Snapshot(); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
}
