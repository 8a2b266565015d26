// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
)

// offer is an exit of a test. Its name is its identity, and its operator unless the description says otherwise.
type offer struct {
	info *service.Info
	hash service.Hash
}

func (o *offer) Service() *service.Info { return o.info }
func (o *offer) KeyHash() service.Hash  { return o.hash }

// newOffer makes an exit that offers one openai model "m" at 1 USD a million tokens; change alters it.
func newOffer(name string, change ...func(*service.Info, *service.Model)) *offer {
	info := &service.Info{Identity: service.Identity(name), Operator: name, Tier: service.Standard}
	m := service.Model{ID: "m", Protocol: service.OpenAI, Pricing: &service.Pricing{InputPer1M: "1", OutputPer1M: "1", Currency: "USD"}}
	for _, c := range change {
		c(info, &m)
	}
	info.Models = append(info.Models, m)
	return &offer{info, service.Hash("hash-of-" + name)}
}

func price(amount service.Decimal) func(*service.Info, *service.Model) {
	return func(_ *service.Info, m *service.Model) {
		m.Pricing = &service.Pricing{InputPer1M: amount, OutputPer1M: amount, Currency: "USD"}
	}
}

func model(id string, p service.Protocol) func(*service.Info, *service.Model) {
	return func(_ *service.Info, m *service.Model) { m.ID, m.Protocol = id, p }
}

// bench is a chooser with a clock that stands still until it is moved.
type bench struct {
	*route.Chooser
	t   *testing.T
	now time.Time
}

func newBench(t *testing.T, cfg route.Config, offers ...*offer) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	cfg.Now = func() time.Time { return b.now }
	if cfg.Random == nil {
		cfg.Random = rand.New(rand.NewPCG(7, 8)).Float64
	}
	c, err := route.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.Chooser = c
	b.update(offers...)
	return b
}

func (b *bench) update(offers ...*offer) {
	exits := make([]route.Exit, len(offers))
	for i, o := range offers {
		exits[i] = o
	}
	b.Update(exits)
}

// asks is a request for models by a tool that speaks openai.
func asks(models ...string) *route.Request {
	return &route.Request{Protocols: service.Protocols(), Models: models, InputTokens: 1000}
}

func with(p route.Preferences) *route.Request {
	r := asks("m")
	r.Preferences = &p
	return r
}

// order is the names of all exits in the order in which a plan yields them.
func (b *bench) order(r *route.Request) string {
	var names []string
	for plan := b.Plan(r); ; {
		c, ok := plan.Next()
		if !ok {
			return strings.Join(names, " ")
		}
		names = append(names, string(c.Exit.Service().Identity))
	}
}

// first is how often each exit comes first, in so many plans.
func (b *bench) first(r *route.Request, rounds int) map[string]int {
	count := map[string]int{}
	for range rounds {
		if c, ok := b.Plan(r).Next(); ok {
			count[string(c.Exit.Service().Identity)]++
		}
	}
	return count
}

// reports tells how attempts at an exit went.
func (b *bench) reports(name string, n int, o route.Outcome) {
	b.t.Helper()
	for range n {
		c, ok := b.Plan(with(route.Preferences{Only: []string{name}})).Next()
		if !ok {
			b.t.Fatalf("%s cannot be chosen", name)
		}
		b.Report(c, o)
	}
}

var (
	fine   = route.Outcome{TTFT: 500 * time.Millisecond, TokensPerSecond: 50}
	failed = route.Outcome{Result: route.Failed}
)

// always is a source of randomness that never explores.
func always(x float64) func() float64 { return func() float64 { return x } }
