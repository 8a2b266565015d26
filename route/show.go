// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"slices"
	"time"

	"github.com/tokengo/tokengo/service"
)

// Known is what is remembered of one model at one exit. Counts have faded: a request of one half-life ago counts half.
type Known struct {
	Key
	Factors Factors
	Score   float64
	// Succeeded, Failed, Kept and Broken count requests and promises.
	Succeeded, Failed, Kept, Broken float64
	// TTFT and TTFT90 are the median and the 90th percentile of the time to the first token; 0 when none was measured.
	TTFT, TTFT90 time.Duration
	// TokensPerSecond is the median rate; 0 when none was measured.
	TokensPerSecond float64
	// State is that of the circuit breaker, and Until when that is half open.
	State State
	Until time.Time
}

// Known returns what is remembered, sorted by exit and model: of one exit, or with an empty identity of all.
func (c *Chooser) Known(exit service.Identity) []Known {
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []Known
	for key, r := range c.memory.records {
		if exit == "" || key.Exit == exit {
			all = append(all, c.known(r, now))
		}
	}
	slices.SortFunc(all, func(a, b Known) int { return a.Key.compare(b.Key) })
	return all
}

// known describes a record. c.mu is held.
func (c *Chooser) known(r *record, now time.Time) Known {
	r.fade(now, c.cfg.HalfLife)
	f := judge(r, c.usual[r.key.Model].peers).factors
	k := Known{
		Key: r.key, Factors: f, Score: f.Score(),
		Succeeded: r.good, Failed: r.bad, Kept: r.kept, Broken: r.broken,
		TTFT:            time.Duration(r.latency.quantile(0.5, firstMillis) * float64(time.Millisecond)),
		TTFT90:          time.Duration(r.latency.quantile(0.9, firstMillis) * float64(time.Millisecond)),
		TokensPerSecond: r.speeds.quantile(0.5, firstSpeed), State: Closed,
	}
	for _, b := range []*breaker{c.breakers[r.key], c.breakers[Key{Exit: r.key.Exit}]} {
		if s := b.state(now); s != Closed && b.until.After(k.Until) {
			k.State, k.Until = s, b.until
		}
	}
	return k
}

// Clear forgets what is remembered of one exit, or with an empty identity of all: records, breakers and where
// conversations are. What tiers have spent stays.
func (c *Chooser) Clear(exit service.Identity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	for key, r := range c.memory.records {
		if exit == "" || key.Exit == exit {
			c.memory.remove(r)
		}
	}
	for key := range c.breakers {
		if exit == "" || key.Exit == exit {
			delete(c.breakers, key)
		}
	}
	for _, e := range c.affinity.byKey {
		if b := e.Value.(*bond); exit == "" || b.to.Exit == exit {
			c.affinity.remove(e)
		}
	}
	c.begin(newGeneration(c.current.Load().ix), c.cfg.Now())
}

// Conversations returns how many conversations it is remembered of where they are.
func (c *Chooser) Conversations() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.affinity.byKey)
}

// TierStatus is how a tier is.
type TierStatus struct {
	Name string
	// Spent is what the present period cost so far, and Budget what it may; 0 is no bound.
	Spent, Budget float64
	Period        Period
	// State is Open while the tier is passed over because its exits failed one after the other, and Until when that is
	// half open.
	State State
	Until time.Time
}

// TierStatus returns how the tiers are, in their order.
func (c *Chooser) TierStatus() []TierStatus {
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]TierStatus, 0, len(c.tiers))
	for _, t := range c.tiers {
		s := TierStatus{Name: t.Name, Spent: t.spentAt(now), State: t.breaker.state(now), Until: t.breaker.until}
		if t.Budget != nil {
			s.Budget, s.Period = t.Budget.Amount, t.Budget.Period
		}
		all = append(all, s)
	}
	return all
}
