// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

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

// market is exits that compete, behind two relays, with a client and tools that ask it.
type market struct {
	network *network.Network
	stalls  []*stall
	tally   tally
	byHash  map[service.Hash]int // which stall; set once, before tools ask

	favourite int // the stall that was asked most while the client learned
	mu        sync.Mutex
	standings []standing // how the client sees the stalls; guarded by mu
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

// exit is the configuration of the stall's exit. Its backend is at a path of its own.
func (s *stall) exit(i int, backends string) exit.Config {
	class := service.Standard
	if s.tier == secondTier {
		class = service.Free
	}
	return exit.Config{
		Operator: s.name, Tier: class, DialContext: s.cable.DialContext, DrainTimeout: time.Second,
		Backends: []exit.Backend{{
			Protocol: service.OpenAI, URL: fmt.Sprintf("%s/%d/v1", backends, i), Silent: true,
			Models: []service.Model{{
				ID: demoModel, Protocol: service.OpenAI,
				Pricing: &service.Pricing{InputPer1M: s.price, OutputPer1M: s.price, Currency: "USD"},
			}},
		}},
	}
}

// newMarket opens all ports, and serves the backends until ctx ends.
func newMarket(ctx context.Context, group *errgroup.Group, n int) (*market, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &market{favourite: -1, standings: make([]standing, n)}
	mux := http.NewServeMux()
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
	for i := range n {
		s, err := newStall(i, n)
		if err != nil {
			ln.Close()
			return nil, err
		}
		prefix := fmt.Sprintf("/%d", i)
		mux.Handle(prefix+"/", http.StripPrefix(prefix, s))
		cfg.Exits = append(cfg.Exits, s.exit(i, "http://"+ln.Addr().String()))
		m.stalls = append(m.stalls, s)
	}
	srv := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	group.Go(func() error { return serveUntil(ctx, srv, ln) })
	m.network, err = network.New(ctx, cfg)
	return m, err
}

// learnHashes finds out by which hash the client knows each stall.
func (m *market) learnHashes() {
	m.byHash = make(map[service.Hash]int)
	for _, e := range m.network.Client().Exits() {
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
		m.favourite = m.tally.most(phaseLearning)
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

func (m *market) mendFirstTier() {
	for _, s := range m.stalls {
		if s.tier == firstTier {
			s.cable.Mend()
		}
	}
}
