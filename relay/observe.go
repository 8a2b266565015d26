// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/tokengo/tokengo/service"
)

// What a relay publishes of its exits is public, so it must not show what single clients do. Hence these,
// and Config.ObserveInterval.
const (
	leastInFlight = 4    // fewer requests in flight are shown as none
	leastJudged   = 50   // fewer requests have no share that is shown
	shareStep     = 0.05 // of the share of answered requests
	uptimeStep    = 0.01
)

// measured records a round trip to an exit.
func (g *registry) measured(e *entry, rtt time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e.trips.add(rtt)
	e.rtt = quantile(slices.Clone(e.trips.all()), 0.5)
}

// observations is what the relay sees of all exits that the directory shows.
func (g *registry) observations(now time.Time) service.Observations {
	g.mu.Lock()
	defer g.mu.Unlock()
	seen := service.Observations{Exits: make(map[string]service.Observed, len(g.identities))}
	for _, m := range g.identities {
		if g.listed(m, now) {
			seen.Exits[service.ObservedName(m.newest.Hash)] = g.observed(m, now)
		}
	}
	return seen
}

// listed reports whether the directory shows a member: its newest registration has not expired, and a
// tunnel with it takes requests. g.mu is held.
func (g *registry) listed(m *member, now time.Time) bool {
	return g.hashes[m.newest.Hash] == m && now.Before(m.newest.Info.Expires) && slices.ContainsFunc(m.entries, m.current)
}

// current reports whether a tunnel takes requests and has the newest registration. g.mu is held.
func (m *member) current(e *entry) bool {
	return e.alive() && e.registration.Hash == m.newest.Hash
}

// observed is what the relay sees of one exit. g.mu is held.
func (g *registry) observed(m *member, now time.Time) service.Observed {
	age := g.age(now)
	m.history.connected(age, true)
	seen := service.Observed{
		Uptime5m:  toStep(m.history.uptime(age, shortWindow), uptimeStep),
		Uptime30m: toStep(m.history.uptime(age, middleWindow), uptimeStep),
		Uptime1d:  toStep(m.history.uptime(age, longWindow), uptimeStep),
	}
	if share, requests := m.history.share(age); requests >= leastJudged {
		share = toStep(share, shareStep)
		seen.Answered = &share
	}
	var trips []time.Duration
	inFlight := 0
	for _, e := range m.entries {
		inFlight += e.inFlight
		if !m.current(e) {
			continue
		}
		seen.Tunnels++
		if since := e.since.UTC().Truncate(time.Minute); seen.Since.IsZero() || since.Before(seen.Since) {
			seen.Since = since
		}
		trips = append(trips, e.trips.all()...)
	}
	seen.InFlight = level(inFlight)
	seen.RTTMillis, seen.RTT90Millis = roundMillis(quantile(trips, 0.5)), roundMillis(quantile(trips, 0.9))
	return seen
}

// level rounds a number of requests down to a power of two, and few to none.
func level(n int) int {
	if n < leastInFlight {
		return 0
	}
	return 1 << (bits.Len(uint(n)) - 1)
}

// toStep rounds a share to a multiple of 1/n, where step is 1/n, and without the noise of binary fractions.
func toStep(share, step float64) float64 {
	n := math.Round(1 / step)
	return math.Round(share*n) / n
}

// roundMillis is a time in milliseconds to two significant digits.
func roundMillis(d time.Duration) float64 {
	us := d.Microseconds()
	unit := int64(1)
	for us/unit >= 100 {
		unit *= 10
	}
	return float64((us+unit/2)/unit*unit) / 1000
}
