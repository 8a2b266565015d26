// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"maps"
	"slices"
	"time"
)

// Refresh lets time count: what was learned fades, and peers are compared anew. Call it every minute or so, and after
// Restore. It costs what is remembered, and keeps others waiting for what is remembered of one model.
func (c *Chooser) Refresh() {
	now := c.cfg.Now()
	for _, model := range c.models() {
		c.mu.Lock()
		c.compare(c.current.Load(), model, now)
		c.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.usual, func(model string, _ usualFor) bool { return c.memory.byModel[model] == nil })
	c.refreshRests(c.current.Load(), now)
}

// models are those that something is remembered of.
func (c *Chooser) models() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Keys(c.memory.byModel))
}

// begin makes a new generation the current one, when what is known counts in it. c.mu is held.
func (c *Chooser) begin(g *generation, now time.Time) {
	clear(c.usual)
	for model := range c.memory.byModel {
		c.compare(g, model, now)
	}
	c.refreshRests(g, now)
	c.current.Store(g)
}

// refreshRests makes all breakers count, and forgets the old ones. c.mu is held.
func (c *Chooser) refreshRests(g *generation, now time.Time) {
	for key, b := range c.breakers {
		if now.Sub(b.last()) > c.cfg.HalfLife {
			delete(c.breakers, key) // what it says is as old as what has faded
		}
		c.applyRest(g, key)
	}
}

// compare finds what is usual for a model and judges all who were measured by it. c.mu is held.
func (c *Chooser) compare(g *generation, model string, now time.Time) {
	p := c.memory.peersOf(model, now)
	c.usual[model] = usualFor{p, now}
	for r := range c.memory.byModel[model] {
		c.apply(g, r, p)
	}
}

// apply makes a record count in a generation. c.mu is held.
func (c *Chooser) apply(g *generation, r *record, p peers) {
	if id, ok := g.ix.find(r.key); ok {
		s := judge(r, p)
		s.measured = r.measure()
		g.live[id].stand(s)
	}
}

// applyRest makes the breakers of a key count. c.mu is held.
func (c *Chooser) applyRest(g *generation, key Key) {
	whole := c.breakers[Key{Exit: key.Exit}]
	for _, id := range g.ix.modelsOf(key) {
		l := &g.ix.listings[id]
		g.live[id].rest(whole, c.breakers[g.ix.key(l)])
	}
}
