// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tokengo/tokengo/client"
	"github.com/tokengo/tokengo/exit"
	"github.com/tokengo/tokengo/internal/demobackend"
	"github.com/tokengo/tokengo/internal/network"
	"github.com/tokengo/tokengo/relay"
	"github.com/tokengo/tokengo/route"
	"github.com/tokengo/tokengo/service"
	"github.com/tokengo/tokengo/shape"
)

// The tiers of fall-back of the demo's client.
const (
	firstTier  = "paid"
	secondTier = "free"
)

// market is exits that compete, behind two relays, with a client and tools that ask it. Its tools run beside the story
// and touch the tally alone.
type market struct {
	screen  view
	stalls  []*stall
	network *network.Network     // set, as byHash, before tools ask
	byHash  map[service.Hash]int // which stall
	tally   tally

	favourite int        // the stall that was asked most while the client learned; -1 before
	standings []standing // how the client saw the stalls at the last look
}

// stall is one exit with its backend.
type stall struct {
	name    string
	price   service.Decimal // of a million tokens, in dollars
	delay   time.Duration   // of its backend, for each token
	tier    string
	backend *demobackend.Backend
	cable   network.Cable // to the relays
	refused atomic.Int64  // requests that its backend failed
	failing atomic.Bool
}

// newStall is the i-th of n. The first are of the first tier, the cheapest in front; speeds differ.
func newStall(i, n int) (*stall, error) {
	s := &stall{name: fmt.Sprintf("exit %02d", i+1), price: "0", tier: secondTier}
	s.delay = time.Duration(4+2*((i*3)%5)) * time.Millisecond
	if i < (2*n+2)/3 && i < n-1 {
		cents := 30 + 8*i
		s.tier, s.price = firstTier, service.Decimal(fmt.Sprintf("%d.%02d", cents/100, cents%100))
	}
	var err error
	s.backend, err = demobackend.New(demobackend.Config{TokenDelay: s.delay})
	return s, err
}

// speed is how many tokens a second its backend writes.
func (s *stall) speed() int { return int(time.Second / s.delay) }

// ServeHTTP is the stall's backend.
func (s *stall) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.failing.Load() {
		s.refused.Add(1)
	}
	s.backend.ServeHTTP(w, r)
}

// exit is the configuration of the stall's exit.
func (s *stall) exit(backendURL string) exit.Config {
	class := service.Standard
	if s.tier == secondTier {
		class = service.Free
	}
	return exit.Config{
		Operator: s.name, Tier: class, DialContext: s.cable.DialContext, DrainTimeout: time.Second,
		Backends: []exit.Backend{{
			Protocol: service.OpenAI, URL: backendURL, Silent: true,
			Models: []service.Model{{
				ID: model, Protocol: service.OpenAI,
				Pricing: &service.Pricing{InputPer1M: s.price, OutputPer1M: s.price, Currency: "USD"},
			}},
		}},
	}
}

// newMarket makes n stalls, whose network does not exist yet.
func newMarket(n int, screen view) (*market, error) {
	m := &market{screen: screen, favourite: -1, standings: make([]standing, n)}
	for i := range n {
		s, err := newStall(i, n)
		if err != nil {
			return nil, err
		}
		m.stalls = append(m.stalls, s)
	}
	return m, nil
}

// backend implements [story]: each stall is at a path of its own.
func (m *market) backend() http.Handler {
	mux := http.NewServeMux()
	for i, s := range m.stalls {
		prefix := fmt.Sprintf("/%d", i)
		mux.Handle(prefix+"/", http.StripPrefix(prefix, s))
	}
	return mux
}

// config implements [story].
func (m *market) config(backendURL string) (network.Config, error) {
	cfg := network.Config{
		Relays: []relay.Config{{}, {}},
		Client: client.Config{
			Shape:           shape.Off, // so that speeds show as they are
			RefreshInterval: time.Second,
			Tiers: []route.Tier{
				{Name: firstTier, Preferences: route.Preferences{Tiers: []service.Tier{service.Standard}}},
				{Name: secondTier, Preferences: route.Preferences{Tiers: []service.Tier{service.Free}}},
			},
		},
	}
	for i, s := range m.stalls {
		cfg.Exits = append(cfg.Exits, s.exit(fmt.Sprintf("%s/%d/v1", backendURL, i)))
	}
	return cfg, nil
}

// open finds out by which hash the client of the network knows each stall.
func (m *market) open(n *network.Network) {
	m.network, m.byHash = n, make(map[service.Hash]int)
	for _, e := range n.Client().Exits() {
		for i, s := range m.stalls {
			if e.Info.Operator == s.name {
				m.byHash[e.Hash] = i
			}
		}
	}
}

// failFavourite has the backend of the exit that was asked most fail with a status, or work again with 0.
func (m *market) failFavourite(status int) {
	if m.favourite < 0 {
		m.favourite = m.tally.most(learning)
	}
	s := m.stalls[m.favourite]
	s.failing.Store(status != 0)
	s.backend.Fail(status)
}

// cutFirstTier has all exits of the first tier disappear, as if their processes were killed.
func (m *market) cutFirstTier() {
	for _, s := range m.stalls {
		if s.tier == firstTier {
			s.cable.Cut()
		}
	}
}

// mendFirstTier has them come back.
func (m *market) mendFirstTier() {
	for _, s := range m.stalls {
		if s.tier == firstTier {
			s.cable.Mend()
		}
	}
}

// standing is how the client sees an exit.
type standing struct {
	known bool // it is in the directory
	score float64
	state route.State
}

// breaker is the state of the circuit breaker, for people.
func (s standing) breaker() string {
	if !s.known {
		return "gone"
	}
	return string(s.state)
}

// scoreText is the score, for people.
func (s standing) scoreText() string {
	if !s.known {
		return "-"
	}
	return fmt.Sprintf("%.2f", s.score)
}

// observe looks at what the client thinks of each stall, as 'tokengo why' does.
func (m *market) observe() error {
	why, err := m.network.Client().Inspector().Why(client.Query{Protocol: service.OpenAI, Models: []string{model}})
	if err != nil {
		return err
	}
	clear(m.standings)
	for _, v := range why.Candidates {
		if i, ok := m.byHash[v.Exit]; ok {
			m.standings[i] = standing{known: true, score: v.Score, state: v.State}
		}
	}
	return nil
}
